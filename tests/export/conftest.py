"""A small network with random weights, as a checkpoint."""

import pytest
import torch

from opendensepose.models.checkpoints.checkpoint import save_checkpoint
from opendensepose.models.zoo import build_model

TINY = {
    "widths": (8, 12, 16, 24),
    "depths": (0, 1, 0, 0),
    "dense_channels": 8,
    "detection_channels": 8,
    "quality_channels": 4,
    "crop_hw": (64, 48),
    "refine_hw": (32, 24),
    "detect_sides": (96, 64),
    "min_score": 0.05,
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The checkpoint's file, in float16 as the released one is; norms with statistics as after training."""
    torch.manual_seed(3)
    model = build_model("densepose_lite", **TINY)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
    path = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    save_checkpoint(path, model, "densepose_lite", TINY, dtype=torch.float16)
    return path
