"""The backbone and the heads of DensePoseLite, each by itself."""

import pytest
import torch

from opendensepose.models.cells import cell_centres
from opendensepose.models.densepose_lite.network import (
    STRIDE,
    Backbone,
    DenseHead,
    DetectionHead,
    ResidualBlock,
    decide,
)

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


def test_shapes_and_start():
    torch.manual_seed(0)
    head = DenseHead(5, hidden_channels=8)
    output = head(torch.zeros(2, 5, 12, 9))
    assert output.chart_logits.shape == (2, 25, 24, 18)
    assert output.u.shape == output.v.shape == (2, 24, 12, 9)
    assert output.confidence_logit.shape == (2, 24, 18)
    torch.testing.assert_close(output.u, torch.full_like(output.u, 0.5))  # the middle of the chart is the first guess


def test_the_four_cells_of_a_feature_are_its_neighbourhood():
    """A feature at one stride-4 cell changes stride-2 cells near it only (3x3 convolution, then shuffle)."""
    torch.manual_seed(0)
    head = DenseHead(2, hidden_channels=4).eval()
    x = torch.zeros(1, 2, 7, 7)
    lit = x.clone()
    lit[..., 3, 3] = 5
    changed = (head(x).chart_logits - head(lit).chart_logits).abs().amax(1)[0] > 0
    rows, columns = torch.nonzero(changed, as_tuple=True)
    assert rows.min() >= 4 and rows.max() <= 9 and columns.min() >= 4 and columns.max() <= 9
    assert changed[6:8, 6:8].all()


def test_a_chart_wins_by_weight_against_background_and_by_probability_against_charts():
    chance = torch.full((25,), 1e-9)
    chance[[0, 4, 9]] = torch.tensor([0.6, 0.21, 0.19])
    assert decide(chance.log()[None])[0] == 4  # 3 * 0.21 > 0.6
    chance[[0, 4, 9]] = torch.tensor([0.62, 0.18, 0.2])
    assert decide(chance.log()[None])[0] == 0
    assert decide(1e3 * torch.eye(25)).tolist() == list(range(25))


def test_deciding_does_not_depend_on_where_the_classes_lie():
    logits = torch.randn(2, 25, 6, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(decide(logits)[1], decide(logits[1], axis=0))
    moved = decide(logits.movedim(1, 3), axis=3)
    assert torch.equal(decide(logits), moved)


def test_boxes_hold_their_cell_and_have_equal_sides_at_zero_output():
    head = DetectionHead(3, hidden_channels=4).eval()
    torch.nn.init.zeros_(head.sides.weight)
    torch.nn.init.zeros_(head.sides.bias)
    output = head(torch.rand(2, 3, 4, 5))
    assert output.heat_logit.shape == (2, 4, 5) and output.boxes_xyxy.shape == (2, 4, 5, 4)
    centres = cell_centres((4, 5), STRIDE)
    torch.testing.assert_close(output.boxes_xyxy[0, ..., :2], centres - 40)
    torch.testing.assert_close(output.boxes_xyxy[0, ..., 2:], centres + 40)


def test_people_are_rare_at_the_start():
    torch.manual_seed(0)
    head = DetectionHead(3).eval()
    torch.nn.init.zeros_(head.heat.weight)
    torch.testing.assert_close(head(torch.rand(1, 3, 4, 4)).heat_logit.sigmoid(), torch.full((1, 4, 4), 0.02))
