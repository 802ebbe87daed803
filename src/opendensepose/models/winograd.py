"""3x3 convolutions with a quarter of the multiplications, for prediction on a CPU.

Letters: N images, C channels in, O out, H x W size, T tiles of 4 x 4 output pixels.
Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016: F(4x4, 3x3). A 6 x 6 patch of the
input becomes 36 numbers per channel, on each of which the convolution is a matrix product over channels; 4 x 4 outputs
come back. Worth it where channels are many; the result differs by about 1e-4 of its standard deviation.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

__all__ = ["WinogradConv", "with_winograd"]

INPUT = ((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0),
         (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0), (0, 4, 0, -5, 0, 1))  # fmt: skip
KERNEL = ((6, 0, 0), (-4, -4, -4), (-4, 4, -4), (1, 2, 4), (1, -2, 4), (0, 0, 24))  # 24ths
OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
MIN_CHANNELS = 256
TILES_OF_ROWS, TILES_OF_IMAGES = 168, 512  # in one go, so that they stay in the processor's cache


class WinogradConv(nn.Module):
    """A 3x3 convolution with stride 1 and padding 1, computed by tiles, followed by its `norm` if it has one."""

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        kernel = torch.tensor(KERNEL, dtype=torch.float64) / 24
        spectra = torch.einsum("ia,ocab,jb->ijco", kernel, conv.weight.detach().double(), kernel)
        self.norm = getattr(conv, "norm", None)
        for name, value in {
            "spectra": spectra.flatten(0, 1),  # (36, C, O)
            "bias": torch.zeros(conv.out_channels) if conv.bias is None else conv.bias.detach(),
            "to_spectrum": _both_ways(INPUT),  # (36, 36)
            "from_spectrum": _both_ways(OUTPUT),  # (16, 36)
        }.items():
            self.register_buffer(name, value.float().contiguous())

    def forward(self, x: Tensor) -> Tensor:
        num, _, height, width = x.shape
        down, across, out = -(-height // 4), -(-width // 4), len(self.bias)  # tiles
        padded = _framed(x, 4 * down + 2, 4 * across + 2)
        y = x.new_empty(num, down, 4, across, 4, out)
        of_image, of_row, of_pixel, _ = padded.stride()
        for images, rows in _parts(num, down, across):
            part = padded[images, 4 * rows.start :]
            tiles = (images.stop - images.start, rows.stop - rows.start, across)
            patches = part.as_strided(
                (6, 6, *tiles, x.shape[1]), (of_row, of_pixel, of_image, 4 * of_row, 4 * of_pixel, 1)
            ).reshape(36, -1)
            spectrum = (self.to_spectrum @ patches).view(36, -1, x.shape[1])  # (36, T, C)
            spectrum = torch.bmm(spectrum, self.spectra).view(36, -1)  # (36, T O)
            pixels = (self.from_spectrum @ spectrum).view(4, 4, *tiles, out).add_(self.bias)
            y[images, rows] = pixels.permute(2, 3, 0, 4, 1, 5)
        y = y.view(num, 4 * down, 4 * across, out)[:, :height, :width].permute(0, 3, 1, 2)
        return y if self.norm is None else self.norm(y)


def _framed(x: Tensor, height: int, width: int) -> Tensor:
    """(N, C, H, W) -> (N, height, width, C): one pixel of zeros at the top and left, the rest at the bottom and
    right."""
    framed = x.new_empty(len(x), height, width, x.shape[1])
    bottom, right = x.shape[2] + 1, x.shape[3] + 1
    framed[:, 1:bottom, 1:right] = x.permute(0, 2, 3, 1)
    for edge in (framed[:, :1], framed[:, bottom:], framed[:, 1:bottom, :1], framed[:, 1:bottom, right:]):
        edge.zero_()
    return framed


def _both_ways(matrix: tuple[tuple[int, ...], ...]) -> Tensor:
    """Return the transform of rows and of columns as one matrix on flattened tiles."""
    one_way = torch.tensor(matrix, dtype=torch.float64)
    return torch.kron(one_way, one_way)


def _parts(num: int, down: int, across: int) -> Iterator[tuple[slice, slice]]:
    """Yield slices of images and of rows of tiles that are computed together: several small images, or a part of a
    large one."""
    if down * across <= TILES_OF_IMAGES:
        parts = -(-num * down * across // TILES_OF_IMAGES)
        edges = [num * k // parts for k in range(parts + 1)] if num else [0]
        for first, last in zip(edges[:-1], edges[1:], strict=True):
            yield slice(first, last), slice(0, down)
    else:
        step = max(1, TILES_OF_ROWS // across)
        for image in range(num):
            for row in range(0, down, step):
                yield slice(image, image + 1), slice(row, min(row + step, down))


def with_winograd(module: nn.Module) -> nn.Module:
    """Replace those convolutions inside the module that gain by it. Changes the module, returns it."""
    for name, child in module.named_children():
        suits = (
            isinstance(child, nn.Conv2d) and child.kernel_size == (3, 3) and child.stride == child.dilation == (1, 1)
        )
        if suits and child.groups == 1 and min(child.in_channels, child.out_channels) >= MIN_CHANNELS:
            setattr(module, name, WinogradConv(child))
        else:
            with_winograd(child)
    return module
