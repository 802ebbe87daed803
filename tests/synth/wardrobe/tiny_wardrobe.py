"""A wardrobe made here: every piece is a part of the body's own skin, a centimetre above it."""

import functools

import cv2
import numpy as np

from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.face_shape import NUM_BASE_VERTICES
from opendensepose.synth.wardrobe.wardrobe import Wardrobe, load_garments

SUITS = ("male_casualsuit02", "female_casualsuit01")
HEAD = ("short01", "short02", "short03", "short04", "bob01", "bob02", "ponytail01", "Braid01", "long01", "afro01",
        "fedora", "eyebrow001", "Eyelashes01")  # fmt: skip


def webp(colour) -> np.ndarray:
    return cv2.imencode(".webp", np.full((64, 64, len(colour)), colour, np.uint8))[1].reshape(-1)


def item(vertices: np.ndarray, colour) -> dict[str, np.ndarray]:
    """The arrays of an item over the body's triangles that lie in vertices (V,) bool."""
    body = load_body()
    triangles = body.triangles.numpy()
    quads = triangles[vertices[triangles].all(1)][:, [0, 1, 2, 2]]  # the second half of each has no area
    used = np.unique(quads)
    references = np.tile(body.base.skin[used][:, None], (1, 3))
    uv = np.random.default_rng(0).integers(0, 65535, (len(used), 2)).astype(np.uint16)
    return {
        "references": references.astype(np.uint16),
        "weights": np.tile(np.float32([1, 0, 0]), (len(used), 1)),
        "offsets": (body.coordinates.normal[used] * 0.1).astype(np.float16),
        "denominators": np.ones(3, np.float32),
        "quads": np.searchsorted(used, quads).astype(np.uint16),
        "uv_quads": np.searchsorted(used, quads).astype(np.uint16),
        "uvs": uv,
        "hides": np.packbits(np.zeros(NUM_BASE_VERTICES, bool)),
        "texture/0": webp(colour),
    }


@functools.cache
def tiny_wardrobe() -> Wardrobe:
    where = load_body().coordinates
    top, bottom = where.is_in("torso", "arm") & (where.rest[:, 2] > 0.08), where.is_in("leg") & (where.rest[:, 2] < 0)
    items = {name: item(top | bottom, (40, 160, 40)) for name in SUITS}
    items["male_casualsuit01"] = item(where.is_in("torso", "leg", "arm"), (160, 40, 40))
    items["shoes01"] = item(where.is_in("foot") & (where.rest[:, 2] < -0.77), (40, 40, 160))
    items["HighPolyEyes"] = item(where.is_in("eye"), (255, 255, 255, 255))
    scalp = where.is_in("head") & (where.rest[:, 2] > 0.7)
    items |= {name: item(scalp, (90, 90, 90, 0 if name in ("eyebrow001", "Eyelashes01") else 255)) for name in HEAD}
    arrays = {f"wardrobe/{name}/{key}": value for name, made in items.items() for key, value in made.items()}
    skins = {f"wardrobe/young_{origin}_{gender}/texture/0": webp((90, 120, 200))
             for origin in ("african", "asian", "caucasian") for gender in ("male", "female")}  # fmt: skip
    return load_garments(arrays | skins, load_body())
