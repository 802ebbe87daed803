"""A network with its norms folded is the same function with fewer layers."""

import pytest
import torch
from torch import nn

from opendensepose.models.densepose_lite.network import Backbone, conv_norm_relu
from opendensepose.models.fold_norms import fold_norms
from opendensepose.models.resnet import NormedConv, ResNet

TINY = {"widths": (4, 6, 8, 10), "depths": (1, 1, 1, 1)}


def shaken(model: nn.Module) -> nn.Module:
    """In evaluation mode, with norms whose statistics, weights and biases are not 0 and 1."""
    for part in model.modules():
        if hasattr(part, "running_var"):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 2)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.2)
    return model.eval()


def num_norms(model: nn.Module) -> int:
    return sum(hasattr(part, "running_var") for part in model.modules())


def test_one_convolution_by_hand():
    """(3 x - 2) / sqrt(4 + 12) * 8 + 5 = 6 x + 1."""
    layers = conv_norm_relu(1, 1, kernel=1).eval()
    layers[1].eps = 12.0
    for tensor, value in ((layers[0].weight, 3), (layers[1].running_mean, 2), (layers[1].running_var, 4)):
        nn.init.constant_(tensor, value)
    nn.init.constant_(layers[1].weight, 8)
    nn.init.constant_(layers[1].bias, 5)
    fold_norms(layers)
    assert (layers[0].weight.item(), layers[0].bias.item()) == pytest.approx((6, 1))


@pytest.mark.parametrize(
    "make",
    [lambda: Backbone(**TINY), lambda: ResNet(18, norm="frozen"), lambda: ResNet(18, norm="batch")],
    ids=["backbone", "frozen resnet", "resnet"],
)
def test_folding_changes_nothing_but_the_number_of_layers(make):
    torch.manual_seed(0)
    model, image = shaken(make()), torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        before, after = model(image), fold_norms(model)(image)
    assert num_norms(model) == 0
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4 * a.std().item())


@pytest.mark.parametrize("make", [lambda: Backbone(**TINY), lambda: ResNet(18, norm="batch")])
def test_norms_that_still_learn_are_not_folded(make):
    model = make().train()
    before = num_norms(model)
    assert before > 0 and num_norms(fold_norms(model)) == before


def test_frozen_norms_are_folded_in_training_too():
    assert num_norms(fold_norms(ResNet(18, norm="frozen").train())) == 0


def test_other_norms_and_convolutions_with_none_stay():
    model = nn.Sequential(NormedConv(2, 4, 3, norm=nn.GroupNorm(2, 4)), NormedConv(4, 2, 1)).eval()
    x = torch.randn(1, 2, 5, 5)
    before = model(x)
    torch.testing.assert_close(fold_norms(model)(x), before)
    assert isinstance(model[0].norm, nn.GroupNorm)
