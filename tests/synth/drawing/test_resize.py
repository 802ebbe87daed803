import pytest
import torch

from opendensepose.synth.backgrounds.background import make_background
from opendensepose.synth.drawing.resize import resize, resize_in_torch


@pytest.fixture(scope="module")
def picture():
    import numpy as np

    return make_background(np.random.default_rng(1), (64, 48), kind="photo")


@pytest.mark.parametrize(("mode", "size_hw"), [("bilinear", (100, 77)), ("bicubic", (128, 96)), ("area", (32, 24))])
def test_opencv_and_torch_agree(picture, mode, size_hw):
    here, there = resize(picture, size_hw, mode), resize_in_torch(picture, size_hw, mode)
    assert here.shape == there.shape == (*size_hw, 3)
    assert torch.allclose(here, there, atol=2e-3)


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic", "area"])
def test_the_same_size_keeps_the_picture(picture, mode):
    assert torch.allclose(resize(picture, (64, 48), mode), picture, atol=1e-5)


def test_halving_by_area_averages_four_pixels():
    image = torch.arange(48, dtype=torch.float32).reshape(4, 4, 3)
    expected = image.reshape(2, 2, 2, 2, 3).mean((1, 3))
    assert torch.allclose(resize(image, (2, 2), "area"), expected)


def test_uint8_comes_back_as_float_in_the_same_range():
    image = torch.full((5, 5, 3), 200, dtype=torch.uint8)
    result = resize(image, (9, 7))
    assert result.dtype == torch.float32 and torch.equal(result, torch.full((9, 7, 3), 200.0))
