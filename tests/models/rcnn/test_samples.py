"""What DensePose R-CNN learns from: anchors and boxes by hand, losses by hand, and what must not teach."""

import math
from dataclasses import replace

import pytest
import torch
from torchvision.models.detection._utils import Matcher

from opendensepose.models.rcnn.densepose_rcnn import build_densepose_rcnn
from opendensepose.models.rcnn.proposals import PROPOSAL_CODER, ProposalNetwork
from opendensepose.models.rcnn.samples import (
    RegionSamples,
    Sampling,
    box_losses,
    draw,
    match,
    pad_to_multiple,
    proposal_losses,
    sample_boxes,
    task_regions,
    without_ignored,
)
from opendensepose.models.targets import Targets

PEOPLE = [[10.0, 10, 50, 90], [60, 20, 100, 80]]


def targets(boxes=PEOPLE, annotated=None, ignored=(), seed=0, points=5):
    random = torch.Generator().manual_seed(1)
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    count = points * len(boxes)
    person = torch.arange(len(boxes)).repeat_interleave(points)
    inside = 0.1 + 0.8 * torch.rand(count, 2, generator=random)
    return Targets(
        boxes=boxes,
        parts=torch.randint(0, 15, (len(boxes), 256, 256), generator=random, dtype=torch.uint8),
        annotated=torch.tensor(annotated if annotated is not None else [True] * len(boxes), dtype=torch.bool),
        keypoints=torch.zeros(len(boxes), 17, 3),
        point_xy=boxes[person, :2] + inside * (boxes[person, 2:] - boxes[person, :2]),
        point_i=torch.randint(1, 25, (count,), generator=random),
        point_uv=torch.rand(count, 2, generator=random),
        point_person=person,
        ignored=torch.tensor(ignored, dtype=torch.float32).reshape(-1, 4),
        seed=seed,
    )


def test_anchors_are_matched_as_the_paper_says():
    boxes = torch.tensor(
        [[10.0, 10, 50, 90], [10, 10, 50, 50], [10, 10, 50, 20], [200, 0, 210, 10], [62, 30, 100, 70]]
    )  # IoU with their person: 1, 0.5, 0.125, 0 and 0.63, which is the second person's best
    person = match(boxes, targets(), Matcher(0.7, 0.3, allow_low_quality_matches=True))
    assert person.tolist() == [0, -1, -2, -2, 1]
    assert match(boxes, targets([]), Matcher(0.5, 0.5)).tolist() == [-2] * 5


def test_background_in_a_group_teaches_nothing():
    boxes = torch.tensor([[100.0, 0, 120, 10], [115, 0, 125, 10], [0, 0, 10, 10], [110, 0, 120, 10]])
    person = torch.tensor([-2, -2, -2, 1])
    kept = without_ignored(person, boxes, targets(ignored=[[100, 0, 119, 50]]))
    assert kept.tolist() == [-1, -2, -2, 1]  # 95 %, 40 %, nothing; a person stays one


def test_draws_have_the_numbers_asked_for_and_depend_on_the_seed_alone():
    person = torch.tensor([0] * 10 + [-2] * 30 + [-1] * 5)
    for most, fraction, positive, negative in ((16, 0.25, 4, 12), (16, 0.9, 10, 6), (100, 0.5, 10, 30)):
        one = draw(person, most, fraction, torch.Generator().manual_seed(3))
        assert [len(part) for part in one] == [positive, negative]
        assert (person[one[0]] == 0).all() and (person[one[1]] == -2).all() and len(set(one[1].tolist())) == negative
        again = draw(person, most, fraction, torch.Generator().manual_seed(3))
        assert all(torch.equal(*pair) for pair in zip(one, again, strict=True))


PROPOSALS = torch.tensor(
    [[10.0, 10, 50, 66], [10, 10, 50, 64], [60, 20, 100, 79], [0, 0, 5, 5]]
)  # IoU 0.7, 0.675 with the first, 0.98 with the second


def test_which_boxes_teach_charts():
    target, sampling = targets(annotated=[True, False]), Sampling(box_positive=1.0)
    sampled = sample_boxes(PROPOSALS, target, sampling)
    assert sorted(sampled.person.tolist()) == [-2, 0, 0, 0, 1, 1]
    regions = task_regions(sampled, target, sampling)
    assert sorted(regions.boxes[:, 3].tolist()) == [66, 90] and regions.person.tolist() == [0, 0]
    assert regions.stands_for.tolist() == [1, 1]
    nobody = sample_boxes(PROPOSALS, targets([]), sampling)
    assert len(nobody.boxes) == 4 and len(task_regions(nobody, targets([]), sampling).boxes) == 0


def test_regions_of_other_tasks_stand_for_none_that_teaches_charts():
    target, sampling = targets(annotated=[True, False]), Sampling(box_positive=1.0)
    sampled = sample_boxes(PROPOSALS, target, sampling)
    regions = task_regions(sampled, target, sampling, others=torch.tensor([False, True]))
    by_edge = dict(zip(regions.boxes[:, 3].tolist(), regions.stands_for.tolist(), strict=True))
    assert by_edge == {66: 1, 90: 1, 79: 0, 80: 0}
    assert (regions.person == (regions.stands_for == 0)).all()  # the second person teaches no charts


def test_few_regions_stand_for_all():
    """Of four regions that teach charts two are taken, and their weights add up to four."""
    sampled, sampling = sample_boxes(PROPOSALS, targets(), Sampling(box_positive=1.0)), Sampling(dense=2)
    regions = task_regions(sampled, targets(), sampling)
    assert len(regions.boxes) == 2 and regions.stands_for.tolist() == [2, 2]
    assert len(task_regions(sampled, targets(), Sampling(dense=None)).boxes) == 4


def test_box_losses_by_hand():
    regions = [RegionSamples(torch.tensor([[10.0, 10, 50, 90], [0, 0, 10, 10]]), torch.tensor([0, -2]))]
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]])
    deltas = torch.tensor([[1.0, 0, 0, -0.5], [9, 9, 9, 9]])
    losses = box_losses(logits, deltas, regions, [targets()])
    assert losses["class"].item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)
    assert losses["box"].item() == pytest.approx(1.5 / 2)


def test_proposal_losses_fall_to_nothing_where_all_is_right():
    torch.manual_seed(0)
    network = ProposalNetwork(channels=8)
    pyramid = [torch.rand(1, 8, 128 // s, 128 // s) for s in (4, 8, 16, 32, 64)]
    target, anchors = targets(), torch.cat(network.anchors(pyramid))
    person = match(anchors, target, Matcher(0.7, 0.3, allow_low_quality_matches=True))
    aimed = target.boxes[person.clamp(min=0)]
    wanted = PROPOSAL_CODER.encode_single(aimed, anchors) * (person >= 0)[:, None]
    sizes = [level.shape[-1] ** 2 * 3 for level in pyramid]
    parts = zip(torch.where(person >= 0, 20.0, -20.0).split(sizes), wanted.split(sizes), strict=True)
    answers = iter([(logits[None], deltas[None]) for logits, deltas in parts])
    network.raw = lambda features: next(answers)
    losses, (boxes,) = proposal_losses(network, pyramid, [(128, 128)], [target], Sampling())
    assert losses["proposal"] < 1e-6 and losses["proposal_box"] < 1e-6
    for person_box in target.boxes:  # and the proposals begin with the people
        assert ((boxes[:2] - person_box).abs().amax(1) < 0.01).any()


def test_filling_up_keeps_the_order():
    boxes = [torch.rand(3, 4), torch.zeros(0, 4), torch.rand(2, 4)]
    more = pad_to_multiple(boxes, 4)
    assert [len(one) for one in more] == [3, 0, 5]
    assert torch.equal(torch.cat(more)[:5], torch.cat(boxes))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = build_densepose_rcnn(
        depth=18,
        width=32,
        norm="group",
        channels=16,
        head_channels=16,
        head_layers=1,
        decoder=False,
        cells=7,
        box_hidden=16,
    )
    network.sampling = Sampling(anchors=32, proposals_per_level=50, proposals=20, boxes=16)
    return network


def images(count):
    random = torch.Generator().manual_seed(0)
    return [255 * torch.rand(3, 96, 128, generator=random) for _ in range(count)]


def test_losses_of_a_batch_are_means_over_its_images(network):
    """An image's share does not depend on whom it is seen with: with two copies all stays as with one."""
    one = network.losses(images(1), [targets(seed=4)])
    two = network.losses(images(1) * 2, [targets(seed=4)] * 2)
    assert set(one) == {"proposal", "proposal_box", "class", "box", "coarse", "chart", "u", "v"}
    for name in one:
        assert two[name].item() == pytest.approx(one[name].item(), rel=1e-4), name


def test_images_without_people_still_reach_every_weight(network):
    losses = network.losses(images(2), [targets([]), targets([])])
    assert all(losses[name] == 0 for name in ("proposal_box", "box", "coarse", "chart", "u", "v"))
    network.zero_grad()
    sum(losses.values()).backward()  # processes that share a batch wait for each other's gradients
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_people_who_are_only_boxes_teach_the_detector_alone(network):
    target = targets(annotated=[False, False])
    losses = network.losses(images(1), [target])
    assert losses["chart"] == losses["u"] == losses["coarse"] == 0 and losses["proposal_box"] > 0
    annotated = network.losses(images(1), [replace(target, annotated=torch.tensor([True, True]))])
    assert annotated["chart"] > 0
    for name in ("proposal", "proposal_box", "class", "box"):
        torch.testing.assert_close(annotated[name], losses[name])
