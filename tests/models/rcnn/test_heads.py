"""The heads of DensePose R-CNN."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import roi_align

from opendensepose.models.rcnn.heads import (
    AtrousConv,
    BoxHead,
    ChartPredictor,
    ConvHead,
    DeepLabHead,
    PyramidDecoder,
    pool_regions,
)


def test_regions_come_from_the_level_of_their_size():
    """Each level holds its own number everywhere: 112 is the first side pooled from stride 8, 224 from 16, 448 from
    32."""
    pyramid = [torch.full((2, 1, 600 // 2**k, 600 // 2**k), float(k + 2)) for k in range(4)]
    sides = [10, 111, 112, 223, 224, 447, 448, 550]
    boxes = torch.tensor([[20.0, 20, 20 + side, 20 + side] for side in sides])
    pooled = pool_regions(pyramid, [boxes[:5], boxes[5:]], cells=3)
    assert pooled.shape == (8, 1, 3, 3)
    assert pooled.mean((1, 2, 3)).tolist() == [2, 2, 3, 3, 4, 4, 5, 5]
    single = pool_regions(pyramid[:1], [boxes[:5], boxes[5:]], cells=3)
    assert (single == 2).all()


def test_regions_come_from_their_image():
    pyramid = [torch.stack([torch.zeros(1, 16, 16), torch.ones(1, 16, 16)])]
    box = torch.tensor([[4.0, 4, 40, 40]])
    assert pool_regions(pyramid, [box[:0], box], 2).mean() == 1
    assert pool_regions(pyramid, [box, box[:0]], 2).mean() == 0
    assert pool_regions(pyramid * 4, [box[:0], box[:0]], 2).shape == (0, 1, 2, 2)


def test_cells_are_off_by_half_as_in_the_official_models():
    features = torch.arange(16.0).expand(1, 1, 16, 16).contiguous()  # the value is the column
    box = torch.tensor([[16.0, 16, 32, 32]])  # columns 4 to 8 at stride 4
    pooled = pool_regions([features], [box], cells=4)[0, 0, 0]
    assert pooled.tolist() == [
        4.5,
        5.5,
        6.5,
        7.5,
    ]  # the value at 4.5 is read where a cell's left edge counts as its centre
    torch.testing.assert_close(pooled, roi_align(features, [box], 4, 1 / 4, 2, aligned=False)[0, 0, 0])


def test_aligned_cells_are_read_at_their_centres_with_a_sample_for_each_pixel():
    features = torch.arange(16.0).square().expand(1, 1, 16, 16).contiguous()  # the value is the column, squared
    box = torch.tensor([[16.0, 16, 48, 48]])  # columns 4 to 12 at stride 4
    for cells, size in ((8, 1), (4, 2), (2, 4)):  # cells of so many columns, whose mean each is
        expected = (torch.arange(4.0, 12) ** 2).view(cells, size).mean(1)
        torch.testing.assert_close(pool_regions([features], [box], cells, aligned=True)[0, 0, 0], expected)
    head = BoxHead(1, hidden=8, aligned=True)
    for side in (60.0, 300.0):  # pooled from strides 4 and 16
        pyramid, one = (
            [torch.rand(1, 1, 128 // 2**k, 128 // 2**k) for k in range(5)],
            [torch.tensor([[8.0, 8, side, side]])],
        )
        level = 0 if side < 112 else 2
        expected = roi_align(pyramid[level], one, 7, 1 / 4 / 2**level, 0, aligned=True)
        torch.testing.assert_close(head.pool(pyramid, one), expected)


def test_decoder_by_the_way_of_the_paper():
    """Every level brought to stride 4 by itself, then the sum."""
    torch.manual_seed(0)
    decoder = PyramidDecoder(6, 5, 3)
    pyramid = [torch.randn(1, 6, 16 // 2**k, 24 // 2**k) for k in range(4)]
    with torch.no_grad():
        total = 0
        for k, (convs, x) in enumerate(zip(decoder.levels, pyramid, strict=True)):
            assert len(convs) == max(1, k)
            for conv in convs:
                x = F.relu(F.conv2d(x, conv.weight, conv.bias, padding=1))
                if k:
                    x = F.interpolate(x, scale_factor=2, mode="bilinear")
            total = total + x
        torch.testing.assert_close(decoder(pyramid), decoder.predictor(total))


@pytest.mark.parametrize("box", [[330, 300, 380, 390], [0, 0, 40, 30], [600, 500, 640, 544], [250, 10, 400, 520]])
def test_a_window_of_the_map_is_enough_for_its_boxes(box):
    torch.manual_seed(0)
    decoder = PyramidDecoder(4, 4, 4)
    pyramid = [torch.randn(2, 4, 136 // 2**k, 160 // 2**k) for k in range(4)]
    boxes = [torch.tensor([box], dtype=torch.float32), torch.tensor([box, box], dtype=torch.float32) + 1]
    with torch.no_grad():
        whole = pool_regions([decoder(pyramid)], boxes, 7)
        torch.testing.assert_close(decoder.regions(pyramid, boxes, 7), whole, rtol=1e-4, atol=1e-5)
        (window,), _ = decoder._around(pyramid, boxes)
        assert window[0].numel() < 0.8 * 4 * 136 * 160
        assert decoder.regions(pyramid, [boxes[0][:0], boxes[0][:0]], 7).shape == (0, 4, 7, 7)


@pytest.mark.parametrize("dilation", [2, 6, 12, 56])
def test_holed_convolution_is_one_with_dilation(dilation):
    torch.manual_seed(0)
    conv = AtrousConv(3, 4, dilation)
    x = torch.randn(2, 3, 10, 10)
    plain = nn.Conv2d(3, 4, 3, padding=dilation, dilation=dilation, bias=False)
    plain.load_state_dict(conv.state_dict())
    torch.testing.assert_close(conv(x), plain(x))


@pytest.mark.parametrize("kind", [ConvHead, DeepLabHead])
def test_heads_keep_the_region_and_do_not_mix_regions(kind):
    torch.manual_seed(0)
    head = kind(64, 64, num_layers=2, norm=True).eval()
    x = torch.randn(3, 64, 14, 14)
    with torch.no_grad():
        together = head(x)
        assert together.shape == (3, 64, 14, 14) and together.min() >= 0
        torch.testing.assert_close(together[1:2], head(x[1:2]), rtol=1e-4, atol=1e-5)


def test_box_head():
    head = BoxHead(4, hidden=8, num_classes=1, num_boxes=1)
    logits, deltas = head(torch.randn(5, 4, 7, 7))
    assert logits.shape == (5, 2) and deltas.shape == (5, 4)


@pytest.mark.parametrize(
    "kind, names",
    [
        (None, set()),
        ("iid_iso", {"sigma_2"}),
        ("indep_aniso", {"sigma_2", "kappa_u", "kappa_v"}),
    ],
)
@pytest.mark.parametrize("mask_confidence", [False, True])
def test_predictor_gives_each_output_as_its_own_layer_would(kind, names, mask_confidence):
    torch.manual_seed(0)
    predictor = ChartPredictor(6, 15, kind, mask_confidence)
    x = torch.randn(2, 6, 5, 5)
    with torch.no_grad():
        output = predictor(x)
        expected = {
            name: F.interpolate(layer(x), scale_factor=2, mode="bilinear") for name, layer in predictor.layers.items()
        }
    if mask_confidence:
        names = names | {"fine_confidence", "coarse_confidence"}
        for name in ("fine", "coarse"):
            expected[f"{name}_confidence"] = F.softplus(expected[f"{name}_confidence"]) + 0.01
            expected[name] = expected[name] * expected[f"{name}_confidence"]
    told = {name for name, maps in output._asdict().items() if maps is not None}
    assert told == {"coarse", "fine", "u", "v"} | names == set(expected)
    assert output.coarse.shape == (2, 15, 20, 20) and output.u.shape == (2, 25, 20, 20)
    for name, maps in expected.items():
        torch.testing.assert_close(getattr(output, name), maps, rtol=1e-4, atol=1e-5)


def test_unknown_confidences_are_said():
    with pytest.raises(ValueError, match="uv_confidence is None, 'iid_iso' or 'indep_aniso', got 'other'"):
        ChartPredictor(4, 2, "other")
