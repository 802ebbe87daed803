"""Maps of a mirrored image are turned back as the map of its labels is."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from opendensepose.iuv import IUV, flip_iuv
from opendensepose.models.densepose_lite.decode import average_with_mirrored
from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.models.fcn.decode import ChartMaps, decode_maps
from opendensepose.models.mirror import mirror_class_maps, mirror_uv_maps


def test_by_hand():
    """Chart 3, the right hand, becomes 4 and reverses U; chart 2, the torso's front, stays and reverses V."""
    classes, u, v = torch.zeros(25, 1, 2), torch.zeros(24, 1, 2), torch.zeros(24, 1, 2)
    classes[3, 0, 0], u[2, 0, 0], v[2, 0, 0], u[1, 0, 0], v[1, 0, 0] = 7, 0.25, 0.125, 0.25, 0.125
    back, (back_u, back_v) = mirror_class_maps(classes), mirror_uv_maps(u, v)
    assert back[4, 0, 1] == 7 and back.sum() == 7
    assert (back_u[3, 0, 1], back_v[3, 0, 1]) == (0.75, 0.125)
    assert (back_u[1, 0, 1], back_v[1, 0, 1]) == (0.25, 0.875)


def test_decoded_it_is_the_mirrored_map():
    rng = np.random.default_rng(0)
    i = rng.integers(1, 25, (6, 8)).astype(np.uint8)
    u, v = rng.random((2, 6, 8)).astype(np.float32)
    classes = F.one_hot(torch.from_numpy(i).long(), 25).permute(2, 0, 1).float()
    of_charts = (torch.from_numpy(part).expand(25, 6, 8) for part in (u, v))
    back, _ = decode_maps(ChartMaps(mirror_class_maps(classes), *mirror_uv_maps(*of_charts)), (6, 8))
    by_hand = flip_iuv(IUV(i, u, v))
    assert (back.i == by_hand.i).all()
    np.testing.assert_allclose(back.u, by_hand.u, atol=1e-6)
    np.testing.assert_allclose(back.v, by_hand.v, atol=1e-6)


@pytest.mark.parametrize("channels", [24, 25])
def test_mirrored_twice_it_is_as_before(channels):
    torch.manual_seed(0)
    classes, u, v = torch.randn(2, 25, 3, 4), torch.rand(2, channels, 3, 4), torch.rand(2, channels, 3, 4)
    torch.testing.assert_close(mirror_class_maps(mirror_class_maps(classes)), classes, rtol=0, atol=0)
    for again, one in zip(mirror_uv_maps(*mirror_uv_maps(u, v)), (u, v), strict=True):
        torch.testing.assert_close(again, one)


def test_background_first_or_left_out_is_the_same():
    u, v = torch.rand(2, 25, 3, 4).unbind(0)
    for whole, charts in zip(mirror_uv_maps(u, v), mirror_uv_maps(u[1:], v[1:]), strict=True):
        torch.testing.assert_close(whole[1:], charts, rtol=0, atol=0)


def test_the_average_with_the_mirrored_crop_turns_back_the_same():
    torch.manual_seed(0)
    output, mirrored = (
        DenseOutput(torch.randn(1, 25, 4, 6), torch.rand(1, 24, 2, 3), torch.rand(1, 24, 2, 3), torch.rand(1, 4, 6),
                    torch.rand(1))
        for _ in range(2)
    )  # fmt: skip
    arrays = (DenseOutput(*(part.numpy() for part in one)) for one in (output, mirrored))
    average = DenseOutput(*(torch.from_numpy(part) for part in average_with_mirrored(*arrays)))
    back_u, back_v = mirror_uv_maps(mirrored.u, mirrored.v)
    torch.testing.assert_close(average.u, (output.u + back_u) / 2)
    torch.testing.assert_close(average.v, (output.v + back_v) / 2)
    logits = (output.chart_logits + mirror_class_maps(mirrored.chart_logits)) / 2
    torch.testing.assert_close(average.chart_logits, logits)


def test_other_numbers_of_maps_are_refused():
    with pytest.raises(ValueError, match=r"24 or 25, h, w\), got \(15, 2, 2\)"):
        mirror_uv_maps(torch.zeros(15, 2, 2), torch.zeros(15, 2, 2))
