"""From raw output to labels per pixel."""

import numpy as np
import pytest
import torch

from opendensepose.models.cells import linear_weights
from opendensepose.models.densepose_lite import decode
from opendensepose.models.densepose_lite.decode import average_with_mirrored, decode_crop, decode_pixels, is_person
from opendensepose.models.densepose_lite.network import decide
from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.surface import mirror_iuv


def random_output(seed, num=1, h4=6, w4=5):
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(shape, generator=g)  # noqa: E731
    logits = draw(num, 25, 2 * h4, 2 * w4)
    logits[:, 0] += 2.2  # about half of it is background
    return DenseOutput(logits, draw(num, 24, h4, w4), draw(num, 24, h4, w4), draw(num, 2 * h4, 2 * w4), draw(num))


def arrays(output):
    return DenseOutput(*(part.numpy() for part in output))


def decoded(output, size_hw):
    """decode_crop of tensors, as tensors."""
    return [torch.from_numpy(part) for part in decode_crop(arrays(output), size_hw)]


def test_linear_weights_by_hand():
    weights = linear_weights(torch.tensor([0.0, 0.25, 0.5, 0.6875, 1.0]), 2)
    torch.testing.assert_close(weights, torch.tensor([[1.0, 0], [1, 0], [0.5, 0.5], [0.125, 0.875], [0, 1]]))


@pytest.mark.parametrize("size_hw", [(24, 20), (7, 31)])
def test_interpolation_is_torchs(size_hw):
    """Confidence of a crop by another route: bilinear interpolation with cell centres at (k + 0.5) / n."""
    output = random_output(0)
    _, _, _, confidence = decoded(output, size_hw)
    by_torch = torch.nn.functional.interpolate(output.confidence_logit[None], size_hw, mode="bilinear")[0].sigmoid()
    person = decide(torch.nn.functional.interpolate(output.chart_logits, size_hw, mode="bilinear")) > 0
    assert 0.2 < person.float().mean() < 0.8
    torch.testing.assert_close(confidence, by_torch * person)


@pytest.mark.parametrize("size_hw", [(96, 80), (40, 30), (5, 3)])
def test_charts_and_coordinates_are_those_of_interpolated_maps(size_hw):
    """Also where whole patches of cells decide alike, by another route: everything interpolated at every pixel."""
    output = random_output(5)
    patches = torch.nn.functional.interpolate(output.chart_logits[:, :, ::4, ::5], (12, 10))
    output = output._replace(chart_logits=patches + 0.3 * output.chart_logits)
    i, u, v, _ = decoded(output, size_hw)
    logits, *uv = (
        torch.nn.functional.interpolate(maps, size_hw, mode="bilinear")
        for maps in (output.chart_logits, output.u, output.v)
    )
    assert (i.long() == decide(logits)).float().mean() > 0.999  # but for ties in the last digit
    chart = (i.long() - 1).clamp(min=0)[:, None]
    for found, maps in zip((u, v), uv, strict=True):
        torch.testing.assert_close(found, maps.gather(1, chart)[:, 0].clamp(0, 1) * (i > 0))


def test_labels_at_cell_centres_by_hand():
    output = random_output(1)
    i, u, v, _ = decoded(output, (12, 10))  # stride-2 cells
    torch.testing.assert_close(i.long(), decide(output.chart_logits))
    assert i.dtype == torch.uint8
    for value in (u, v):
        assert value.min() >= 0 and value.max() <= 1 and not value[i == 0].any()
    constant = output._replace(u=torch.linspace(0, 1, 24)[None, :, None, None].expand(1, 24, 6, 5))
    i, u, _, _ = decoded(constant, (12, 10))
    torch.testing.assert_close(u[i > 0], (i[i > 0].float() - 1) / 23)  # U is that of the chosen chart


def test_tiles_make_no_difference(monkeypatch):
    output = DenseOutput(*(part[0] for part in arrays(random_output(2, h4=12, w4=10))))
    rows, columns = np.linspace(0, 1, 137), np.linspace(-0.1, 1.1, 23)
    whole = decode_pixels(output, rows, columns)
    for cells, pixels in ((3, 512), (16, 5), (1, 1)):
        monkeypatch.setattr(decode, "TILE_CELLS", cells)
        monkeypatch.setattr(decode, "TILE_PIXELS", pixels)
        for a, b in zip(whole, decode_pixels(output, rows, columns), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_no_pixels_and_a_single_cell():
    output = DenseOutput(*(part[0] for part in arrays(random_output(2, h4=1, w4=1))))
    assert all(part.shape == (0, 4) for part in decode_pixels(output, np.zeros(0), np.linspace(0, 1, 4)))
    single = output._replace(chart_logits=output.chart_logits[:, :1, :1], confidence_logit=np.zeros((1, 1), "f4"))
    i, _, _, _ = decode_pixels(single, np.linspace(0, 1, 3), np.linspace(0, 1, 4))
    assert (i == int(decide(torch.from_numpy(single.chart_logits)[None])[0, 0, 0])).all()


def test_charts_that_share_a_pixel_speak_for_a_person_together():
    chance = np.full((25, 2, 1), 1e-9, np.float32)
    chance[[0, 4, 9], 0, 0] = 0.4, 0.35, 0.25
    chance[[0, 4, 9], 1, 0] = 0.6, 0.25, 0.15
    assert is_person(np.log(chance)).tolist() == [[True], [False]]
    assert is_person(1000 * np.log(chance))[0, 0] == (0.4 < 0.35)  # without overflow: only the likeliest counts


def test_averaging_with_a_perfect_mirror_image_changes_nothing():
    """Where the mirrored crop's labels are the mirrored labels of the crop, both tell the same."""
    output = random_output(3, num=2)
    charts = np.arange(1, 25, dtype=np.uint8)
    mirrored = {name: part.flip(-1).clone() if part.ndim > 1 else part for name, part in output._asdict().items()}
    turned = {name: part.clone() for name, part in mirrored.items()}
    for chart in charts:
        there = int(mirror_iuv(charts[chart - 1 : chart], np.zeros(1, np.float32), np.zeros(1, np.float32))[0][0])
        turned["chart_logits"][:, there] = mirrored["chart_logits"][:, chart]
        for name, swap in (("u", lambda u: (u, np.zeros_like(u))), ("v", lambda v: (np.zeros_like(v), v))):
            value = mirrored[name][:, chart - 1].numpy()
            _, u, v = mirror_iuv(np.full(value.shape, chart, np.uint8), *swap(value))
            turned[name][:, there - 1] = torch.from_numpy(np.asarray(u if name == "u" else v, np.float32))
    averaged = average_with_mirrored(arrays(output), arrays(DenseOutput(**turned)))
    for a, b in zip(averaged, arrays(output), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5, rtol=1e-5)
