"""Losses of regions: answers by hand, the truth has none, and what must not matter."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from opendensepose.models.cells import region_axes, region_centres
from opendensepose.models.outputs import ChartOutput
from opendensepose.models.point_losses import (
    DENSE_WEIGHT,
    MIN_VARIANCE,
    LabelledPoints,
    LossWeights,
    aniso_uv_loss,
    dense_points,
    iso_uv_loss,
    parts_at,
    region_losses,
)
from opendensepose.models.targets import DenseLabels, Targets
from opendensepose.part_grid import part_at

SURE = 60.0  # a logit


def one_person(dense=None) -> Targets:
    """A person in a box of 8 x 8 pixels at (2, 4): the torso on the left half, the head on the right one."""
    parts = torch.zeros(1, 256, 256, dtype=torch.uint8)
    parts[:, :, :128], parts[:, :, 128:] = 1, 14
    return Targets(
        boxes=torch.tensor([[2.0, 4, 10, 12]]),
        parts=parts,
        annotated=torch.tensor([True]),
        keypoints=torch.zeros(1, 17, 3),
        point_xy=torch.tensor([[3.5, 5.5], [8.5, 9.5]]),  # centres of cells (1, 1) and (5, 6) of 8
        point_i=torch.tensor([2, 23]),
        point_uv=torch.tensor([[0.25, 0.75], [0.5, 0.125]]),
        point_person=torch.tensor([0, 0]),
        ignored=torch.zeros(0, 4),
        dense=dense,
    )


def true_output(targets: Targets, cells: int = 8, coarse_classes: int = 15) -> ChartOutput:
    """What a perfect network would tell of the person's own box."""
    output = ChartOutput(*(torch.zeros(1, n, cells, cells) for n in (coarse_classes, 25, 25, 25)))
    left = torch.arange(cells) < cells / 2
    torso, head = (1, 14) if coarse_classes == 15 else (1, 1)
    output.coarse[:, torso, :, left], output.coarse[:, head, :, ~left] = SURE, SURE
    output.fine[:, 2, :, left], output.fine[:, 23, :, ~left] = SURE, SURE
    for chart, uv in zip(targets.point_i, targets.point_uv, strict=True):
        output.u[:, chart], output.v[:, chart] = uv[0], uv[1]
    return output


def losses_of(output, targets, regions=None, **kwargs):
    regions = targets.boxes if regions is None else regions
    zero = torch.zeros(len(regions), dtype=torch.long)
    return region_losses(output, regions, zero, zero, [targets], **kwargs)


@pytest.mark.parametrize("coarse_classes", [2, 15])
def test_the_truth_has_no_loss(coarse_classes):
    targets = one_person()
    losses = losses_of(true_output(targets, coarse_classes=coarse_classes), targets)
    assert set(losses) == {"coarse", "chart", "u", "v"}
    assert all(abs(loss.item()) < 1e-6 for loss in losses.values())


def test_ignorance_by_hand():
    targets, nothing = one_person(), ChartOutput(*(torch.zeros(1, n, 8, 8) for n in (15, 25, 25, 25)))
    losses = losses_of(nothing, targets)
    by_hand = {
        "coarse": 5 * math.log(15),
        "chart": math.log(25),
        "u": 0.01 * 2 * (0.25**2 + 0.5**2) / 2,
        "v": 0.01 * 2 * (0.75**2 + 0.125**2) / 2,
    }
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(by_hand, rel=1e-5)
    legacy = losses_of(nothing, targets, weights=LossWeights(coarse=2.0, chart=0.3, uv=0.1))
    assert legacy["u"].item() == pytest.approx(10 * by_hand["u"], rel=1e-5)
    assert legacy["coarse"].item() == pytest.approx(2 * math.log(15), rel=1e-5)


def test_a_moved_point_raises_only_what_is_read_there():
    targets = one_person()
    moved = replace(targets, point_xy=torch.tensor([[8.5, 5.5], [8.5, 9.5]]))  # the torso's point on the head
    losses = losses_of(true_output(targets), moved)
    assert losses["chart"].item() == pytest.approx(SURE / 2, rel=1e-4)
    assert losses["coarse"].item() < 1e-6
    away = replace(targets, point_uv=targets.point_uv + torch.tensor([0.1, 0]))
    losses = losses_of(true_output(targets), away, weights=LossWeights(uv=1.0, beta=0.01))
    assert losses["u"].item() == pytest.approx(2 * 2 * (0.1 - 0.005), rel=1e-4)
    assert losses["v"].item() == 0


@pytest.mark.parametrize(("coarse_classes", "at_points"), [(2, math.log(2)), (15, math.log(15))])
def test_losses_that_are_means_by_hand(coarse_classes, at_points):
    targets, nothing = one_person(), ChartOutput(*(torch.zeros(1, n, 8, 8) for n in (coarse_classes, 25, 25, 25)))
    weights = LossWeights(uv=3.0, beta=0.01, uv_mean=True, coarse_points=0.5)
    losses = losses_of(nothing, targets, weights=weights)
    assert losses["coarse_points"].item() == pytest.approx(0.5 * at_points, rel=1e-5)
    assert losses["u"].item() == pytest.approx(3 * ((0.25 + 0.5) / 2 - 0.005), rel=1e-5)
    twice = losses_of(
        ChartOutput(*(None if maps is None else maps.repeat(2, 1, 1, 1) for maps in nothing)),
        targets,
        targets.boxes.repeat(2, 1),
        weights=weights,
    )
    assert {name: loss.item() for name, loss in twice.items()} == pytest.approx(
        {name: loss.item() for name, loss in losses.items()}
    )


def test_the_segmentation_is_pushed_at_points_towards_their_part():
    targets = one_person()
    output = true_output(targets)
    weights = LossWeights(coarse_points=1.0)
    assert losses_of(output, targets, weights=weights)["coarse_points"].item() < 1e-6
    moved = replace(targets, point_xy=torch.tensor([[8.5, 5.5], [8.5, 9.5]]))  # the torso's point on the head
    assert losses_of(output, moved, weights=weights)["coarse_points"].item() == pytest.approx(SURE / 2, rel=1e-4)


def test_points_outside_the_region_and_people_without_points_teach_nothing():
    targets = one_person()
    output = true_output(targets)
    far = replace(targets, point_xy=torch.tensor([[1.5, 5.5], [8.5, 9.5]]))
    assert losses_of(output, far)["chart"].item() < 1e-6
    bare = replace(targets, annotated=torch.tensor([False]), point_person=torch.tensor([7, 7]))
    wrong = ChartOutput(*(torch.randn(1, n, 8, 8) for n in (15, 25, 25, 25)))
    assert all(loss.item() == 0 for loss in losses_of(wrong, bare).values())


def test_no_region_is_no_loss_and_still_a_gradient():
    maps = [torch.zeros(0, n, 8, 8, requires_grad=True) for n in (2, 25, 25, 25)]
    losses = losses_of(ChartOutput(*maps), one_person(), regions=torch.zeros(0, 4))
    assert all(loss.item() == 0 for loss in losses.values())
    sum(losses.values()).backward()


def test_a_shifted_region_sees_shifted_masks():
    """A region one cell to the left and wider: its first column of cells lies outside the person's box."""
    targets = one_person()
    regions = torch.tensor([[1.0, 4, 11, 12]])
    parts = parts_at(region_centres(regions, 10)[0], targets.parts[0], targets.boxes[0])
    assert parts[0].tolist() == [0, 1, 1, 1, 1, 14, 14, 14, 14, 0]


def test_dense_labels_weigh_as_points_and_the_truth_has_no_loss():
    """Chart 2 left, 23 right at every pixel of the box, one row of pixels not labelled."""
    i, person = torch.zeros(16, 16, dtype=torch.uint8), torch.zeros(16, 16, dtype=torch.uint8)
    i[4:11, 2:6], i[4:11, 6:10], person[4:11, 2:10] = 2, 23, 1
    u, v = 0.25 * (i == 2) + 0.5 * (i == 23), 0.75 * (i == 2) + 0.125 * (i == 23)
    targets = one_person(DenseLabels(i, u, v, person))
    output = true_output(targets)
    assert all(loss.item() < 1e-6 for loss in losses_of(output, targets).values())
    spoilt = output._replace(u=output.u.clone())
    spoilt.u[0, :, 7] += 1  # where nothing is labelled
    assert losses_of(spoilt, targets)["u"].item() < 1e-6
    spoilt.u[0, :, 2] += 1  # one row of the seven labelled: 100 / 7 of the weight, smooth L1 of 1 is 1/2
    assert losses_of(spoilt, targets)["u"].item() == pytest.approx(0.01 * 2 * 100 / 7 / 2, rel=1e-4)


def test_dense_labels_may_be_learned_between_the_centres_of_cells():
    """Labels are those of the pixels where the places fall, which differ from draw to draw and stay in their cells."""
    torch.manual_seed(0)
    u, v = torch.rand(2, 40, 40)
    one = torch.ones(40, 40, dtype=torch.uint8)
    regions, row = torch.tensor([[2.0, 4, 34, 36], [6, 6, 16, 38]]), torch.tensor([0, 0])
    x, y = region_axes(regions, 8)
    places = [
        dense_points(torch.arange(2), x, y, row, DenseLabels(one, u, v, one), torch.Generator().manual_seed(seed))
        for seed in (1, 2)
    ]
    centres = dense_points(torch.arange(2), x, y, row, DenseLabels(one, u, v, one))
    assert (places[0].xy != places[1].xy).any()
    for points in places:
        assert len(points.xy) == 2 * 64 and (points.weight == centres.weight).all()
        assert ((points.xy - centres.xy).abs() <= 0.5 / 8 + 1e-6).all()
        low, high = regions[points.region].split(2, dim=1)
        column, line = (low + points.xy * (high - low)).long().unbind(1)
        torch.testing.assert_close(points.uv, torch.stack([u[line, column], v[line, column]], 1))


def test_jitter_leaves_losses_without_dense_labels_as_they_are():
    targets = one_person()
    torch.manual_seed(0)
    output = ChartOutput(*(torch.randn(1, n, 8, 8) for n in (2, 25, 25, 25)))
    plain, jittered = (losses_of(output, targets, weights=LossWeights(dense_jitter=one)) for one in (False, True))
    assert plain == jittered


def inverse_softplus(x: float) -> float:
    return math.log(math.expm1(x))


def points_with_errors(errors: torch.Tensor) -> tuple[ChartOutput, LabelledPoints]:
    """A region that tells (0, 0) everywhere, and points whose truth is away from it by errors (P, 2)."""
    output = ChartOutput(*(torch.zeros(1, n, 4, 4) for n in (2, 25, 25, 25, 25, 25, 25)))
    one = torch.ones(len(errors), dtype=torch.long)
    return output, LabelledPoints(0 * one, torch.full_like(errors, 0.5), one, -errors, torch.ones(len(errors)))


def test_isotropic_likelihood_is_that_of_torch_and_least_at_the_true_variance():
    errors = 0.3 * torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    output, points = points_with_errors(errors)

    def loss(variance):
        return iso_uv_loss(
            output._replace(sigma_2=torch.full_like(output.u, inverse_softplus(variance - MIN_VARIANCE))), points
        )

    normal = torch.distributions.MultivariateNormal(torch.zeros(2), 0.2 * torch.eye(2))
    assert loss(0.2).item() == pytest.approx(-normal.log_prob(errors).sum().item(), rel=1e-4)
    true = (errors**2).mean().item()
    assert loss(true) < loss(1.05 * true) and loss(true) < loss(0.95 * true)


def test_anisotropic_likelihood_is_that_of_torch_and_without_kappa_the_isotropic_one():
    errors = 0.3 * torch.randn(50, 2, generator=torch.Generator().manual_seed(1))
    output, points = points_with_errors(errors)
    output = output._replace(sigma_2=torch.full_like(output.u, inverse_softplus(0.2 - MIN_VARIANCE)))
    assert aniso_uv_loss(output, points).item() == pytest.approx(iso_uv_loss(output, points).item(), rel=1e-5)
    kappa = torch.tensor([0.4, -0.3])
    output = output._replace(kappa_u=output.kappa_u + kappa[0], kappa_v=output.kappa_v + kappa[1])
    normal = torch.distributions.MultivariateNormal(torch.zeros(2), 0.2 * torch.eye(2) + kappa[:, None] * kappa)
    assert aniso_uv_loss(output, points).item() == pytest.approx(-normal.log_prob(errors).sum().item(), rel=1e-4)


@pytest.mark.parametrize("maps", [5, 7])
def test_models_with_confidences_have_one_loss_of_u_and_v(maps):
    output = ChartOutput(*(torch.zeros(1, n, 8, 8) for n in (2, *[25] * (maps - 1))))
    assert set(losses_of(output, one_person())) == {"coarse", "chart", "uv"}


def random_image(random: torch.Generator, num_people: int, size_hw: tuple[int, int], dense: bool) -> Targets:
    """People in boxes that may leave the image, points in no order of their people, some of them outside the boxes."""

    def rand(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=random)

    def randint(high: int, *shape: int) -> torch.Tensor:
        return torch.randint(high, shape, generator=random)

    low = 30 * rand(num_people, 2) - 5
    boxes = torch.cat([low, low + 5 + 30 * rand(num_people, 2)], 1)
    person = randint(num_people, 12 * num_people) if num_people else torch.zeros(0, dtype=torch.int64)
    size = boxes[person, 2:] - boxes[person, :2]
    labels = (randint(25, *size_hw).to(torch.uint8), rand(*size_hw), rand(*size_hw))
    return Targets(
        boxes=boxes,
        parts=randint(15, num_people, 256, 256).to(torch.uint8),
        annotated=torch.arange(num_people) != 1,
        keypoints=torch.zeros(num_people, 17, 3),
        point_xy=boxes[person, :2] + size * (1.2 * rand(len(person), 2) - 0.1),
        point_i=1 + randint(24, len(person)),
        point_uv=rand(len(person), 2),
        point_person=person,
        ignored=torch.zeros(0, 4),
        dense=DenseLabels(*labels, randint(num_people + 1, *size_hw).to(torch.uint8)) if dense else None,
    )


def read_at(maps: torch.Tensor, x: float, y: float) -> torch.Tensor:
    """Maps (C, S, S) at a place in [0, 1] x [0, 1], (C,): by torch's own interpolation."""
    grid = torch.tensor([[[[2 * x - 1, 2 * y - 1]]]], dtype=maps.dtype)
    return F.grid_sample(maps[None], grid, padding_mode="border", align_corners=False).flatten()


def plain_points(region, who: int, targets: Targets, cells: int) -> list[tuple]:
    """(x, y, chart, u, v, weight) of a region: one after the other."""
    x0, y0, x1, y1 = region.tolist()
    found = []
    for (x, y), chart, (u, v), owner in zip(
        targets.point_xy.tolist(), targets.point_i.tolist(), targets.point_uv.tolist(), targets.point_person.tolist(),
        strict=True,
    ):  # fmt: skip
        if owner == who and x0 <= x <= x1 and y0 <= y <= y1:
            found.append(((x - x0) / (x1 - x0), (y - y0) / (y1 - y0), chart, u, v, 1.0))
    if targets.dense is None:
        return found
    dense, labelled = targets.dense, []
    for row in range(cells):
        for column in range(cells):
            x, y = (column + 0.5) / cells, (row + 0.5) / cells
            left, top = math.floor(x0 + x * (x1 - x0)), math.floor(y0 + y * (y1 - y0))
            if 0 <= top < dense.i.shape[0] and 0 <= left < dense.i.shape[1] and dense.i[top, left] > 0:
                if dense.person[top, left] == who + 1:
                    labelled.append((x, y, *(labels[top, left].item() for labels in dense[:3])))
    return found + [(*one, DENSE_WEIGHT / len(labelled)) for one in labelled]


def plain_losses(output, regions, image, person, targets, stands_for) -> dict[str, float]:
    """`region_losses` as one loop over regions, cells and points."""
    cells = output.coarse.shape[-1]
    sums, coarse_weight, chart_weight = dict.fromkeys(("coarse", "chart", "u", "v"), 0.0), 0.0, 0.0
    for k, (n, who) in enumerate(zip(image.tolist(), person.tolist(), strict=True)):
        log_coarse, log_fine = output.coarse[k].log_softmax(0), output.fine[k]
        if targets[n].annotated[who]:
            centres = region_centres(regions[k, None], cells)[0].numpy()
            for row, column in np.ndindex(cells, cells):
                part = part_at(targets[n].parts[who].numpy(), targets[n].boxes[who].numpy(), centres[row, column])
                sums["coarse"] -= stands_for[k].item() * log_coarse[int(part), row, column].item()
                coarse_weight += stands_for[k].item()
        for x, y, chart, u, v, weight in plain_points(regions[k], who, targets[n], cells):
            weight *= stands_for[k].item()
            sums["chart"] -= weight * read_at(log_fine, x, y).log_softmax(0)[chart].item()
            chart_weight += weight
            for name, maps, true in (("u", output.u, u), ("v", output.v, v)):
                error = abs(read_at(maps[k], x, y)[chart].item() - true)
                sums[name] += weight * (error**2 / 2 if error < 1 else error - 0.5)
    weights = LossWeights()
    return {
        "coarse": weights.coarse * sums["coarse"] / coarse_weight,
        "chart": weights.chart * sums["chart"] / chart_weight,
        "u": weights.uv * sums["u"] * 2 / len(targets),
        "v": weights.uv * sums["v"] * 2 / len(targets),
    }


@pytest.mark.parametrize("seed", range(4))
def test_all_regions_at_once_are_what_a_plain_loop_over_them_gives(seed):
    """Images of several sizes, with and without dense labels, one of them with nobody; people without annotation."""
    random = torch.Generator().manual_seed(seed)
    shapes = [(3, (40, 50), True), (0, (30, 30), True), (2, (64, 20), False), (1, (33, 47), True)]
    targets = [random_image(random, *shape) for shape in shapes]
    image = torch.tensor([0, 3, 2, 0, 2, 0, 3, 0])
    person = torch.tensor([2, 0, 0, 1, 1, 0, 0, 2])
    boxes = torch.stack([targets[n].boxes[who] for n, who in zip(image, person, strict=True)])
    regions = boxes + 4 * torch.rand(len(boxes), 4, generator=random) - 2
    output = ChartOutput(*(torch.randn(len(image), n, 6, 6, generator=random) for n in (15, 25, 25, 25)))
    stands_for = torch.tensor([1.0, 2, 1, 3, 1, 0, 0.5, 1])
    losses = region_losses(output, regions, image, person, targets, stands_for=stands_for)
    by_loop = plain_losses(output, regions, image, person, targets, stands_for)
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(by_loop, rel=2e-4)
