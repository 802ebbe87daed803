"""Continuous surface embeddings: pixels and a mesh's vertices in one space, where a pixel lies near what it shows.

Letters: R regions, C channels, P cells of a pooled region's side, S = 4 P cells of its outputs' side, D dimensions of
the space, M vertices, F features of a vertex.
Source: Neverova et al., Continuous Surface Embeddings, NeurIPS 2020; in the form of detectron2's DensePose, whose
weights it takes.
"""

from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.models.outputs import EmbeddingOutput
from opendensepose.models.prediction import PreparedNetwork
from opendensepose.models.rcnn.densepose_rcnn import DensePoseRCNN, build_densepose_rcnn
from opendensepose.models.rcnn.detector import Detections, Detector
from opendensepose.models.rcnn.vertices import PreparedEmbeddingRCNN

__all__ = ["EmbeddingPredictor", "EmbeddingRCNN", "VertexEmbedder", "build_embedding_rcnn"]

SHORTEST = 1e-6  # vectors shorter than this are not lengthened to 1


class EmbeddingPredictor(nn.Module):
    """Features (R, C, P, P) -> EmbeddingOutput: one transposed convolution per output, then bilinear doubling."""

    def __init__(self, channels: int = 512, dimensions: int = 16):
        super().__init__()
        widths = {"coarse": 2, "embedding": dimensions}
        self.layers = nn.ModuleDict(
            {name: nn.ConvTranspose2d(channels, width, 4, stride=2, padding=1) for name, width in widths.items()}
        )
        for layer in self.layers.values():
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> EmbeddingOutput:
        coarse, embedding = (
            F.interpolate(layer(x), scale_factor=2, mode="bilinear", align_corners=False)
            for layer in self.layers.values()
        )
        return EmbeddingOutput(coarse, embedding)


class VertexEmbedder(nn.Module):
    """The vertices' embeddings (M, D), each of length 1: a linear function of the vertices' features (the mesh's
    Laplace-Beltrami eigenfunctions), or learned for each vertex where num_features is None."""

    def __init__(self, num_vertices: int, num_features: int | None = 256, dimensions: int = 16):
        super().__init__()
        self.features: Tensor | None
        self.register_buffer("features", None if num_features is None else torch.randn(num_vertices, num_features))
        self.embeddings = nn.Parameter(torch.randn(num_features or num_vertices, dimensions))

    def forward(self) -> Tensor:
        vertices = self.embeddings if self.features is None else self.features @ self.embeddings
        return F.normalize(vertices, dim=1, eps=SHORTEST)


class EmbeddingRCNN(Detector):
    """Images -> people and the embeddings of their pixels; made of the parts that `build_embedding_rcnn` chooses.

    rcnn: the network whose detector and head become this one's. mesh: the name of the mesh whose vertices the embedder
    embeds.
    """

    def __init__(self, rcnn: DensePoseRCNN, predictor: EmbeddingPredictor, embedder: VertexEmbedder, mesh: str):
        super().__init__(
            rcnn.resnet, rcnn.pyramid, rcnn.proposals, rcnn.box_head, rcnn.decoder, rcnn.cells, rcnn.short_side,
            rcnn.long_side,
        )  # fmt: skip
        self.head, self.predictor, self.embedder, self.mesh = rcnn.head, predictor, embedder, mesh

    def forward(
        self, images: list[Tensor], boxes: list[Tensor] | None = None, min_score: float = 0.05
    ) -> tuple[list[Detections], EmbeddingOutput]:
        """Images (3, H, W), RGB 0..255 -> people of each image, and the embeddings of all of them (R, ...), in order.

        boxes (K, 4) per image: embed these, in their order with scores of 1, instead of searching.
        """
        pyramid, found = self.find(images, boxes, min_score)
        return found, self.predictor(self.head(self.regions(pyramid, [one.boxes for one in found])))

    def losses(self, *_: object) -> NoReturn:
        """Refuse: only detectron2's own training makes such networks."""
        raise ValueError("an embedding_rcnn cannot be trained here: it is for prediction with detectron2's weights.")

    def prepare(self, mirrored: bool = True, refine: bool = True) -> PreparedNetwork:
        """Make a copy ready for prediction; mirrored and refine change nothing."""
        return PreparedEmbeddingRCNN(self)


def build_embedding_rcnn(
    mesh: str = "smpl_27554",
    num_vertices: int = 27554,
    vertex_features: int | None = 256,
    dimensions: int = 16,
    **kwargs: Any,
) -> EmbeddingRCNN:
    """Build an EmbeddingRCNN with random weights.

    mesh: its name. num_vertices, vertex_features: see VertexEmbedder. dimensions: of the space. kwargs: of
    `build_densepose_rcnn`, less those of its predictor; ValueError for these.
    """
    foreign = [name for name in ("coarse_classes", "uv_confidence", "mask_confidence") if name in kwargs]
    if foreign:
        raise ValueError(f"embedding_rcnn has no charts, and so no {foreign[0]}.")
    rcnn = build_densepose_rcnn(**kwargs)
    predictor = EmbeddingPredictor(rcnn.predictor.sizes[0], dimensions)
    return EmbeddingRCNN(rcnn, predictor, VertexEmbedder(num_vertices, vertex_features, dimensions), mesh)
