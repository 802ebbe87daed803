"""Resizing of pictures held as torch tensors: OpenCV on the CPU (several times faster there), torch on CUDA."""

from collections.abc import Sequence

import cv2
import torch
import torch.nn.functional as F

__all__ = ["resize"]

CV2_MODES = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}


def resize(image: torch.Tensor, size_hw: Sequence[int], mode: str = "bilinear") -> torch.Tensor:
    """Resize (h, w, 3), uint8 or float32, to (H, W, 3) float32; pixel centres at +0.5. uint8 keeps its 0 to 255."""
    height, width = (int(s) for s in size_hw)
    if image.device.type == "cpu":
        return torch.from_numpy(cv2.resize(image.numpy(), (width, height), interpolation=CV2_MODES[mode])).float()
    return resize_in_torch(image, (height, width), mode)


def resize_in_torch(image: torch.Tensor, size_hw: Sequence[int], mode: str) -> torch.Tensor:
    """The same on any device."""
    planes = image.permute(2, 0, 1)[None].float()
    options = {"align_corners": False} if mode in ("bilinear", "bicubic") else {}
    return F.interpolate(planes, size_hw, mode=mode, **options)[0].permute(1, 2, 0).contiguous()
