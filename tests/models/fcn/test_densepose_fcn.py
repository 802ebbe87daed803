"""DensePose-FCN: its sizes, what teaches it, and that it learns."""

import math
from dataclasses import replace

import pytest
import torch
from tests.models.learning import first_and_last_losses

from opendensepose.models.cells import cell_centres, read_maps
from opendensepose.models.fcn.decode import STRIDE
from opendensepose.models.fcn.densepose_fcn import FCN, part_loss, part_map, points_of
from opendensepose.models.targets import DenseLabels, Targets
from opendensepose.models.zoo import build_model

TINY = {"depth": 18, "width": 32, "norm": "group", "channels": 32, "short_side": 64, "long_side": 96}


def standing(dense=None) -> Targets:
    """A person of 32 x 48 pixels at (16, 8), head above torso, and another of whom only the box is known."""
    parts = torch.zeros(2, 256, 256, dtype=torch.uint8)
    parts[0, :64, 64:192], parts[0, 64:, 32:224] = 14, 1
    return Targets(
        boxes=torch.tensor([[16.0, 8, 48, 56], [70, 0, 96, 30]]),
        parts=parts,
        annotated=torch.tensor([True, False]),
        keypoints=torch.zeros(2, 17, 3),
        point_xy=torch.tensor([[30.0, 14], [26, 30], [38, 50]]),
        point_i=torch.tensor([23, 2, 2]),
        point_uv=torch.tensor([[0.5, 0.5], [0.25, 0.75], [0.9, 0.3]]),
        point_person=torch.tensor([0, 0, 0]),
        ignored=torch.tensor([[0.0, 48, 8, 64]]),
        dense=dense,
    )


@pytest.mark.parametrize("depth", [18, 50])
def test_the_output_has_stride_4(depth):
    model = FCN(**(TINY | {"depth": depth})).eval()
    with torch.no_grad():
        output = model([torch.zeros(3, 64, 96), torch.zeros(3, 40, 50)])
        assert [x.shape[-1] for x in model.resnet(torch.zeros(1, 3, 64, 64))] == [16, 8, 8, 8]
    assert all(maps.shape == (2, 25, 16, 24) for maps in output)


def test_the_part_of_each_cell_by_hand():
    parts = part_map(cell_centres((16, 24), STRIDE), (62, 96), standing())
    assert parts[0, 0] == 0 and parts[2, 7] == 14 and parts[8, 6] == 1  # background, head, torso
    assert parts[2, 4] == 0  # in the box, beside the head
    assert (parts[:8, 18:] == -1).all() and parts[8, 20] == 0  # a person without masks
    assert (parts[12:, :2] == -1).all()  # a group
    assert (parts[15, 2:] == 0).all()
    assert (part_map(cell_centres((16, 24), STRIDE), (60, 90), standing())[15] == -1).all()  # padding


def test_any_chart_of_the_part_is_right():
    parts = torch.tensor([[[1, 0, -1]]])
    logits = torch.zeros(1, 25, 1, 3)
    assert part_loss(logits, parts).item() == pytest.approx((-math.log(2 / 25) - math.log(1 / 25)) / 2, rel=1e-5)
    for chart in (1, 2):  # torso, back and front
        sure = logits.clone()
        sure[0, chart, 0, 0] = sure[0, 0, 0, 1] = 60.0
        assert part_loss(sure, parts).item() < 1e-6
    assert part_loss(logits, torch.full((1, 1, 3), -1)).item() == 0


def test_points_are_read_where_they_are_and_not_outside():
    targets = standing()
    centres = cell_centres((16, 24), STRIDE)
    points = points_of(0, centres, targets)
    assert torch.equal(read_maps(centres.permute(2, 0, 1)[None], points.region, points.xy), targets.point_xy)
    moved = replace(targets, point_xy=targets.point_xy + torch.tensor([60.0, 0]))
    assert points_of(0, centres, moved).chart.tolist() == [23, 2]


def test_dense_labels_add_their_cells():
    i, person = torch.zeros(64, 96, dtype=torch.uint8), torch.zeros(64, 96, dtype=torch.uint8)
    i[8:16, 20:40], person[8:16, 20:40] = 24, 1
    dense = DenseLabels(i, 0.01 * i, 0.02 * i, person)
    points = points_of(0, cell_centres((16, 24), STRIDE), standing(dense))
    assert len(points.chart) == 3 + 2 * 5 and points.chart[3:].tolist() == [24] * 10
    torch.testing.assert_close(points.uv[3:], torch.tensor([[0.24, 0.48]]).expand(10, 2))
    assert points.weight[3:].sum().item() == pytest.approx(100)


def test_it_learns_one_picture():
    torch.manual_seed(0)
    model, targets = build_model("fcn", **TINY), standing()
    image = torch.randint(0, 256, (3, 64, 96), generator=torch.Generator().manual_seed(0)).float()
    first, losses = first_and_last_losses(model, image, targets)
    assert set(losses) == {"part", "chart", "u", "v"}
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert all(losses[name] < 0.3 * first[name] for name in losses), (first, losses)


def test_no_person_is_no_failure():
    empty = Targets(
        torch.zeros(0, 4), torch.zeros(0, 256, 256, dtype=torch.uint8), torch.zeros(0, dtype=torch.bool),
        torch.zeros(0, 17, 3), torch.zeros(0, 2), torch.zeros(0, dtype=torch.long), torch.zeros(0, 2),
        torch.zeros(0, dtype=torch.long), torch.zeros(0, 4),
    )  # fmt: skip
    losses = FCN(**TINY).losses([torch.zeros(3, 64, 64)], [empty])
    assert losses["part"].item() > 0 and losses["chart"].item() == losses["u"].item() == 0
    sum(losses.values()).backward()


def test_no_images_are_no_loss_and_leave_the_statistics_alone():
    """What a process with no crops of a batch computes while others train: zeros, in float32 also under autocast."""
    model, dtypes = FCN(depth=18, norm="batch", width=32, channels=32), set()
    model.resnet.stem.conv1.register_forward_hook(lambda module, images, output: dtypes.add(output.dtype))
    before = {name: buffer.clone() for name, buffer in model.named_buffers() if "running" in name}
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.losses(torch.zeros(0, 3, 64, 64), [])
    sum(losses.values()).backward()
    assert {name: loss.item() for name, loss in losses.items()} == {"part": 0, "chart": 0, "u": 0, "v": 0}
    assert all(p.grad is not None and not p.grad.any() for p in model.parameters())  # as other processes wait for
    after = dict(model.named_buffers())
    assert before and all(torch.equal(after[name], buffer) for name, buffer in before.items())
    assert dtypes == {torch.float32}
