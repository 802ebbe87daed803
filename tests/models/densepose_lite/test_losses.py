"""Losses: answers by hand, and what must not matter."""

import math

import pytest
import torch

from opendensepose.models.densepose_lite.losses import (
    box_loss,
    centre_targets,
    chart_loss,
    confidence_loss,
    dense_losses,
    detection_losses,
    heat_loss,
    quality_loss,
    uv_loss,
)
from opendensepose.models.densepose_lite.network import DenseOutput, DetectionOutput


def test_chart_loss_of_ignorance_is_log_25():
    i = torch.tensor([[[0, 3], [24, 7]]])
    assert chart_loss(torch.zeros(1, 25, 2, 2), i).item() == pytest.approx(math.log(25), rel=1e-5)


def test_chart_loss_weighs_people_more():
    i = torch.tensor([[[0, 3]]])
    logits = torch.zeros(1, 25, 1, 2)
    logits[0, 0, 0, 0] = 50  # background right, the person unknown: (1 * 0 + 1.5 log 25) / 2.5
    assert chart_loss(logits, i).item() == pytest.approx(1.5 * math.log(25) / 2.5, rel=1e-5)


def test_uv_loss_by_hand():
    i = torch.tensor([[[0, 2, 2]]])
    predicted = torch.full((1, 24, 1, 3), 9.0)  # other charts and the background do not matter
    predicted[0, 1, 0] = torch.tensor([9.0, 0.5, 0.5])
    target = torch.tensor([[[0.0, 0.3, 0.49]]])
    by_hand = ((0.2 - 0.025) + 0.01**2 / 0.1) / 2
    assert uv_loss(predicted, target, i).item() == pytest.approx(by_hand, rel=1e-4)
    assert uv_loss(predicted, target, torch.zeros_like(i)).item() == 0


def test_confidence_loss_asks_whether_the_chart_decided_for_is_right():
    predicted, i = torch.tensor([[[4, 4, 4]]]), torch.tensor([[[4, 5, 0]]])
    certain = torch.tensor([[[20.0, -20.0, -20.0]]])
    assert confidence_loss(certain, predicted, i).item() < 1e-6
    assert confidence_loss(-certain, predicted, i).item() == pytest.approx(20, rel=1e-4)
    predicted[0, 0, 2] = 0  # background in both: left out
    spoilt = certain.clone()
    spoilt[..., 2] = 99
    assert confidence_loss(spoilt, predicted, i).item() < 1e-6


def test_quality_is_the_share_of_right_labels_of_a_person_and_0_without_one():
    predicted = torch.tensor([[[4, 4, 0, 0]], [[3, 0, 0, 0]], [[0, 0, 0, 0]]])
    i = torch.tensor([[[4, 5, 6, 0]], [[0, 0, 0, 0]], [[0, 0, 0, 0]]])
    share = torch.tensor([1 / 3, 0.0, 0.0])  # 1 of 3 cells; a person that is not there; nobody, rightly
    entropy = -(1 / 3 * math.log(1 / 3) + 2 / 3 * math.log(2 / 3)) / 3
    assert quality_loss(torch.logit(share, eps=1e-9), predicted, i).item() == pytest.approx(entropy, rel=1e-4)
    assert quality_loss(torch.tensor([0.0, 0.0, 20.0]), predicted, i).item() > 20 / 3


@pytest.mark.parametrize("offset", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_dense_losses_vanish_for_the_truth(offset):
    """Labels constant in 4x4 cells: whichever pixel labels a cell, a perfect output has no loss."""
    generator = torch.Generator().manual_seed(0)
    i4 = torch.randint(0, 25, (2, 3, 2), generator=generator)
    u4, v4 = torch.rand(2, 3, 2, generator=generator), torch.rand(2, 3, 2, generator=generator)
    full = lambda x, n: x.repeat_interleave(n, 1).repeat_interleave(n, 2)  # noqa: E731
    logits = 60.0 * torch.nn.functional.one_hot(full(i4, 2), 25).permute(0, 3, 1, 2)
    everywhere = lambda x: x[:, None].expand(-1, 24, -1, -1)  # noqa: E731
    output = DenseOutput(logits, everywhere(u4), everywhere(v4), torch.full((2, 6, 4), 60.0), torch.full((2,), 60.0))
    losses = dense_losses(output, full(i4, 4), full(u4, 4), full(v4, 4), offset)
    assert set(losses) == {"chart", "u", "v", "confidence", "quality"}
    assert all(loss.item() < 1e-6 for loss in losses.values())


def test_centre_targets_by_hand():
    boxes = torch.tensor([[[0.0, 0, 24, 40], [0, 0, 0, 0]], [[0, 0, 0, 0], [0, 0, 0, 0]]])
    heat, box = centre_targets(boxes, (5, 4))
    assert heat.shape == (2, 5, 4) and box.shape == (2, 5, 4, 4)
    assert torch.nonzero(heat == 1).tolist() == [[0, 2, 1]]  # the box's centre (12, 20) is that cell's centre
    assert box[0, 2, 1].tolist() == [0, 0, 24, 40]
    assert heat[0, 2, 2].item() == pytest.approx(math.exp(-0.5 * (8 / 2.4) ** 2), rel=1e-4)
    assert not heat[1].any()  # nobody


def test_every_box_has_a_centre():
    generator = torch.Generator().manual_seed(1)
    corner = torch.rand(50, 1, 2, generator=generator) * 80
    side = torch.rand(50, 1, 2, generator=generator) * 40 + 1
    heat, _ = centre_targets(torch.cat([corner, corner + side], -1), (16, 16))
    assert (heat == 1).flatten(1).any(1).all()


def test_heat_loss_prefers_the_truth():
    heat = torch.tensor([[[1.0, 0.5, 0.0]]])
    good, bad = torch.tensor([[[9.0, 0.0, -9.0]]]), torch.tensor([[[-9.0, 0.0, 9.0]]])
    assert heat_loss(good, heat) < 0.05 < 5 < heat_loss(bad, heat)
    at_centre = heat_loss(torch.zeros(1, 1, 1), torch.ones(1, 1, 1)).item()
    assert at_centre == pytest.approx(0.25 * math.log(2), rel=1e-5)


def test_box_loss_by_hand():
    heat = torch.ones(1, 1, 1)
    box = torch.tensor([[[[0.0, 0, 10, 10]]]])
    assert box_loss(box, box, heat).item() == pytest.approx(0, abs=1e-6)
    beside = torch.tensor([[[[10.0, 0, 20, 10]]]])  # they touch: IoU 0, nothing around but the two
    assert box_loss(beside, box, heat).item() == pytest.approx(1, rel=1e-5)
    far = torch.tensor([[[[30.0, 0, 40, 10]]]])  # half of the 40 x 10 around them is empty
    assert box_loss(far, box, heat).item() == pytest.approx(1.5, rel=1e-5)
    assert box_loss(far, box, 0.1 * heat).item() == 0


def test_detection_losses_of_an_empty_image_are_finite():
    output = DetectionOutput(torch.zeros(1, 4, 4, requires_grad=True), torch.zeros(1, 4, 4, 4, requires_grad=True))
    losses = detection_losses(output, torch.zeros(1, 1, 4))
    sum(losses.values()).backward()
    assert losses["heat"] > 0 and losses["box"] == 0
    assert output.boxes_xyxy.grad.isfinite().all()
