"""Photo -> people with an embedding network: which vertex of the mesh each pixel shows.

Letters: P pixels of a person, D dimensions of the embeddings, M vertices, S cells of a region's side, h x w pixels of a
box.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.instance import Instance
from opendensepose.iuv import empty_iuv
from opendensepose.models.outputs import EmbeddingOutput
from opendensepose.models.rcnn.decode import PreparedRCNN, whole_pixels
from opendensepose.surface import NO_VERTEX, SurfaceEmbedding

__all__ = ["PreparedEmbeddingRCNN", "decode_vertices", "nearest_vertices"]

DISTANCES_AT_ONCE = 2**22  # 16 MB


def nearest_vertices(pixels: Tensor, vertices: Tensor) -> Tensor:
    """Find the vertex (P,) int64 whose embedding is nearest to each pixel's, the first of equals.

    pixels (P, D), vertices (M, D). Of |p - v|^2 = |p|^2 - 2 p.v + |v|^2 the first term is the same for all vertices.
    """
    half_square = vertices.square().sum(1) / 2
    chunk = max(1, DISTANCES_AT_ONCE // len(vertices))
    found = [torch.addmm(half_square, part, vertices.T, alpha=-1).argmin(1) for part in pixels.split(chunk)]
    return torch.cat(found)


def decode_vertices(output: EmbeddingOutput, vertices: Tensor, size_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the vertex (h, w) int64 that each of h x w pixels of one region shows, NO_VERTEX on background, and the
    probability (h, w) of not being background, 0 there. output: of one region, without the batch axis."""
    coarse, embedding = (
        F.interpolate(maps[None].float(), size_hw, mode="bilinear", align_corners=False)[0] for maps in output
    )  # (2, h, w) and (D, h, w)
    person = coarse[1] > coarse[0]
    vertex = torch.full(size_hw, NO_VERTEX, dtype=torch.int64, device=person.device)
    vertex[person] = nearest_vertices(embedding[:, person].T, vertices)
    return vertex, coarse.softmax(0)[1] * person


class PreparedEmbeddingRCNN(PreparedRCNN):
    """An EmbeddingRCNN as a `PreparedNetwork`: each person has an embedding, and no charts."""

    @torch.no_grad()
    def __init__(self, network: nn.Module):
        super().__init__(network)
        self.vertices, self.mesh = network.embedder(), network.mesh  # (M, D)

    @property
    def num_vertices(self) -> int:
        """Return M, the size of the mesh."""
        return len(self.vertices)

    def instance(self, output: tuple, box: np.ndarray, score: float, size_hw: tuple[int, int]) -> Instance:
        """Put the region's vertices where its box, in whole pixels, lies in the photo."""
        x0, y0, width, height = whole_pixels(box)
        found, probability = decode_vertices(EmbeddingOutput(*output), self.vertices, (height, width))
        window_xyxy = np.array([x0, y0, x0 + width, y0 + height], np.int32)
        maps = np.array(output[1].float().cpu(), order="C")  # not a view of all regions'
        embedding = SurfaceEmbedding(self.mesh, window_xyxy, found.to(torch.int32).cpu().numpy(), maps)
        confidence = np.zeros(size_hw, np.float32)
        confidence[embedding.window] = probability.cpu().numpy()
        return Instance(box, score, empty_iuv(size_hw), confidence, embedding)
