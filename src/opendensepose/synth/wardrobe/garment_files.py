"""MakeHuman's garments, footwear, hats, hair, brows, lashes, eyes and skins as compact arrays.

Every item (`male_casualsuit02`, `short01`, `young_asian_male`) gives arrays under "wardrobe/<item>/": `references`
(V, 3) uint16 and `weights` (V, 3) float32 into the 19,158 vertices of MakeHuman's base mesh hm08, `offsets` (V, 3)
float16 and `denominators` (3,) float32 in our axes and decimetres, `quads` (F, 4) and `uv_quads` (F, 4) uint16, `uvs`
(U, 2) uint16 of 1/65535, `hides` the packed bits of the base vertices that the item hides, and `texture/<k>` the bytes
of WebP pictures. A skin has textures only.

Letters: V vertices, F faces of four corners, U texture coordinates of one item.
"""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath

import cv2
import numpy as np

from opendensepose.synth.body.face_shape import NUM_BASE_VERTICES

__all__ = ["pack_garments"]

_WEBP_QUALITY = 85

# Lengths of the body that an item was made on, decimetres of MakeHuman's x, y (up) and z (depth): how far its offsets
# stretch on another body.
_MALE, _FEMALE, _HEAD = (1.4340, 2.4098, 2.0001), (1.3980, 2.2048, 1.8461), (1.48, 2.3298, 1.9221)
_BROWS, _FEET = (1.4160, 2.3073, 1.9231), (0.7045, 0.5875, 2.539)
_DENOMINATORS = {
    **{f"male_casualsuit0{k}": _MALE for k in range(1, 7)},
    **dict.fromkeys(("male_elegantsuit01", "short02"), _MALE),
    **dict.fromkeys(
        ("female_casualsuit01", "female_casualsuit02", "female_elegantsuit01", "female_sportsuit01"), _FEMALE
    ),
    **dict.fromkeys(("bob01", "bob02", "Braid01", "long01", "ponytail01", "short03"), _FEMALE),
    **dict.fromkeys(("fedora", "fedora_cocked", "short04", "Eyelashes01"), _HEAD),
    **{f"eyebrow{k:03}": _BROWS for k in range(1, 13)},
    **{f"shoes0{k}": _FEET for k in range(1, 7)},
    "afro01": (1.7412, 2.7409, 2.2613),
    "short01": (1.6682, 2.8351, 2.3542),
    "HighPolyEyes": (1.6482, 2.7213, 2.2795),
}

# Emblems, painted over: (x, y, half width, half height) in pixels of the texture of 512.
_EMBLEMS = {
    "female_casualsuit01": [(417, 118, 52, 52)],
    "female_casualsuit02": [(415, 128, 52, 52)],
    "male_casualsuit02": [(286, 82, 36, 36)],
    "male_casualsuit04": [(285, 85, 36, 36)],
    "male_casualsuit06": [(125, 72, 30, 16), (274, 82, 58, 28), (380, 86, 10, 10)],
    "shoes06": [(248, 417, 18, 12)],
}
_SMALL = ("eyebrow", "Eyelashes", "HighPolyEyes")  # half the texture's size is enough


def pack_garments(files: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """Convert garments to the arrays that the renderer reads; see the module's docstring.

    files: content by path in the npm package, such as package/public/data/proxies/clothes/shoes01/shoes01.json. Items
    without a known size are left out. ValueError if a file is not what it should be.
    """
    arrays = {}
    for path in sorted(files):
        parts = PurePosixPath(path).parts
        folder, item = parts[:-1], PurePosixPath(path).stem
        if "skins" in parts and parts[-2] == "textures":
            texture = _decoded(path, files[path])[..., :3]
            arrays[f"wardrobe/{parts[-3]}/texture/0"] = _webp(texture)
        elif item in _DENOMINATORS and path.endswith(".json"):
            packed = _packed(path, files[path])
            textures = [
                _texture(str(PurePosixPath(*folder, name)), files, item, packed) for name in packed.pop("textures")
            ]
            packed.update({f"texture/{k}": _webp(texture) for k, texture in enumerate(textures)})
            arrays.update({f"wardrobe/{item}/{key}": value for key, value in packed.items()})
    return arrays


def _packed(path: str, content: bytes) -> dict:
    """The arrays of one item's .json, and under "textures" the names of its pictures."""
    try:
        made = json.loads(content)
        references = np.array(made["ref_vIdxs"], np.int64).reshape(-1, 3)
        weights = np.array(made["weights"], np.float32).reshape(-1, 3)
        offsets = np.array(made["offsets"], np.float32).reshape(-1, 3)
        faces = np.array(made["faces"], np.int64).reshape(-1, 10)  # kind, 4 vertices, material, 4 texture coordinates
        uvs = np.array(made["uvs"][0], np.float64).reshape(-1, 2)
        hidden = np.array(made["metadata"].get("deleteVerts", []), bool)
        textures = [material["mapDiffuse"] for material in made["materials"]]
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ValueError(f"{path} is not a garment as MakeHuman writes them: {error!r}; fetch it again") from error
    quads, uv_quads = faces[:, 1:5], faces[:, 6:10]
    if not (
        len(references) == len(weights) == len(offsets)
        and references.max() < NUM_BASE_VERTICES
        and quads.max() < len(references)
        and uv_quads.max() < len(uvs)
        and min(quads.min(), uv_quads.min(), references.min()) >= 0
        and len(hidden) in (0, NUM_BASE_VERTICES)
    ):
        raise ValueError(f"{path} refers to vertices that are not there; fetch it again")
    x, up, depth = _DENOMINATORS[PurePosixPath(path).stem]
    return {
        "references": references.astype(np.uint16),
        "weights": weights,
        "offsets": (offsets[:, [0, 2, 1]] * np.array([1, -1, 1])).astype(np.float16),
        "denominators": np.array([x, depth, up], np.float32),
        "quads": quads.astype(np.uint16),
        "uv_quads": uv_quads.astype(np.uint16),
        "uvs": (uvs.clip(0, 1) * 65535).round().astype(np.uint16),
        "hides": np.packbits(hidden if len(hidden) else np.zeros(NUM_BASE_VERTICES, bool)),
        "textures": textures,
    }


def _decoded(path: str, content: bytes) -> np.ndarray:
    """(H, W, 4) uint8 RGBA of a PNG."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim not in (2, 3):
        raise ValueError(f"{path} is not a picture that OpenCV reads; fetch it again")
    code = {2: cv2.COLOR_GRAY2RGBA}.get(image.ndim) or {3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}[image.shape[2]]
    return cv2.cvtColor(image, code)


def _texture(path: str, files: Mapping[str, bytes], item: str, packed: dict) -> np.ndarray:
    """One picture of an item, without its emblem; pixels outside its faces get the nearest face's colour."""
    if path not in files:
        raise ValueError(f"{path} is missing; fetch the ingredients again")
    image = _decoded(path, files[path])
    height, width = image.shape[:2]
    for x, y, half_width, half_height in _EMBLEMS.get(item, []):
        mask = np.zeros((height, width), np.uint8)
        cv2.ellipse(mask, (x, y), (half_width, half_height), 0, 0, 360, 255, -1)
        image[..., :3] = cv2.inpaint(np.ascontiguousarray(image[..., :3]), mask, 5, cv2.INPAINT_TELEA)
    used = np.zeros((height, width), np.uint8)
    corners = packed["uvs"][packed["uv_quads"]] / 65535 * np.array([1, -1]) + np.array([0, 1])  # row (1 - v) * H
    for quad in (corners * [width, height]).round().astype(np.int32):
        cv2.fillConvexPoly(used, quad, 1)
    used &= (image[..., 3] > 8).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(1 - used, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    colour_of = np.zeros((nearest.max() + 1, 3), np.uint8)
    colour_of[nearest[used > 0]] = image[..., :3][used > 0]
    image[..., :3] = colour_of[nearest]
    if item.startswith(_SMALL):
        image = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    if item.startswith("eyebrow"):  # its hairs are finer than a pixel: so they still add up to a brow
        image[..., 3] = np.minimum(image[..., 3] * 1.8, 255)
    return image if (image[..., 3] < 255).any() else image[..., :3]


def _webp(image: np.ndarray) -> np.ndarray:
    """(n,) uint8: a WebP file of an RGB or RGBA picture."""
    code = cv2.COLOR_RGB2BGR if image.shape[2] == 3 else cv2.COLOR_RGBA2BGRA
    _, content = cv2.imencode(".webp", cv2.cvtColor(image, code), [cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY])
    return content.reshape(-1)
