"""From the maps of DensePose-FCN to people."""

import numpy as np
import pytest
import torch

from opendensepose.models.fcn import decode
from opendensepose.models.fcn.decode import ChartMaps, PreparedFCN, average_scales, decode_maps, faster_copy, resampled
from opendensepose.models.fcn.densepose_fcn import FCN, FCNOutput
from opendensepose.predict import Predictor

TINY = {"depth": 18, "width": 32, "norm": "group", "channels": 32, "short_side": 64, "long_side": 96}


class TwoPeople(FCN):
    """Predicts the same whatever it sees: two people, each of one chart, at any size."""

    def forward(self, images):
        height, width = (-(-side // 32) * 8 for side in images[0].shape[-2:])
        cells_hw = [side / 4 for side in images[0].shape[-2:]]
        chart = torch.zeros(height, width, dtype=torch.long)
        y, x = ((torch.arange(n) + 0.5) / cells for n, cells in zip((height, width), cells_hw, strict=True))
        down = (y > 0.25) & (y < 0.75)
        chart[down[:, None] & ((x > 0.1) & (x < 0.4))[None]] = 1
        chart[down[:, None] & ((x > 0.6) & (x < 0.9))[None]] = 24
        logits = 20.0 * torch.nn.functional.one_hot(chart, 25).permute(2, 0, 1).expand(len(images), -1, -1, -1)
        u = x.expand(len(images), 25, height, width)
        return FCNOutput(logits, u, torch.full_like(u, 0.5))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TwoPeople(**TINY)


PHOTO = np.zeros((128, 192, 3), np.uint8)


@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.0, 1.5)])
def test_each_component_of_the_foreground_is_a_person(network, scales):
    network.scales = scales
    prepared = PreparedFCN(network)
    left, right = sorted(prepared.find([PHOTO], prepared.min_score)[0], key=lambda one: one.box_xyxy[0])
    for person, box in ((left, [19.2, 32, 76.8, 96]), (right, [115.2, 32, 172.8, 96])):
        assert np.abs(person.box_xyxy - box).max() <= 4 and person.score > 0.8  # half a cell
    assert set(np.unique(left.iuv.i)) == {0, 1} and set(np.unique(right.iuv.i)) == {0, 24}
    x = (np.arange(192) + 0.5) / 192
    assert np.abs(left.iuv.u - x)[left.iuv.i > 0].max() < 0.03
    assert prepared.find([PHOTO], 1.1) == [[]]


def test_given_boxes_cut_the_foreground(network):
    boxes = np.float32([[110, 20, 180, 60], [0, 0, 10, 10]])
    (right, nobody), none = PreparedFCN(network).label([PHOTO, PHOTO[:, :64]], [boxes, boxes[:0]])
    assert none == []
    assert right.score == nobody.score == 1 and not nobody.iuv.i.any()
    assert set(np.unique(right.iuv.i)) == {0, 24} and not right.iuv.i[60:].any()
    assert Predictor(network)(PHOTO, boxes)[0].box_xyxy.tolist() == boxes[0].tolist()


def test_the_decision_is_that_of_the_paper_and_parts_restrict_it():
    probability = torch.zeros(25, 1, 2)
    probability[[0, 1, 2], 0, 0] = torch.tensor([0.4, 0.35, 0.25])
    probability[[0, 3, 24], 0, 1] = torch.tensor([0.1, 0.2, 0.7])
    u = torch.arange(25.0)[:, None, None].expand(25, 1, 2) / 25
    maps = ChartMaps(probability, u, 2 * u)
    labels, confidence = decode_maps(maps, (1, 2))
    assert labels.i.tolist() == [[0, 24]] and confidence.tolist() == pytest.approx(np.float32([[0, 0.7]]))
    assert labels.u[0] == pytest.approx([0, 24 / 25]) and labels.v.tolist() == [[0, 1]]
    labels, confidence = decode_maps(maps, (1, 2), torch.tensor([[1, 2]]))  # torso, right hand
    assert labels.i.tolist() == [[1, 3]] and confidence[0] == pytest.approx([0.35, 0.2])
    assert decode_maps(maps, (1, 2), torch.tensor([[1, 0]]))[0].i.tolist() == [[1, 0]]


def test_strips_of_rows_are_decoded_as_the_whole_is(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    maps = ChartMaps(*(torch.rand(25, 7, 5, generator=generator) for _ in range(3)))
    whole, confidence = decode_maps(maps, (40, 31))
    monkeypatch.setattr(decode, "MAX_FLOATS", 3 * 25 * 31)  # three rows at a time
    strips, of_strips = decode_maps(maps, (40, 31))
    np.testing.assert_array_equal(strips.i, whole.i)
    for one, other in ((strips.u, whole.u), (strips.v, whole.v), (of_strips, confidence)):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_padding_is_left_out_and_scales_agree():
    """U that grows linearly over an image of 40 x 56 pixels, padded to 64 x 64."""
    x = ((torch.arange(16.0) + 0.5) * 4 / 56).expand(1, 25, 16, 16)
    logits = torch.zeros(1, 25, 16, 16)
    maps = resampled(FCNOutput(logits, x, x), (40, 56), (10, 14))
    torch.testing.assert_close(maps.u[0, 3], (torch.arange(14) + 0.5) / 14)
    torch.testing.assert_close(maps.probability.sum(0), torch.ones(10, 14))


@torch.no_grad()
def test_the_faster_copy_is_the_same_function():
    torch.manual_seed(0)
    model = FCN(**TINY | {"norm": "batch"}).eval()
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    (found,), (expected,) = (average_scales(one, [photo], (64, 64), (1.0,)) for one in (faster_copy(model), model))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
