"""The encoder-decoder: sizes, and that every part is used."""

import pytest
import torch

from opendensepose.models.densepose_lite.backbone import Backbone, ResidualBlock

TINY = {"widths": (4, 6, 8, 10), "depths": (1, 0, 1, 0)}


@pytest.mark.parametrize("size_hw", [(64, 32), (192, 144), (72, 100)])
def test_strides_and_widths(size_hw):
    pyramid = Backbone(**TINY)(torch.rand(2, 3, *size_hw))
    h, w = size_hw
    assert pyramid.stride4.shape == (2, 4, -(-h // 4), -(-w // 4))
    assert pyramid.stride8.shape == (2, 6, -(-h // 8), -(-w // 8))


def test_stopping_at_stride_8_gives_the_same_features():
    backbone = Backbone(**TINY).eval()
    image = torch.rand(1, 3, 64, 64)
    short = backbone(image, to_stride=8)
    assert short.stride4 is None
    torch.testing.assert_close(short.stride8, backbone(image).stride8)


def test_every_parameter_gets_a_gradient():
    torch.manual_seed(0)
    backbone = Backbone(**TINY)
    sum(part.square().sum() for part in backbone(torch.rand(2, 3, 64, 64))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in backbone.parameters())


def test_context_reaches_every_cell():
    torch.manual_seed(0)
    backbone = Backbone(**TINY).eval()
    image = torch.rand(1, 3, 256, 256)
    changed = image.clone()
    changed[..., :32, :32] = 0
    apart = (backbone(image).stride4 - backbone(changed).stride4).abs().amax(1)[0]
    assert (apart[-8:, -8:] > 0).all()  # far corner


def test_a_residual_block_without_weights_is_relu():
    block = ResidualBlock(3).eval()
    torch.nn.init.zeros_(block.second.weight)
    x = torch.randn(1, 3, 5, 5)
    torch.testing.assert_close(block(x), x.relu())


def test_wrong_number_of_widths():
    with pytest.raises(ValueError, match="4 numbers"):
        Backbone(widths=(4, 6, 8))
