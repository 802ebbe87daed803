"""The six views of each body part: parallel projections, so that the scale is the same everywhere in the picture.

Pixel centres lie at +0.5. Left parts have the mirrored views of right parts. `scripts/choose_views.py` chose the views.
Limbs stand upright in narrow pictures, their end at the trunk on top, with a piece of what they are joined to.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from opendensepose.surface import CHART_TO_PART, PART_NAMES, load_charts, load_surface

__all__ = ["NUM_VIEWS", "PlaceInView", "SIDE_PX", "VIEWS_FILE", "View", "load_views", "make_view", "part_faces"]

NUM_VIEWS = 6
SIDE_PX = 480
MARGIN_PX = 22
LIMB_HW = 640, 216  # pixels: six limbs stand side by side where six other parts stand in two rows
LIMB_SHARE = 0.78  # of the picture's height: above and below it show the joints
LIMB_ENDS = {"upper leg": "knee", "lower leg": "foot", "upper arm": "elbow", "lower arm": "hand"}
_CLEAR = 0.6  # the cosine from which on a direction is said to lie to a side
VIEWS_FILE = Path(__file__).with_name("views.json")


@dataclass(frozen=True)
class View:
    """A parallel projection of one part.

    part: 1..14, number: 0..5. name: such as "front". axes: (3, 3) float64, unit rows: the picture's
    right, its down, and away from the viewer, in the world. centre: (3,) metres, the point in the picture's middle.
    pixels_per_metre; width, height in pixels.
    """

    part: int
    number: int
    name: str
    axes: np.ndarray
    centre: np.ndarray
    pixels_per_metre: float
    width: int = SIDE_PX
    height: int = SIDE_PX

    def project(self, xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Project world points (..., 3) metres to pixels (..., 2) and depths (...) metres; float64."""
        local = (np.asarray(xyz, np.float64) - self.centre) @ self.axes.T
        return local[..., :2] * self.pixels_per_metre + np.array([self.width / 2, self.height / 2]), local[..., 2]

    @property
    def sides(self) -> dict[str, str]:
        """What of the body lies to the picture's left, right and bottom, where a word for it is clear."""
        words = {}
        for side, direction in (("left", -self.axes[0]), ("right", self.axes[0])):
            named = _directions(self.part)
            word = max(named, key=lambda name: float(named[name] @ direction), default="")
            if word and named[word] @ direction > _CLEAR:
                words[side] = word
        end = _limb_end(self.part)
        return words | ({"bottom": end} if end else {})

    @property
    def towards(self) -> np.ndarray:
        """The unit vector (3,) from the body to the viewer."""
        return -self.axes[2]


class PlaceInView(NamedTuple):
    """A place in the picture of a part's view."""

    view: int  # 0..5
    x: float  # pixels
    y: float


@cache
def load_views() -> tuple[tuple[View, ...], ...]:
    """Load the views of the parts 1..14: `load_views()[part - 1][number]`; cached."""
    stored = json.loads(VIEWS_FILE.read_text())
    chosen = []
    for part in range(1, len(PART_NAMES)):
        rows = stored[PART_NAMES[part]]
        chosen.append(tuple(make_view(part, k, row["name"], row["towards"], row["up"]) for k, row in enumerate(rows)))
    return tuple(chosen)


@cache
def part_faces(part: int) -> np.ndarray:
    """Return the indices (F,) of the faces of a part 1..14. ValueError if there is no such part."""
    if not 1 <= part < len(PART_NAMES):
        raise ValueError(f"the part must be 1 to {len(PART_NAMES) - 1}, got {part}.")
    faces = np.flatnonzero(CHART_TO_PART[load_charts().face_chart] == part)
    faces.flags.writeable = False
    return faces


def _limb_end(part: int) -> str | None:
    """What a limb ends in; None for other parts."""
    return LIMB_ENDS.get(PART_NAMES[part].rsplit(" ", 1)[0])


def _directions(part: int) -> dict[str, np.ndarray]:
    """Directions of the body in the world by their name on a part; none for hands, whose fingers tell them."""
    name = PART_NAMES[part]
    if "hand" in name:
        return {}
    left, front = np.array([1.0, 0, 0]), np.array([0, -1.0, 0])
    across = {"L": left, "R": -left}
    if "left" in name or "right" in name:
        outer = left if "left" in name else -left
        across = {"outer": outer, "inner": -outer}
    return {"front": front, "back": -front, **across}


def make_view(part: int, number: int, name: str, towards: ArrayLike, up: ArrayLike) -> View:
    """Make the view from the direction `towards` (3,) with `up` (3,) upwards; the part fills the picture.

    A limb has its own axis upwards.
    """
    surface = load_surface()
    vertices = surface.vertices[np.unique(surface.faces[part_faces(part)])]
    is_limb = _limb_end(part) is not None
    away = -np.asarray(towards, np.float64)
    away /= np.linalg.norm(away)
    right = np.cross(away, _limb_axis(vertices) if is_limb else np.asarray(up, np.float64))
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(away, right), away])
    local = vertices @ axes.T
    low, high = local.min(0), local.max(0)
    width, height = high[:2] - low[:2]
    if is_limb:
        size_hw = LIMB_HW
        scale = min(LIMB_SHARE * LIMB_HW[0] / height, (LIMB_HW[1] - MARGIN_PX) / width)
    else:
        size_hw = SIDE_PX, SIDE_PX
        scale = (SIDE_PX - 2 * MARGIN_PX) / max(width, height)
    return View(part, number, name, axes, axes.T @ ((low + high) / 2), float(scale), size_hw[1], size_hw[0])


def _limb_axis(vertices: np.ndarray) -> np.ndarray:
    """The direction (3,) along a limb's vertices (V, 3), upwards: to its end at the trunk."""
    centred = vertices - vertices.mean(0)
    axis = np.linalg.svd(centred.T @ centred)[0][:, 0]
    return axis if axis[2] > 0 else -axis
