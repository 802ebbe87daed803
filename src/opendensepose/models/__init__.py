"""Networks: what they are made of, their losses, how their output is read, and the files that hold them.

The names below are imported when first used: most need torch, which prediction with other libraries does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opendensepose.models.checkpoints.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, weights_path
    from opendensepose.models.densepose_lite.boxes import decode_boxes
    from opendensepose.models.densepose_lite.decode import average_with_mirrored, decode_crop, decode_pixels
    from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite
    from opendensepose.models.densepose_lite.losses import dense_losses, detection_losses
    from opendensepose.models.densepose_lite.network import (
        Backbone,
        DenseHead,
        DetectionHead,
        Pyramid,
        ResidualBlock,
    )
    from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput
    from opendensepose.models.prediction import Network, PreparedNetwork
    from opendensepose.models.zoo import build_model

__all__ = [
    "Backbone",
    "Checkpoint",
    "DenseHead",
    "DenseOutput",
    "DensePoseLite",
    "DetectionHead",
    "DetectionOutput",
    "Network",
    "PreparedNetwork",
    "Pyramid",
    "ResidualBlock",
    "average_with_mirrored",
    "build_model",
    "decode_boxes",
    "decode_crop",
    "decode_pixels",
    "dense_losses",
    "detection_losses",
    "load_checkpoint",
    "save_checkpoint",
    "weights_path",
]

_HOME = {
    "Backbone": "densepose_lite.network",
    "Checkpoint": "checkpoints.checkpoint",
    "DenseHead": "densepose_lite.network",
    "DenseOutput": "densepose_lite.outputs",
    "DensePoseLite": "densepose_lite.densepose_lite",
    "DetectionHead": "densepose_lite.network",
    "DetectionOutput": "densepose_lite.outputs",
    "Network": "prediction",
    "PreparedNetwork": "prediction",
    "Pyramid": "densepose_lite.network",
    "ResidualBlock": "densepose_lite.network",
    "average_with_mirrored": "densepose_lite.decode",
    "build_model": "zoo",
    "decode_boxes": "densepose_lite.boxes",
    "decode_crop": "densepose_lite.decode",
    "decode_pixels": "densepose_lite.decode",
    "dense_losses": "densepose_lite.losses",
    "detection_losses": "densepose_lite.losses",
    "load_checkpoint": "checkpoints.checkpoint",
    "save_checkpoint": "checkpoints.checkpoint",
    "weights_path": "checkpoints.checkpoint",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
