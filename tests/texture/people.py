"""A person whose true labels and colours are known at every pixel: the body at rest, seen from a side, coloured by a
smooth function of the place."""

import numpy as np

from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.surface import SurfacePoints, load_charts, load_surface
from opendensepose.visualize.surface import SIDES, view_body

__all__ = ["colour_of", "instance_of", "seen_from"]


def colour_of(xyz: np.ndarray) -> np.ndarray:
    """Colours (..., 3) float 0..255 that differ from place to place and from side to side."""
    x, y, z = np.moveaxis(np.asarray(xyz, float), -1, 0)
    return np.stack([128 + 180 * x, 128 + 100 * np.sin(9 * z), 128 + 300 * y], -1).clip(5, 250)


def instance_of(i, u, v, confidence=1.0) -> Instance:
    row, column = np.nonzero(i)
    box = np.float32([column.min(), row.min(), column.max() + 1, row.max() + 1])
    return Instance(box, 1.0, IUV(i, u, v), np.where(i > 0, confidence, 0).astype(np.float32))


def seen_from(side: str, reduce: int = 4) -> tuple[np.ndarray, Instance]:
    """The photo (H, W, 3) uint8 and the labelled person; at reduce 4 a metre has 260 pixels."""
    surface, charts = load_surface(), load_charts()
    face, weights = (one[::reduce, ::reduce] for one in view_body(surface, *SIDES[side]))
    inside = face >= 0
    points = SurfacePoints(face[inside], weights[inside])
    image = np.full((*face.shape, 3), 200, np.uint8)
    image[inside] = colour_of(points.xyz(surface.vertices, surface.faces)).round()
    i, u, v = np.zeros(face.shape, np.uint8), *np.zeros((2, *face.shape), np.float32)
    i[inside], u[inside], v[inside] = charts.from_points(points)
    return image, instance_of(i, u.clip(0, 1), v.clip(0, 1))
