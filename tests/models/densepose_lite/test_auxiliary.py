"""Auxiliary outputs: answers by hand."""

import math

import pytest
import torch

from opendensepose.models.densepose_lite.auxiliary import AuxiliaryHeads, auxiliary_losses, keypoint_loss, yaw_loss
from opendensepose.models.densepose_lite.network import Pyramid


def test_keypoint_loss_of_ignorance_is_the_log_of_the_cells():
    keypoints = torch.tensor([[[3.0, 3.0, 2.0]] * 17])
    assert keypoint_loss(torch.zeros(1, 17, 2, 3), keypoints).item() == pytest.approx(math.log(6), rel=1e-5)


def test_keypoints_belong_to_the_cell_that_holds_them():
    logits = torch.zeros(1, 17, 2, 3)
    logits[:, :, 1, 2] = 50.0
    keypoints = torch.tensor([[[16.5, 15.9, 1.0]] * 17])
    keypoints[:, :, 1] = 8.0  # row 1, column 2
    assert keypoint_loss(logits, keypoints).item() < 1e-6
    keypoints[:, 3] = torch.tensor([15.9, 8.0, 1.0])  # one of 17 in column 1
    assert keypoint_loss(logits, keypoints).item() == pytest.approx(50 / 17, rel=1e-4)


def test_keypoints_outside_or_unknown_do_not_matter():
    logits = torch.randn(2, 17, 2, 3)
    keypoints = torch.zeros(2, 17, 3)
    keypoints[0, :, 2] = 2.0
    keypoints[0, :8] = torch.tensor([-1.0, 3.0, 2.0])
    keypoints[0, 8:] = torch.tensor([3.0, 16.0, 2.0])
    assert keypoint_loss(logits, keypoints).item() == 0


@pytest.mark.parametrize(
    ("yaw", "target"),
    [
        (0.0, {0: 1.0}),
        (math.pi / 12, {0: 0.5, 1: 0.5}),
        (-math.pi / 6, {11: 1.0}),
        (math.pi, {6: 1.0}),
        (-math.pi, {6: 1.0}),
    ],
)
def test_yaw_is_shared_by_the_two_bins_beside_it(yaw, target):
    logits = torch.randn(1, 12)
    by_hand = -sum(share * logits.log_softmax(1)[0, b].item() for b, share in target.items())
    assert yaw_loss(logits, torch.tensor([yaw])).item() == pytest.approx(by_hand, rel=1e-4)


def test_unknown_yaws_do_not_matter():
    logits = torch.randn(2, 12)
    one = yaw_loss(logits[:1], torch.tensor([0.3]))
    torch.testing.assert_close(yaw_loss(logits, torch.tensor([0.3, math.nan])), one)
    assert yaw_loss(logits, torch.tensor([math.nan] * 2)).item() == 0


def test_heads_fit_the_pyramid_and_learn():
    heads = AuxiliaryHeads((4, 6, 8, 10))
    pyramid = Pyramid(None, torch.randn(2, 6, 5, 4), torch.randn(2, 10))
    losses = auxiliary_losses(heads(pyramid), torch.full((2, 17, 3), 9.0), torch.zeros(2))
    assert set(losses) == {"keypoint", "yaw"}
    sum(losses.values()).backward()
    assert all(p.grad.abs().sum() > 0 for p in heads.parameters())
