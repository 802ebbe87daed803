"""Bodies whose pose, shape and camera are known, and labels of them without any error."""

from functools import cache

import numpy as np

from opendensepose.camera import Camera
from opendensepose.fit.body_fit import TO_CAMERA, BodyFitter
from opendensepose.fit.posed_points import Placement
from opendensepose.fit.rotations import rotation_matrix
from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.surface import SurfacePoints, load_charts, load_surface
from opendensepose.surface.rasterize import rasterize

__all__ = ["CAMERA", "fitter", "labelled", "placement", "vertices_of"]

CAMERA = Camera(TO_CAMERA.astype(np.float32), np.zeros(3, np.float32), 260.0, (48.0, 64.0), (128, 96))


@cache
def fitter() -> BodyFitter:
    return BodyFitter()


def placement(seed: int = 0, turn: float = 0.5) -> Placement:
    """A pose near a typical one, of an ordinary shape, 3.6 m before the camera, in the fit's world."""
    rng, prior = np.random.default_rng(seed), fitter().prior
    pose = rng.multivariate_normal(prior.mean, 0.3 * prior.covariance)
    shape = np.clip(fitter().shape_mean + 0.3 * rng.normal(0, fitter().shape_spread), 0, 1)
    return Placement(rotation_matrix(np.array([0.05, 0.1, turn])), np.array([0.02, 3.6, -0.05]), pose, shape)


def vertices_of(body: Placement) -> np.ndarray:
    return fitter().skeleton.vertices(body)[load_surface().anny_vertex]


def labelled(vertices: np.ndarray, camera: Camera = CAMERA) -> Instance:
    """The person whose surface has these vertices (V, 3), as the camera sees it: the true labels at pixel centres."""
    surface, charts = load_surface(), load_charts()
    corner = np.concatenate([camera.project(vertices), camera.to_camera(vertices)[:, 2:]], 1)[surface.faces]
    first, second = corner[:, 1, :2] - corner[:, 0, :2], corner[:, 2, :2] - corner[:, 0, :2]
    outside = first[:, 0] * second[:, 1] < first[:, 1] * second[:, 0]
    face, weights = rasterize(np.where(outside[:, None, None], corner, 0), camera.size_hw)
    seen = face >= 0
    corners = weights[seen] / corner[face[seen], :, 2]  # on the screen -> on the body: divided by depth
    points = SurfacePoints(face[seen], corners / corners.sum(1, keepdims=True))
    i, u, v = np.zeros(face.shape, np.uint8), *np.zeros((2, *face.shape), np.float32)
    i[seen], u[seen], v[seen] = charts.from_points(points)
    row, column = np.nonzero(i)
    box = np.float32([column.min(), row.min(), column.max() + 1, row.max() + 1])
    return Instance(box, 1.0, IUV(i, u.clip(0, 1), v.clip(0, 1)), (i > 0).astype(np.float32))
