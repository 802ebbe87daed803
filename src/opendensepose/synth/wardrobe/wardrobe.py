"""The wardrobe: MakeHuman's items as pieces that fit the body, and their textures.

A suit is split into its connected pieces (top, bottom), footwear into shoes and socks. Every piece knows its references
into hm08, where it lies on the neutral body (what hems and sleeves are cut by) and which skin it hides.

Letters: V vertices, T triangles of a piece, B vertices of the body model.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from opendensepose.synth.body.body import LIMB_JOINTS, Body, along_limb, load_body
from opendensepose.synth.body.face_shape import NUM_BASE_VERTICES
from opendensepose.synth.textures.atlas import LUMA, TextureAtlas, pack_textures
from opendensepose.synth.wardrobe.fit import MEASURED_ON, FitTable, fit_table
from opendensepose.synth.wardrobe.ingredients_file import IngredientArrays, load_ingredients

__all__ = ["Piece", "Wardrobe", "load_garments", "load_wardrobe"]

_KINDS = {"shoes": "shoes", "fedora": "hat", "eyebrow": "brows", "Eyelashes": "lashes", "HighPolyEyes": "eyes"}
_NEAR_M, _EDGE_M = (
    0.035,
    0.02,
)  # cloth hides skin within the first distance, but not within the second of its own open edge


@dataclass(frozen=True, eq=False)
class Piece:
    """One thing to wear, on the CPU."""

    item: str
    # top, under (the shirt in a jacket), bottom, skirt, whole (shirt with jeans), shoes, socks, hat, hair, brows,
    # lashes or eyes
    kind: str
    references: np.ndarray  # (V, 3) and the next four: as of FitTable
    weights: np.ndarray
    offsets: np.ndarray
    denominators: np.ndarray  # (3,)
    measured_on: str  # key of MEASURED_ON
    bones: np.ndarray  # (V, 8)
    bone_weights: np.ndarray  # (V, 8)
    triangles: np.ndarray  # (T, 3) int32
    corner_uv: np.ndarray  # (T, 3, 2) float32
    rest: np.ndarray  # (V, 3) on the neutral body, metres
    normal: np.ndarray  # (V, 3) on the neutral body
    leg: np.ndarray  # (V,) position along the leg as BodyCoordinates.along, -1 elsewhere
    sleeve: np.ndarray  # (V,) position along the arm
    hides: np.ndarray  # (B,) bool, the body's vertices under it
    textures: tuple[int, ...]  # indices into the atlas
    mean_luminance: tuple[float, ...]  # of each texture over the piece, in [0, 1]
    metres_per_uv: float  # length of a texture's side on the cloth
    cut_out: bool  # drawn only where the texture is opaque

    @property
    def name(self) -> str:
        return f"{self.item}/{self.kind}"


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """All pieces with their textures."""

    pieces: tuple[Piece, ...]
    table: FitTable
    rows: Mapping[Piece, torch.Tensor]  # (V,) int32 rows of a piece in the table
    textures: TextureAtlas
    skins: Mapping[str, int]  # index into the atlas of each whole skin, by name
    body_uv: torch.Tensor  # (T, 3, 2) float32 texture coordinates of the body's triangles on a skin

    def of_kind(self, *kinds: str) -> list[Piece]:
        """List the pieces of any of these kinds."""
        return [piece for piece in self.pieces if piece.kind in kinds]


def load_garments(arrays: Mapping[str, np.ndarray], body: Body) -> Wardrobe:
    """Make the wardrobe of pack_garments' arrays; others are ignored. ValueError if they hold no garment."""
    items: dict[str, dict[str, np.ndarray]] = {}
    for key, value in arrays.items():
        if key.startswith("wardrobe/"):
            _, item, name = key.split("/", 2)
            items.setdefault(item, {})[name] = value
    if not any("references" in made for made in items.values()):
        raise ValueError("the ingredients hold no garments; run `opendensepose ingredients` again")
    pictures: list[np.ndarray] = []
    pieces, skins = [], {}
    about = _AboutBody(body)
    for item, made in items.items():
        own = []
        for k in range(len([name for name in made if name.startswith("texture/")])):
            own.append(len(pictures))
            pictures.append(_picture(item, made[f"texture/{k}"]))
        if "references" in made:
            pieces += _pieces(item, made, tuple(own), [pictures[k] for k in own], about)
        else:
            skins[item] = own[0]
    starts = np.cumsum([0] + [len(piece.rest) for piece in pieces])
    rows = {
        piece: torch.arange(start, start + len(piece.rest), dtype=torch.int32, device=body.device)
        for piece, start in zip(pieces, starts[:-1], strict=True)
    }
    table, store = fit_table(pieces, body.device), pack_textures(pictures, body.device)
    return Wardrobe(tuple(pieces), table, rows, store, skins, body.base.skin_uv)


def load_wardrobe(device: str = "cpu") -> Wardrobe | None:
    """Load the wardrobe of the fetched ingredients, cached; None if they were never fetched."""
    arrays = load_ingredients()
    return None if arrays is None else _of_body(arrays, device)


@functools.lru_cache(maxsize=2)
def _of_body(arrays: IngredientArrays, device: str) -> Wardrobe:
    return load_garments(arrays, load_body(device))


def _picture(item: str, content: np.ndarray) -> np.ndarray:
    image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"the texture of {item} is damaged; run `opendensepose ingredients` again")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGBA if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


class _AboutBody:
    """The neutral body that pieces are measured on: hm08 at rest with bone weights, and its skin."""

    def __init__(self, body: Body):
        self.where, self.joints = body.coordinates, body.neutral_keypoints
        self.base_rest = body.base.rest  # (19158, 3)
        self.bones = body.base.neutral_bones  # (bones, 4, 4), from there to the neutral pose
        self.bone_weights = body.base.bone_weights  # (19158, bones)
        self.skin_of_base = body.base.skin  # (B,)
        self.nearest_skin = cKDTree(self.where.rest)


def _pieces(
    item: str, made: dict, textures: tuple[int, ...], pictures: list[np.ndarray], about: _AboutBody
) -> list[Piece]:
    quads, uv_quads = made["quads"].astype(np.int64), made["uv_quads"].astype(np.int64)
    references, weights = made["references"].astype(np.int64), made["weights"]
    at_rest = np.einsum("vk,vkc->vc", weights, about.base_rest[references])
    bones, bone_weights = _largest(np.einsum("vk,vkb->vb", weights, about.bone_weights[references]).clip(0), 8)
    offsets, denominators = made["offsets"].astype(np.float32) * np.float32(0.1), made["denominators"] * np.float32(0.1)
    measured_on = "feet" if item.startswith("shoes") else "trunk"
    fitted = at_rest + offsets * _size(about.base_rest, measured_on) / denominators
    moves = np.einsum("vb,vbij->vij", bone_weights, about.bones[bones])
    fitted = np.einsum("vij,vj->vi", moves[:, :3, :3], fitted) + moves[:, :3, 3]
    kinds = _kind_of_vertices(item, quads, fitted)
    uvs = made["uvs"].astype(np.float32) / 65535
    hidden = np.unpackbits(made["hides"])[:NUM_BASE_VERTICES].astype(bool)[about.skin_of_base]
    pieces = []
    for kind in dict.fromkeys(kinds):
        here = kinds == kind
        mine = here[quads[:, 0]]
        used, local = np.flatnonzero(here), np.cumsum(here) - 1
        corners, uv_corners = local[quads[mine]], uvs[uv_quads[mine]]
        triangles = corners[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3).astype(np.int32)
        corner_uv = uv_corners[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3, 2)
        if kind == "eyes":  # the cornea's texture is transparent: what lies behind it is drawn
            solid = _sampled(pictures[0], corner_uv.mean(1))[:, 3] > 128
            triangles, corner_uv = triangles[solid], corner_uv[solid]
        rest = fitted[used].astype(np.float32)
        means = tuple(float(_luminance(_sampled(p, corner_uv.mean(1)))) for p in pictures)
        leg, sleeve = _along(rest, about)
        cut_out = kind in ("hair", "brows", "lashes") and (pictures[0][..., 3] < 128).any()
        piece = Piece(
            item=item,
            kind=str(kind),
            references=references[used],
            weights=weights[used],
            offsets=offsets[used],
            denominators=denominators,
            measured_on=measured_on,
            bones=bones[used],
            bone_weights=bone_weights[used],
            triangles=triangles,
            corner_uv=corner_uv.astype(np.float32),
            rest=rest,
            normal=_normals(rest, triangles),
            leg=leg,
            sleeve=sleeve,
            hides=_hides(str(kind), rest, triangles, hidden, about),
            textures=textures,
            mean_luminance=means,
            metres_per_uv=_side_m(rest, triangles, corner_uv),
            cut_out=bool(cut_out),
        )
        pieces.append(piece)
    return pieces


def _size(base_rest: np.ndarray, measured_on: str) -> np.ndarray:
    pairs = MEASURED_ON[measured_on]
    return np.array([abs(base_rest[i, axis] - base_rest[j, axis]) for axis, (i, j) in enumerate(pairs)])


def _kind_of_vertices(item: str, quads: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(V,) the kind of piece that each vertex of an item belongs to."""
    kind = next(
        (kind for stem, kind in _KINDS.items() if item.startswith(stem)), "hair" if "suit" not in item else "top"
    )
    kinds = np.full(len(rest), kind, object)
    if kind not in ("top", "shoes"):
        return kinds
    edges = np.concatenate([quads[:, [0, 1]], quads[:, [1, 2]], quads[:, [2, 3]]])
    graph = coo_matrix((np.ones(len(edges)), edges.T), (len(rest), len(rest)))
    _, component = connected_components(graph, directed=False)
    for c in np.unique(component):
        z = rest[component == c, 2]
        if kind == "shoes" and z.max() > -0.7:
            kinds[component == c] = "socks"
        elif kind == "top" and z.max() < 0.2:
            kinds[component == c] = "skirt" if item == "female_elegantsuit01" else "bottom"
        elif kind == "top" and z.min() < -0.4:
            kinds[component == c] = "whole"
    tops = component[kinds == "top"]
    if len(tops):
        kinds[(kinds == "top") & (component != np.bincount(tops).argmax())] = "under"
    return kinds


def _largest(weights: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest of each row: indices (V, count) int32 and weights (V, count) that add up to 1."""
    order = np.argsort(-weights, 1)[:, :count]
    kept = np.take_along_axis(weights, order, 1)
    return order.astype(np.int32), (kept / kept.sum(1, keepdims=True)).astype(np.float32)


def _sampled(picture: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(n, 4) float RGBA of a picture's nearest pixels at uv (n, 2)."""
    height, width = picture.shape[:2]
    column = (uv[:, 0] * width).astype(int).clip(0, width - 1)
    row = ((1 - uv[:, 1]) * height).astype(int).clip(0, height - 1)
    return picture[row, column].astype(np.float32)


def _luminance(rgba: np.ndarray) -> float:
    """Mean luminance in [0, 1] of the opaque samples."""
    alpha = rgba[:, 3] + 1e-3
    return float((rgba[:, :3] @ LUMA * alpha).sum() / alpha.sum() / 255)


def _normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = points[triangles].transpose(1, 0, 2)
    normal, of_face = np.zeros_like(points), np.cross(b - a, c - a)
    for k in range(3):
        np.add.at(normal, triangles[:, k], of_face)
    return normal / (np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12)


def _along(rest: np.ndarray, about: _AboutBody) -> tuple[np.ndarray, np.ndarray]:
    """(V,) positions along the leg and along the arm, -1 where a vertex is nearest to other skin."""
    where = about.where
    _, nearest = about.nearest_skin.query(rest)
    found = []
    for limb, end in (("leg", "foot"), ("arm", "hand")):
        along = np.full(len(rest), -1, np.float32)
        for side, sign in (("left", 1), ("right", -1)):
            here = where.is_in(limb, end)[nearest] & (where.side[nearest] == sign)
            a, b, c = (about.joints[f"{side}_{joint}"] for joint in LIMB_JOINTS[limb])
            along[here] = along_limb(rest[here], a, b, c)
        found.append(along)
    return found[0], found[1]


def _hides(kind: str, rest: np.ndarray, triangles: np.ndarray, hidden: np.ndarray, about: _AboutBody) -> np.ndarray:
    """(B,) bool, the body vertices under a piece: near it or listed by its maker, but away from its open edges."""
    where = about.where
    if kind == "eyes":
        return where.is_in("eye")
    if kind in ("hat", "hair", "brows", "lashes"):
        return np.zeros(len(where.rest), bool)
    samples = np.concatenate([rest, rest[triangles].mean(1)])
    distance, nearest = cKDTree(samples).query(where.rest)
    outwards = ((samples[nearest] - where.rest) * where.normal).sum(1)
    under = ((distance < _NEAR_M) & (outwards > -0.004)) | (hidden & (distance < 2 * _NEAR_M))
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    rim = np.isin(np.arange(len(rest)), unique[count == 1])
    if rim.any():  # what is nearest to an open edge lies beyond it
        to_edge, _ = cKDTree(rest[rim]).query(where.rest)
        under &= (to_edge > _EDGE_M) & ~np.concatenate([rim, rim[triangles].any(1)])[nearest]
    if kind in ("shoes", "socks"):  # a shoe's collar is folded in: it has no open edge
        under &= where.rest[:, 2] < rest[:, 2].max() - _EDGE_M
    return under & ~where.is_in("head", "eye", "neck", "hand")


def _side_m(rest: np.ndarray, triangles: np.ndarray, corner_uv: np.ndarray) -> float:
    """Metres of cloth along a texture's side."""
    a, b, c = rest[triangles].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    e, f = corner_uv[:, 1] - corner_uv[:, 0], corner_uv[:, 2] - corner_uv[:, 0]
    return float(np.sqrt(area / (np.abs(e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]).sum() + 1e-9)))
