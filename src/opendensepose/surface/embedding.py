"""The continuous surface embedding of a person in a photo: for each pixel a point of a space in which a mesh's vertices
have places too, and the vertex that is nearest.

Letters: H x W photo, h x w window of it, D dimensions of the space, S cells of a window's side, P pixels.
Source: Neverova et al., Continuous Surface Embeddings, NeurIPS 2020.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["NO_VERTEX", "SurfaceEmbedding"]

NO_VERTEX = -1


@dataclass(frozen=True)
class SurfaceEmbedding:
    """A person's pixels in the space of a mesh's vertices.

    mesh: the mesh's name, as `ref_model` of COCO-DensePose has it. window_xyxy (4,) int32: the window of the photo that
    the arrays cover, whole pixels. vertex (h, w) int32: the number, from 0, of the vertex that a pixel shows, NO_VERTEX
    where the person is not seen. maps (D, S, S) float32: the embeddings of S x S cells laid over the window. ValueError
    if types or shapes are others.
    """

    mesh: str
    window_xyxy: np.ndarray
    vertex: np.ndarray
    maps: np.ndarray

    def __post_init__(self) -> None:
        if self.window_xyxy.shape != (4,) or self.window_xyxy.dtype != np.int32:
            got = f"{self.window_xyxy.dtype} of shape {self.window_xyxy.shape}"
            raise ValueError(f"window_xyxy must be int32 (4,), got {got}.")
        x0, y0, x1, y1 = self.window_xyxy.tolist()
        if not (0 <= x0 < x1 and 0 <= y0 < y1):
            raise ValueError(f"window_xyxy must have 0 <= x0 < x1 and 0 <= y0 < y1, got {[x0, y0, x1, y1]}.")
        if self.vertex.shape != (y1 - y0, x1 - x0) or self.vertex.dtype != np.int32:
            raise ValueError(
                f"vertex must be int32 of shape {(y1 - y0, x1 - x0)} like its window, got {self.vertex.dtype} of shape"
                f" {self.vertex.shape}."
            )
        if self.maps.ndim != 3 or self.maps.shape[1] != self.maps.shape[2] or self.maps.dtype != np.float32:
            raise ValueError(f"maps must be float32 (D, S, S), got {self.maps.dtype} of shape {self.maps.shape}.")

    @property
    def window(self) -> tuple[slice, slice]:
        """Return the rows and columns of the window."""
        x0, y0, x1, y1 = self.window_xyxy.tolist()
        return slice(y0, y1), slice(x0, x1)

    def vertex_in_photo(self, size_hw: tuple[int, int]) -> np.ndarray:
        """Return the vertex (H, W) int32 of each pixel of the photo, NO_VERTEX where the person is not seen."""
        whole = np.full(size_hw, NO_VERTEX, np.int32)
        whole[self.window] = self.vertex
        return whole

    def at_pixels(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the embeddings (P, D) float32 of the pixels in columns x (P,) and rows y (P,), bilinear between the
        cells' centres; beyond the outer centres the outer cell's."""
        cells = self.maps.shape[-1]
        low, size = self.window_xyxy[:2], self.window_xyxy[2:] - self.window_xyxy[:2]
        at = (np.stack([x, y], axis=1) + 0.5 - low) / size * cells - 0.5  # (P, 2), in cells from the first one's centre
        at = np.clip(at, 0, cells - 1)
        first = at.astype(np.int64)
        weights, ends = (at - first).astype(np.float32), np.minimum(first + 1, cells - 1)

        def row_of(row: np.ndarray) -> np.ndarray:
            left, right = (self.maps[:, row, column].T for column in (first[:, 0], ends[:, 0]))
            return left + weights[:, :1] * (right - left)

        upper, lower = row_of(first[:, 1]), row_of(ends[:, 1])
        return upper + weights[:, 1:] * (lower - upper)
