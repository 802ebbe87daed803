"""Features of the frozen encoder, computed once and kept on disk as float16.

Letters: N images or crops, C channels, H x W pixels, R regions, P cells of a region's side.
"""

import copy
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import roi_align

from opendensepose.models import load_checkpoint
from opendensepose.models.checkpoints.checkpoint import weights_path
from opendensepose.models.fold_norms import fold_norms

CHANNELS = (40, 80, 160, 256)  # of the default model's encoder at the strides below
STRIDES = (4, 8, 16, 32)
CELLS = 14  # of a pooled region's side
SAMPLES = 2  # per cell and axis
NECK_CHANNELS = 64
CHANNELS_PER_GROUP = 8


class FrozenEncoder(nn.Module):
    """The encoder of the default model: images (N, 3, H, W), RGB 0..255 -> features at strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        backbone = fold_norms(copy.deepcopy(load_checkpoint(weights_path("default")).model.backbone).eval())
        self.stem, self.stages = backbone.stem, backbone.encoder
        self.requires_grad_(False).to(memory_format=torch.channels_last)

    @torch.no_grad()
    def forward(self, images: Tensor) -> list[Tensor]:
        x, levels = self.stem((images.float() - 127.0) / 128.0), []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        return levels


class Neck(nn.Module):
    """All levels, brought to the same cells and joined, (N, 536, h, w) -> (N, 64, h, w). What a feature pyramid is to
    R-CNN; the FCN has the same one."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(sum(CHANNELS), NECK_CHANNELS, 1, bias=False)
        self.norm = nn.GroupNorm(NECK_CHANNELS // CHANNELS_PER_GROUP, NECK_CHANNELS)
        nn.init.kaiming_normal_(self.mix.weight, nonlinearity="relu")

    def forward(self, joined: Tensor) -> Tensor:
        return F.relu(self.norm(self.mix(joined)))


class PooledRegions(Neck):
    """The neck of region networks, in the place of `PyramidDecoder`; regions are pooled already."""

    def regions(self, pooled: Sequence[Tensor], boxes: Sequence[Tensor], cells: int) -> Tensor:
        """The features (R, 64, P, P) of pooled regions [(R, 536, P, P)]."""
        return self(pooled[0])


def at_stride_8(levels: Sequence[Tensor]) -> Tensor:
    """Join the levels of images: (N, 536, H / 8, W / 8). Stride 4 is averaged, coarser ones are interpolated."""
    hw = levels[1].shape[-2:]
    up = (F.interpolate(one, hw, mode="bilinear", align_corners=False) for one in levels[2:])
    return torch.cat([F.avg_pool2d(levels[0], 2), levels[1], *up], dim=1)


def pooled(levels: Sequence[Tensor], boxes: Tensor) -> Tensor:
    """Pool boxes (R, 4) of one image from all its levels (1, C, h, w): (R, 536, P, P)."""
    rois = torch.cat([boxes.new_zeros(len(boxes), 1), boxes], dim=1)
    each = zip(levels, STRIDES, strict=True)
    return torch.cat([roi_align(one, rois, CELLS, 1 / stride, SAMPLES, True) for one, stride in each], dim=1)


def cached(path: Path, shape: tuple[int, ...], blocks: Callable[[], Sequence[np.ndarray]]) -> np.ndarray:
    """The array of a file, float16, mapped into memory; made of blocks, one after another, if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        array, row = np.lib.format.open_memmap(part, "w+", np.float16, shape), 0
        for block in blocks():
            array[row : row + len(block)] = block
            row += len(block)
        assert row == len(array), (row, shape)
        array.flush()
        os.replace(part, path)
    return np.load(path, mmap_mode="r")


def as_tensor(array: np.ndarray) -> Tensor:
    """A copy as float32."""
    return torch.from_numpy(np.asarray(array, np.float32))
