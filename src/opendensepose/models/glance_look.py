"""The default model: one small network used twice. A glance at the whole photo finds people, a look at each labels
it."""

from torch import Tensor, nn

from opendensepose.models.backbone import Backbone, Pyramid
from opendensepose.models.dense_head import DenseHead, DenseOutput
from opendensepose.models.detection_head import DetectionHead, DetectionOutput

__all__ = ["GlanceLook"]


class GlanceLook(nn.Module):
    """Backbone with a detection head (`glance`) and a dense head (`look`).

    widths, depths: see Backbone. Images are (N, 3, H, W), values 0..255 in any number type, RGB. look_hw: size (height,
    width) of the crops that `look` labels; first_look_hw: of those in which it only finds a tighter box, None: the
    same. glance_side: the longer side of photos that `glance` was trained on; near_glance_side, far_glance_side: those
    of further glances, for people who fill the photo and for small ones. min_score: below it a person found is better
    dropped. quality_channels: see DenseHead, 0 in version 0.1.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (48, 96, 192, 288),
        depths: tuple[int, ...] = (1, 2, 3, 2),
        dense_channels: int = 96,
        detection_channels: int = 64,
        look_hw: tuple[int, int] = (192, 144),
        glance_side: int = 256,
        near_glance_side: int | None = 160,
        far_glance_side: int | None = 384,
        min_score: float = 0.45,
        quality_channels: int = 0,
        first_look_hw: tuple[int, int] | None = None,
    ):
        super().__init__()
        self.look_hw, self.first_look_hw = tuple(look_hw), tuple(first_look_hw or look_hw)
        self.glance_side, self.min_score = glance_side, min_score
        self.near_glance_side, self.far_glance_side = near_glance_side, far_glance_side
        self.backbone = Backbone(widths, depths)
        self.dense_head = DenseHead(widths[0], dense_channels, widths[3], quality_channels)
        self.detection_head = DetectionHead(widths[1], detection_channels)

    def glance(self, image: Tensor) -> DetectionOutput:
        """Whole photos -> where people are."""
        return self.detection_head(self.backbone(scaled(image, self), to_stride=8).stride8)

    def look(self, image: Tensor) -> DenseOutput:
        """Crops that each frame one person -> that person's charts, U, V and confidence."""
        pyramid = self.backbone(scaled(image, self))
        return self.dense_head(pyramid.stride4, pyramid.pooled)

    def forward(self, image: Tensor) -> tuple[DenseOutput, DetectionOutput, Pyramid]:
        """Both at once, and the features below them, as training on crops needs them."""
        pyramid = self.backbone(scaled(image, self))
        return self.dense_head(pyramid.stride4, pyramid.pooled), self.detection_head(pyramid.stride8), pyramid


def scaled(image: Tensor, model: nn.Module) -> Tensor:
    """0..255 to about [-1, 1] in the model's number type; grey 127 becomes 0."""
    return (image.to(next(model.parameters()).dtype) - 127.0) / 128.0
