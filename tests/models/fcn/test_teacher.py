"""The in-painting teacher: its crops by hand, what it fills in, and that it learns from points alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.models.learning import first_and_last_losses

from opendensepose.models.fcn.decode import ChartMaps
from opendensepose.models.fcn.densepose_fcn import FCNOutput
from opendensepose.models.fcn.teacher import (
    KnownPoints,
    Teacher,
    anchored,
    crop_region,
    crop_targets,
    draw_people,
    inpaint,
    person_crop,
)
from opendensepose.models.image_batch import MEAN_BGR
from opendensepose.models.targets import Targets
from opendensepose.models.zoo import build_model
from opendensepose.predict import Predictor
from opendensepose.surface import CHART_TO_PART

TINY = {"side": 64, "depth": 18, "width": 32, "norm": "group", "channels": 32}


def two_people() -> Targets:
    parts = torch.zeros(2, 256, 256, dtype=torch.uint8)
    parts[0, :128], parts[0, 128:] = 14, 1
    parts[1] = 2
    return Targets(
        boxes=torch.tensor([[10.0, 20, 50, 60], [60, 0, 90, 30]]),
        parts=parts,
        annotated=torch.tensor([True, True]),
        keypoints=torch.zeros(2, 17, 3),
        point_xy=torch.tensor([[30.0, 30], [70, 10], [30, 50]]),
        point_i=torch.tensor([23, 3, 2]),
        point_uv=torch.tensor([[0.5, 0.5], [0.1, 0.9], [0.25, 0.75]]),
        point_person=torch.tensor([0, 1, 0]),
        ignored=torch.zeros(0, 4),
    )


def test_the_crop_is_square_padded_and_in_whole_pixels():
    assert crop_region(torch.tensor([10.0, 20, 50, 40])).tolist() == [6, 6, 54, 54]
    assert crop_region(torch.tensor([10.0, 20, 50, 40]), 0.5).tolist() == [18, 18, 42, 42]
    assert (crop_region(torch.tensor([5.0, 5, 5, 5]))[2:] > 5).all()


def test_only_the_person_is_left_of_the_photo():
    targets, image = two_people(), torch.full((3, 80, 100), 200, dtype=torch.uint8)
    region = crop_region(targets.boxes[0])  # 6, 16, 54, 64
    crop = person_crop(image, region, targets.parts[0], targets.boxes[0], 48)
    inside = torch.zeros(48, 48, dtype=torch.bool)
    inside[4:44, 4:44] = True
    assert (crop[:, inside] == 200).all()
    assert (crop[:, ~inside] == torch.tensor(MEAN_BGR[::-1])[:, None]).all()


def test_a_teacher_may_keep_the_background():
    targets, image = two_people(), torch.full((3, 80, 100), 200, dtype=torch.uint8)
    region = crop_region(targets.boxes[0])
    of_one = image, region, targets.parts[0], targets.boxes[0], 48
    assert (build_model("teacher", **TINY, background=True).crop(*of_one) == 200).all()
    torch.testing.assert_close(build_model("teacher", **TINY).crop(*of_one), person_crop(*of_one))


def test_the_crop_has_the_photos_pixels_where_the_targets_say():
    """An image whose colour is its place: read at the moved points, it gives the points' places."""
    targets = two_people()
    y, x = torch.meshgrid(torch.arange(80.0) + 0.5, torch.arange(100.0) + 0.5, indexing="ij")
    region, side = crop_region(targets.boxes[0], 1.3), 96
    crop = person_crop(torch.stack([x, y, x]), region, targets.parts[0], targets.boxes[0], side)
    mine = crop_targets(targets, 0, region, side)
    assert mine.point_i.tolist() == [23, 2] and len(mine.boxes) == 1
    for (column, row), place in zip((mine.point_xy - 0.5).round().long(), targets.point_xy[[0, 2]], strict=True):
        assert (crop[:2, row, column] - place).abs().max() < 0.5


class Knows(Teacher):
    """Tells every chart as probable as its number, U the place across and V down."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.fcn.forward = self._tell

    def _tell(self, images):
        side = images[0].shape[-1]
        cells = -(-side // 32) * 8
        at = (torch.arange(cells) + 0.5) * 4 / side
        u, v = (one.expand(1, 25, cells, cells) for one in (at, at[:, None]))
        logits = torch.arange(25.0)[None, :, None, None].expand(1, 25, cells, cells)
        return FCNOutput(logits, u, v)


def test_inpainting_stays_in_the_masks_and_their_charts():
    targets, photo = two_people(), np.zeros((55, 100, 3), np.uint8)  # the photo ends before the box
    model = Knows(**TINY)
    iuv, probability, (x0, y0) = inpaint(
        model, photo, targets.boxes[0].numpy(), targets.parts[0].numpy(), mirrored=False
    )
    assert (x0, y0) == (6, 16) and iuv.size_hw == (39, 48) == probability.shape
    y, x = np.mgrid[:39, :48] + 0.5
    inside = (x > 4) & (x < 44) & (y > 4) & (y < 44)
    assert ((iuv.i > 0) == inside).all()
    assert (iuv.i[inside & (y < 24)] == 24).all() and (iuv.i[inside & (y > 24)] == 2).all()
    assert np.abs(iuv.u - x / 48)[inside].max() < 1e-2 and np.abs(iuv.v - y / 48)[inside].max() < 1e-2
    assert (probability[inside] > 0).all() and not probability[~inside].any()


def test_known_points_pull_what_is_told_around_them():
    """U too small by .2 near one point of chart 2 and right near another; of its part no point has chart 1."""
    maps = ChartMaps(*(torch.full((25, 16, 16), value) for value in (1 / 25, 0.5, 0.5)))
    points = KnownPoints(
        np.array([[14.0, 14], [22, 22]]), np.uint8([2, 2]), np.float32([0.7, 0.5]), np.float32([0.5, 0.5])
    )
    moved = anchored(maps, torch.tensor([10.0, 10, 26, 26]), points)  # a cell is a pixel
    assert moved.u[2, 3:5, 3:5].mean().item() == pytest.approx(0.7, abs=1e-3)
    assert moved.u[2, 12, 12].item() == pytest.approx(0.5, abs=1e-3)
    assert moved.u[2, 7:9, 7:9].mean().item() == pytest.approx(0.6, abs=1e-3)  # half way
    assert torch.equal(moved.u[1], maps.u[1]) and torch.equal(moved.v, maps.v)
    assert (moved.probability[2] > 5 * moved.probability[1]).all()
    assert torch.equal(moved.probability[3:], maps.probability[3:])  # parts without points


def test_it_learns_from_points_and_fills_the_parts():
    torch.manual_seed(0)
    model, targets = build_model("teacher", **TINY, scales=(1.0,)), two_people()
    model.num_crops = 2
    image = torch.randint(0, 256, (3, 80, 100), generator=torch.Generator().manual_seed(0)).float()
    first, losses = first_and_last_losses(model, image, targets)
    assert set(losses) == {"part", "chart", "u", "v"}
    assert all(losses[name] < 0.5 * first[name] for name in losses), (first, losses)
    photo = image.permute(1, 2, 0).to(torch.uint8).numpy()
    iuv, _, (x0, y0) = inpaint(model.eval(), photo, targets.boxes[0].numpy(), targets.parts[0].numpy())
    assert iuv.i[30 - y0, 30 - x0] == 23 and iuv.i[50 - y0, 30 - x0] == 2
    assert set(CHART_TO_PART[iuv.i[45 - y0 :, :]].ravel()) == {0, 1}


def test_nobody_annotated_is_no_loss():
    model = Teacher(**TINY | {"norm": "batch"})
    before = {name: buffer.clone() for name, buffer in model.named_buffers() if "running" in name}
    nobody = Targets(
        *(torch.zeros(shape) for shape in ((0, 4), (0, 256, 256))), torch.zeros(0, dtype=torch.bool),
        *(torch.zeros(shape) for shape in ((0, 17, 3), (0, 2), (0,), (0, 2), (0,), (0, 4))),
    )  # fmt: skip
    losses = model.losses([torch.zeros(3, 64, 64)], [nobody])
    sum(losses.values()).backward()
    assert {name: loss.item() for name, loss in losses.items()} == {"part": 0, "chart": 0, "u": 0, "v": 0}
    assert all(p.grad is not None and not p.grad.any() for p in model.parameters())  # as other processes wait for
    after = dict(model.named_buffers())
    assert before and all(torch.equal(after[name], buffer) for name, buffer in before.items())


def test_people_are_drawn_in_turn_by_the_seed_of_the_first_image():
    first = replace(two_people(), seed=3)
    second = replace(two_people(), annotated=torch.tensor([False, True]), seed=8)
    drawn = draw_people([first, second], 7)
    people = [(image, row) for image, row, _ in drawn]
    assert sorted(people[:3]) == [(0, 0), (0, 1), (1, 1)] and people[3:6] == people[:3] and people[6] == people[0]
    numbers = torch.tensor([jitter for *_, jitter in drawn])
    assert numbers.shape == (7, 3) and (numbers.abs() <= 1).all() and len(numbers.unique()) == 21
    torch.manual_seed(99)
    assert draw_people([first, replace(second, seed=0)], 7) == drawn
    assert draw_people([replace(first, seed=4), second], 7) != drawn
    assert draw_people([replace(first, annotated=torch.tensor([False, False]))], 7) is None


def test_bad_use_is_said():
    with pytest.raises(ValueError, match="multiple of 4, got 65"):
        Teacher(side=65)
    with pytest.raises(ValueError, match="distill"):
        Predictor(Teacher(**TINY))
