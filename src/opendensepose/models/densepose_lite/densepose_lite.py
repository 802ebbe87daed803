"""DensePoseLite, the default model: a person detector and a crop labeller that share one small backbone."""

from torch import Tensor, nn

from opendensepose.models.densepose_lite.backbone import Backbone, Pyramid
from opendensepose.models.densepose_lite.dense_head import DenseHead, DenseOutput
from opendensepose.models.densepose_lite.detection_head import DetectionHead, DetectionOutput
from opendensepose.models.densepose_lite.prediction import PreparedDensePoseLite
from opendensepose.models.prediction import PreparedNetwork

__all__ = ["DensePoseLite"]


class DensePoseLite(nn.Module):
    """Backbone with a detection head, run on whole photos, and a dense head, run on a crop of each person.

    widths, depths: see Backbone. Images are (N, 3, H, W), values 0..255 in any number type, RGB. crop_hw: height and
    width of the crops that are labelled; refine_hw: of those that only tighten the person's box, None: the same.
    detect_sides: people are detected in the photo scaled to each of these longer sides: the first is the one that the
    detector was trained on, a smaller one is for people who fill the photo, a larger one for small people. min_score:
    see PreparedNetwork. quality_channels: see DenseHead, 0 in version 0.1.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (48, 96, 192, 288),
        depths: tuple[int, ...] = (1, 2, 3, 2),
        dense_channels: int = 96,
        detection_channels: int = 64,
        crop_hw: tuple[int, int] = (192, 144),
        detect_sides: tuple[int, ...] = (256, 160, 384),
        min_score: float = 0.45,
        quality_channels: int = 0,
        refine_hw: tuple[int, int] | None = None,
    ):
        super().__init__()
        self.crop_hw, self.refine_hw = tuple(crop_hw), tuple(refine_hw or crop_hw)
        self.detect_sides, self.min_score = tuple(detect_sides), min_score
        self.backbone = Backbone(widths, depths)
        self.dense_head = DenseHead(widths[0], dense_channels, widths[3], quality_channels)
        self.detection_head = DetectionHead(widths[1], detection_channels)

    def detect(self, image: Tensor) -> DetectionOutput:
        """Whole photos -> where people are."""
        return self.detection_head(self.backbone(scaled(image, self), to_stride=8).stride8)

    def label(self, image: Tensor) -> DenseOutput:
        """Crops that each frame one person -> that person's charts, U, V and confidence."""
        pyramid = self.backbone(scaled(image, self))
        return self.dense_head(pyramid.stride4, pyramid.pooled)

    def forward(self, image: Tensor) -> tuple[DenseOutput, DetectionOutput, Pyramid]:
        """Both at once, and the features below them, as training on crops needs them."""
        pyramid = self.backbone(scaled(image, self))
        return self.dense_head(pyramid.stride4, pyramid.pooled), self.detection_head(pyramid.stride8), pyramid

    def prepare(self, mirrored: bool = True, refine: bool = True) -> PreparedNetwork:
        """Make a copy ready for prediction. mirrored: average the labels of each crop with those of its mirror image.
        refine: label a first crop only to tighten the box."""
        return PreparedDensePoseLite(self, mirrored, refine)


def scaled(image: Tensor, model: nn.Module) -> Tensor:
    """0..255 to about [-1, 1] in the model's number type; grey 127 becomes 0."""
    return (image.to(next(model.parameters()).dtype) - 127.0) / 128.0
