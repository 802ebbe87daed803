"""3x3 convolutions by tiles."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from opendensepose.models import winograd
from opendensepose.models.winograd import WinogradConv, with_winograd


def test_one_tile_by_hand():
    """A kernel that is 1 in one place moves the picture."""
    conv = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    for row in range(3):
        for column in range(3):
            conv.weight.data.zero_()
            conv.weight.data[0, 0, row, column] = 1
            moved = F.pad(picture, (1, 1, 1, 1))[..., row : row + 4, column : column + 4]
            torch.testing.assert_close(WinogradConv(conv)(picture), moved, atol=1e-5, rtol=0)


@pytest.mark.parametrize("tiles", [(4, 10), (1, 1), (168, 512)])
@pytest.mark.parametrize("shape", [(5, 7, 9, 13), (1, 3, 4, 4), (2, 3, 1, 30), (3, 4, 17, 3), (0, 4, 8, 8)])
def test_the_same_as_the_plain_convolution(shape, tiles, monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(winograd, "TILES_OF_ROWS", tiles[0])
    monkeypatch.setattr(winograd, "TILES_OF_IMAGES", tiles[1])
    conv = nn.Conv2d(shape[1], 6, 3, padding=1)
    x = torch.randn(shape)
    for layout in (torch.contiguous_format, torch.channels_last):
        found = WinogradConv(conv)(x.contiguous(memory_format=layout))
        torch.testing.assert_close(found, conv(x), atol=2e-4, rtol=0)


def test_only_wide_convolutions_are_replaced(monkeypatch):
    monkeypatch.setattr(winograd, "MIN_CHANNELS", 8)
    kept = [nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 3, stride=2), nn.Conv2d(8, 8, 3, dilation=2), nn.Conv2d(4, 8, 3)]
    module = with_winograd(nn.Sequential(nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()), *kept))
    assert isinstance(module[0][0], WinogradConv) and list(module[1:]) == kept
