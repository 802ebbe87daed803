"""Points on the body surface: face and barycentric coordinates, the internal truth; (I, U, V) is their encoding."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SurfacePoints:
    """P points on a triangle mesh.

    face (P,) int32 index into the mesh's faces; barycentric (P, 3) float32 weights of the face's three vertices, of sum
    1. ValueError if the shapes do not fit.
    """

    face: np.ndarray
    barycentric: np.ndarray

    def __post_init__(self) -> None:
        face, barycentric = np.asarray(self.face, np.int32), np.asarray(self.barycentric, np.float32)
        if face.ndim != 1 or barycentric.shape != (len(face), 3):
            raise ValueError(
                f"face and barycentric must have the shapes (P,) and (P, 3), got {face.shape} and {barycentric.shape}."
            )
        object.__setattr__(self, "face", face)
        object.__setattr__(self, "barycentric", barycentric)

    @classmethod
    def at_vertices(cls, vertex: np.ndarray, faces: np.ndarray) -> "SurfacePoints":
        """Take the points at vertices (P,) int of a mesh of faces (F, 3), each on the first face that has the vertex.

        ValueError if a vertex has no face.
        """
        vertex, faces = np.asarray(vertex), np.asarray(faces)
        found, first = np.unique(faces, return_index=True)  # in order of the corners: 3 * face + corner
        place = np.minimum(np.searchsorted(found, vertex), len(found) - 1)
        if len(vertex) and (found[place] != vertex).any():
            raise ValueError(f"each vertex must be one of a face, got {vertex[found[place] != vertex][0]}.")
        corner = first[place]
        return cls(corner // 3, np.eye(3, dtype=np.float32)[corner % 3])

    def __len__(self) -> int:
        return len(self.face)

    def __getitem__(self, index: np.ndarray) -> "SurfacePoints":
        """The points at places (Q,) int, or where a mask (P,) bool is set."""
        return SurfacePoints(self.face[index], self.barycentric[index])

    def xyz(self, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """(P, 3) positions, in the unit and dtype of vertices (V, 3): those of the rest pose or of any posed body.

        faces (F, 3) int. ValueError if a shape is not that or if a point's face is not in 0..F-1.
        """
        vertices, corner = self._corners(vertices, faces)
        xyz = vertices[corner[:, 0]] * self.barycentric[:, 0:1]
        for k in (1, 2):
            xyz += vertices[corner[:, k]] * self.barycentric[:, k : k + 1]
        return xyz

    def nearest_vertex(self, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """The nearest corner of each point's face, (P,) int32 index into vertices (V, 3), here the rest pose's.

        faces (F, 3) int. ValueError as for `xyz`.
        """
        places = self.xyz(vertices, faces)
        vertices, corner = self._corners(vertices, faces)
        nearest, best = corner[:, 0].astype(np.int32), ((vertices[corner[:, 0]] - places) ** 2).sum(1)
        for k in (1, 2):
            distance = ((vertices[corner[:, k]] - places) ** 2).sum(1)
            nearer = distance < best
            nearest[nearer], best[nearer] = corner[nearer, k], distance[nearer]
        return nearest

    def _corners(self, vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The vertices as an array and the corners (P, 3) of the points' faces, both checked."""
        vertices, faces = np.asarray(vertices), np.asarray(faces)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
            raise ValueError(
                f"vertices and faces must have the shapes (V, 3) and (F, 3), got {vertices.shape} and {faces.shape}."
            )
        if len(self) and not 0 <= self.face.min() <= self.face.max() < len(faces):
            raise ValueError(
                f"the points' faces must be in 0..{len(faces) - 1}, got {self.face.min()}..{self.face.max()}."
            )
        return vertices, faces[self.face]
