"""Networks: what they are made of, their losses, how their output is read, and the files that hold them."""

from opendensepose.models.checkpoints.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, weights_path
from opendensepose.models.densepose_lite.decode import average_with_mirrored, decode_crop, decode_pixels
from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite
from opendensepose.models.densepose_lite.losses import dense_losses, detection_losses
from opendensepose.models.densepose_lite.network import (
    Backbone,
    DenseHead,
    DenseOutput,
    DetectionHead,
    DetectionOutput,
    Pyramid,
    ResidualBlock,
    decode_boxes,
)
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
