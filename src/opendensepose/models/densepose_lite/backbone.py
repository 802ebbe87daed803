"""The shared encoder-decoder: dense 3x3 residual blocks down to stride 32, a U-shaped way back to stride 4.

Letters: N images, H x W input size, C channels.

Dense convolutions with batch norm, since depthwise ones are slow to
train on a CPU. Sources: residual blocks (He et al., CVPR 2016), lateral connections (Lin et al., CVPR 2017), global
context (Liu et al., ParseNet, 2015).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Backbone", "Pyramid", "ResidualBlock", "conv_norm_relu"]

NORM_MOMENTUM = 0.02  # batches of crops and of whole photos alternate: average the statistics over about 50 of them


class Pyramid(NamedTuple):
    """Decoder features, and the encoder's deepest ones. `stride4` is None when the decoder was stopped at stride 8."""

    stride4: Tensor | None  # (N, widths[0], H/4, W/4)
    stride8: Tensor  # (N, widths[1], H/8, W/8)
    pooled: Tensor  # (N, widths[3]), mean over the cells at stride 32


def conv_norm_relu(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution without bias, batch norm, ReLU; padded so that only the stride changes the size."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels, momentum=NORM_MOMENTUM),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))), both convolutions 3x3 of the same width."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = conv_norm_relu(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels, momentum=NORM_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))), inplace=True)


def _stage(in_channels: int, out_channels: int, depth: int) -> nn.Sequential:
    blocks = [ResidualBlock(out_channels) for _ in range(depth)]
    return nn.Sequential(conv_norm_relu(in_channels, out_channels, stride=2), *blocks)


class Backbone(nn.Module):
    """Image -> decoder features at strides 4 and 8.

    widths, depths: channels and residual blocks of the encoder at strides 4, 8, 16, 32. The decoder has one block per
    stride.
    """

    def __init__(self, widths: tuple[int, ...] = (48, 96, 192, 288), depths: tuple[int, ...] = (1, 2, 3, 2)):
        super().__init__()
        if len(widths) != 4 or len(depths) != 4:
            raise ValueError(f"widths and depths need 4 numbers each (strides 4 to 32), got {widths} and {depths}.")
        self.widths = tuple(widths)
        self.stem = conv_norm_relu(3, widths[0] // 2, stride=2)
        self.encoder = nn.ModuleList(
            _stage(before, width, depth)
            for before, width, depth in zip((widths[0] // 2, *widths[:-1]), widths, depths, strict=True)
        )
        self.context = nn.Linear(widths[-1], widths[-1])
        self.lateral = nn.ModuleList(
            conv_norm_relu(width + below, width, kernel=1) for width, below in zip(widths[:-1], widths[1:], strict=True)
        )
        self.decoder = nn.ModuleList(ResidualBlock(width) for width in widths[:-1])

    def forward(self, image: Tensor, to_stride: int = 4) -> Pyramid:
        """image (N, 3, H, W) float, scaled to about [-1, 1]. to_stride 8 leaves out the costly last step."""
        skips, x = [], self.stem(image)  # stride 2
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)  # strides 4, 8, 16, 32
        x = F.relu(x + self.context(x.mean(dim=(2, 3)))[:, :, None, None])
        pooled = x.mean(dim=(2, 3))
        x = self._up(x, skips[2], level=2)  # stride 16
        stride8 = self._up(x, skips[1], level=1)
        stride4 = self._up(stride8, skips[0], level=0) if to_stride == 4 else None
        return Pyramid(stride4, stride8, pooled)

    def _up(self, below: Tensor, skip: Tensor, level: int) -> Tensor:
        below = F.interpolate(below, size=skip.shape[-2:], mode="bilinear", align_corners=False)
        return self.decoder[level](self.lateral[level](torch.cat([skip, below], dim=1)))
