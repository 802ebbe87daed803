"""Points on a part, and where they are."""

import numpy as np

from opendensepose.annotate.surface.cameras import part_faces
from opendensepose.surface import SurfacePoints, load_surface


def spread(part: int, count: int, seed: int = 0) -> SurfacePoints:
    """Points spread evenly over a part's area."""
    rng, surface, faces = np.random.default_rng(seed), load_surface(), part_faces(part)
    corner = surface.vertices[surface.faces[faces]].astype(np.float64)
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    return SurfacePoints(rng.choice(faces, count, p=area / area.sum()), rng.dirichlet((1, 1, 1), count))


def xyz(points: SurfacePoints) -> np.ndarray:
    surface = load_surface()
    return points.xyz(surface.vertices.astype(np.float64), surface.faces)
