"""The six views of each body part: parallel projections, so that the scale is the same everywhere in the picture.

Pixel centres lie at +0.5. Left parts have the mirrored views of right parts. `scripts/choose_views.py` chose the views.
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


def make_view(part: int, number: int, name: str, towards: ArrayLike, up: ArrayLike) -> View:
    """Make the view from the direction `towards` (3,) with `up` (3,) upwards; the part fills the picture."""
    away = -np.asarray(towards, np.float64)
    away /= np.linalg.norm(away)
    right = np.cross(away, np.asarray(up, np.float64))
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(away, right), away])
    surface = load_surface()
    local = surface.vertices[np.unique(surface.faces[part_faces(part)])] @ axes.T
    low, high = local.min(0), local.max(0)
    scale = (SIDE_PX - 2 * MARGIN_PX) / (high - low)[:2].max()
    return View(part, number, name, axes, axes.T @ ((low + high) / 2), float(scale))
