"""Anchors, deltas and the choice of proposals."""

import math

import torch
from torchvision.ops import box_iou

from opendensepose.models.rcnn.proposals import BOX_CODER, PROPOSAL_CODER, ProposalNetwork, anchors_of_level


def test_anchors_by_hand():
    anchors = anchors_of_level((2, 3), stride=16, side=32)
    assert anchors.shape == (2 * 3 * 3, 4)
    wide, square, tall = anchors[:3].tolist()
    half = 16 * math.sqrt(2)
    torch.testing.assert_close(torch.tensor(wide), torch.tensor([-half, -half / 2, half, half / 2]))
    assert square == [-16, -16, 16, 16]
    torch.testing.assert_close(torch.tensor(tall), torch.tensor([-half / 2, -half, half / 2, half]))
    assert anchors[3 * 4 + 1].tolist() == [0, 0, 32, 32]  # row 1, column 1
    assert anchors[3 * 2 + 1].tolist() == [16, -16, 48, 16]  # row 0, column 2


def test_deltas_by_hand():
    box = torch.tensor([[10.0, 20, 30, 60]])
    assert PROPOSAL_CODER.decode_single(torch.zeros(1, 4), box).tolist() == box.tolist()
    moved = BOX_CODER.decode_single(torch.tensor([[5.0, 0, 0, 5 * math.log(2)]]), box)
    torch.testing.assert_close(moved, torch.tensor([[20.0, 0, 40, 80]]))
    far = PROPOSAL_CODER.decode_single(torch.tensor([[0.0, 0, 99, 0]]), box)  # at most 1000 / 16 times as wide
    torch.testing.assert_close(far, torch.tensor([[20.0 - 625, 20, 20 + 625, 60]]))


def test_proposals_are_inside_sorted_and_apart():
    torch.manual_seed(0)
    network = ProposalNetwork(channels=8, num_per_level=40, num_kept=50, max_iou=0.5)
    pyramid = [torch.randn(2, 8, 64 // 2**k, 96 // 2**k) for k in range(5)]
    for layer in (network.objectness_logits, network.anchor_deltas):
        torch.nn.init.normal_(layer.weight, std=0.3)
    sizes = [(250, 380), (200, 300)]
    with torch.no_grad():
        found = network(pyramid, sizes)
        best = max(network.raw(level)[0][0].max() for level in pyramid)
    assert len(found) == 2
    assert found[0][1][0] == best
    for (boxes, logits), (height, width) in zip(found, sizes, strict=True):
        assert 5 < len(boxes) <= 50
        assert (boxes[:, 2:] > boxes[:, :2]).all() and boxes.min() >= 0
        assert boxes[:, 2].max() <= width and boxes[:, 3].max() <= height
        assert (logits[:-1] >= logits[1:]).all()


def test_duplicates_are_suppressed_within_a_level():
    torch.manual_seed(1)
    network = ProposalNetwork(channels=4, max_iou=0.3)
    network.objectness_logits.weight.data.normal_()
    with torch.no_grad():
        ((boxes, _),) = network([torch.randn(1, 4, 16, 16)], [(64, 64)])
    assert len(boxes) > 3
    assert (box_iou(boxes, boxes) - torch.eye(len(boxes))).max() <= 0.3


def test_what_is_not_a_number_is_left_out():
    network = ProposalNetwork(channels=4)
    features = torch.zeros(1, 4, 4, 4)
    features[..., 0, 0] = torch.nan  # four cells see it
    with torch.no_grad():
        ((boxes, logits),) = network([features], [(64, 64)])
    assert boxes.isfinite().all() and logits.isfinite().all()
    assert 0 < len(boxes) <= 3 * 12
