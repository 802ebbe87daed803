"""The networks of a model as other runtimes run them: images in as they lie in memory, raw outputs out.

Letters: N images or crops, H x W their size in pixels.
"""

from torch import Tensor, nn

from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite
from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput

__all__ = ["Detect", "Label"]


class Detect(nn.Module):
    """Photos (N, H, W, 3) uint8 RGB, sides in whole strides of 32 -> a DetectionOutput, see `Runtime.detect`."""

    output_names = DetectionOutput._fields
    example_hw = (64, 96)

    def __init__(self, model: DensePoseLite):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.model.detect(image.permute(0, 3, 1, 2)))


class Label(nn.Module):
    """Crops (N, H, W, 3) uint8 RGB, sides in whole strides of 4 -> a DenseOutput, see `Runtime.label`."""

    output_names = DenseOutput._fields
    example_hw = (64, 48)

    def __init__(self, model: DensePoseLite):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.model.label(image.permute(0, 3, 1, 2)))
