"""Residual networks in detectron2's layout."""

import pytest
import torch
from torchvision.models import resnet18

from opendensepose.models.resnet import ResNet


def shaken(model):
    """Every tensor away from its initial value, running statistics included."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if name.endswith("running_var") or (name.endswith("weight") and tensor.ndim == 1):
            tensor.copy_(1 + 0.2 * torch.rand(tensor.shape, generator=generator))
        elif tensor.is_floating_point() and tensor.ndim < 2:
            tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
    return model.eval()


@pytest.mark.parametrize("depth, channels", [(18, (64, 128, 256, 512)), (50, (256, 512, 1024, 2048))])
def test_strides_and_channels(depth, channels):
    with torch.device("meta"):
        features = ResNet(depth)(torch.zeros(1, 3, 64, 96))
    assert [tuple(x.shape) for x in features] == [
        (1, width, 64 // stride, 96 // stride) for width, stride in zip(channels, (4, 8, 16, 32), strict=True)
    ]


def test_the_stride_lies_in_the_1x1_or_in_the_3x3():
    with torch.device("meta"):
        for in_1x1 in (True, False):
            block = ResNet(50, stride_in_1x1=in_1x1).res3[0]
            assert (block.conv1.stride, block.conv2.stride) == (((2, 2), (1, 1)) if in_1x1 else ((1, 1), (2, 2)))


def test_resnet_18_is_torchvisions():
    """Basic blocks have one place for the stride, so there both libraries compute the same."""
    torch.manual_seed(0)
    ours, theirs = ResNet(18, norm="batch"), shaken(resnet18())
    names = dict(
        zip(ours.state_dict(), [name for name in theirs.state_dict() if not name.startswith("fc")], strict=True)
    )
    # torchvision lists a block's shortcut last, we do too; norms come after their convolution in both
    ours.load_state_dict({own: theirs.state_dict()[other] for own, other in names.items()})
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        stem = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))
        expected = theirs.layer4(theirs.layer3(theirs.layer2(theirs.layer1(stem))))
        torch.testing.assert_close(ours.eval()(x)[-1], expected)


@pytest.mark.parametrize("wrong", [{"depth": 20}, {"norm": "layer"}])
def test_unknown_kinds_are_said(wrong):
    with pytest.raises(ValueError, match="a ResNet has depth 18, 34, 50, 101, 152 and norm frozen or batch"):
        ResNet(**wrong)


def test_dilated_stages_see_what_strided_ones_see_at_more_places():
    """With the same weights, the first stage that is dilated instead of strided gives the strided result at every
    second place of its first convolution: here of a network of 1x1 shortcuts, whose 3x3 convolutions are zero."""
    torch.manual_seed(0)
    strided, dilated = (ResNet(18, "batch", max_stride=stride).eval() for stride in (32, 8))
    dilated.load_state_dict(strided.state_dict())
    for model in (strided, dilated):
        for stage in (model.res4, model.res5):
            for block in stage:
                torch.nn.init.zeros_(block.conv2.weight)
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        coarse, fine = strided(image), dilated(image)
    assert [x.shape[-1] for x in fine] == [24, 12, 12, 12]
    torch.testing.assert_close(fine[2][:, :, ::2, ::2], coarse[2])
    torch.testing.assert_close(fine[3][:, :, ::4, ::4], coarse[3])


def test_a_thin_network_has_the_channels_asked_for():
    model = ResNet(50, "batch", width=16)
    assert model.channels == (64, 128, 256, 512) and [x.shape[1] for x in model(torch.zeros(1, 3, 64, 64))] == [
        64, 128, 256, 512,
    ]  # fmt: skip
