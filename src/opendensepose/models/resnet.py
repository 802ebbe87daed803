"""Residual networks (He et al., CVPR 2016) as detectron2 lays them out, so that its weights fit name by name.

Letters: N images, H x W input size.

torchvision's ResNet has the stride of a bottleneck in its 3x3 convolution; the official DensePose weights come from
MSRA's, where it is in the first 1x1 convolution.
"""

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops.misc import FrozenBatchNorm2d

__all__ = ["DEPTHS", "BasicBlock", "BottleneckBlock", "NormedConv", "ResNet"]

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
NORM_GROUPS = 32


def _group_norm(channels: int) -> nn.Module:
    return nn.GroupNorm(NORM_GROUPS, channels)


NORMS = {"frozen": FrozenBatchNorm2d, "batch": nn.BatchNorm2d, "group": _group_norm}


class NormedConv(nn.Conv2d):
    """A convolution that keeps its normalisation, or None, as `norm`; padded so that only the stride changes the
    size."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        norm: nn.Module | None = None,
        dilation: int = 1,
    ):
        padding = kernel // 2 * dilation
        super().__init__(in_channels, out_channels, kernel, stride, padding, dilation, bias=norm is None)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return x if self.norm is None else self.norm(x)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: ResNet-18 and 34."""

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        width: int,
        stride: int,
        norm: type[nn.Module],
        stride_in_1x1: bool,
        dilation: int = 1,
    ):
        super().__init__()
        self.conv1 = NormedConv(in_channels, width, 3, stride, norm(width), dilation)
        self.conv2 = NormedConv(width, width, 3, 1, norm(width), dilation)
        self.shortcut = _shortcut(in_channels, width, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv2(F.relu(self.conv1(x), inplace=True))
        return F.relu(out.add_(x if self.shortcut is None else self.shortcut(x)), inplace=True)


class BottleneckBlock(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut: ResNet-50 and deeper."""

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        width: int,
        stride: int,
        norm: type[nn.Module],
        stride_in_1x1: bool,
        dilation: int = 1,
    ):
        super().__init__()
        strides = (stride, 1) if stride_in_1x1 else (1, stride)
        self.conv1 = NormedConv(in_channels, width, 1, strides[0], norm(width))
        self.conv2 = NormedConv(width, width, 3, strides[1], norm(width), dilation)
        self.conv3 = NormedConv(width, 4 * width, 1, 1, norm(4 * width))
        self.shortcut = _shortcut(in_channels, 4 * width, stride, norm)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.conv1(x), inplace=True)
        out = self.conv3(F.relu(self.conv2(out), inplace=True))
        return F.relu(out.add_(x if self.shortcut is None else self.shortcut(x)), inplace=True)


def _shortcut(in_channels: int, out_channels: int, stride: int, norm: type[nn.Module]) -> NormedConv | None:
    if in_channels == out_channels and stride == 1:
        return None
    return NormedConv(in_channels, out_channels, 1, stride, norm(out_channels))


class Stem(nn.Module):
    """Image -> stride 4."""

    def __init__(self, norm: type[nn.Module], width: int = 64):
        super().__init__()
        self.conv1 = NormedConv(3, width, 7, 2, norm(width))

    def forward(self, image: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(self.conv1(image), inplace=True), 3, stride=2, padding=1)


class ResNet(nn.Module):
    """Image (N, 3, H, W) -> features at strides 4, 8, 16 and 32, `channels` channels each.

    depth: 18, 34, 50, 101 or 152. norm: "frozen" batch norm, for weights that come with their statistics, or "batch" or
    "group", to learn from scratch; the latter takes each image by itself. max_stride: 8 or 16 to have no coarser
    features than that; the taps of the 3x3 convolutions behind lie farther apart instead ("dilated", Chen et al.,
    DeepLab, 2015). width: channels of the stem and of the first stage's 3x3 convolutions; 64 but for thin networks.
    """

    def __init__(
        self, depth: int = 50, norm: str = "frozen", stride_in_1x1: bool = True, max_stride: int = 32, width: int = 64
    ):
        super().__init__()
        if depth not in DEPTHS or norm not in NORMS:
            raise ValueError(
                f"a ResNet has depth {', '.join(map(str, DEPTHS))} and norm {' or '.join(NORMS)},"
                f" got {depth} and {norm!r}."
            )
        if max_stride not in (8, 16, 32):
            raise ValueError(f"max_stride is 8, 16 or 32, got {max_stride}.")
        block = BasicBlock if depth < 50 else BottleneckBlock
        self.channels = tuple(width * 2**stage * block.expansion for stage in range(4))
        self.stem = Stem(NORMS[norm], width)
        before = (width, *self.channels[:-1])
        for stage, (num_blocks, in_channels) in enumerate(zip(DEPTHS[depth], before, strict=True)):
            inner, dilation = width * 2**stage, max(1, 2 ** (stage + 2) // max_stride)
            more = (NORMS[norm], stride_in_1x1, dilation)
            first = block(in_channels, inner, 1 if stage == 0 or dilation > 1 else 2, *more)
            rest = [block(self.channels[stage], inner, 1, *more) for _ in range(num_blocks - 1)]
            self.add_module(f"res{stage + 2}", nn.Sequential(first, *rest))

    def forward(self, image: Tensor) -> list[Tensor]:
        x, features = self.stem(image), []
        for stage in (self.res2, self.res3, self.res4, self.res5):
            x = stage(x)
            features.append(x)
        return features
