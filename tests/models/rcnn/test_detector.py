"""The detector: boxes chosen, and regions pooled."""

import torch
from torchvision.ops import roi_align

from opendensepose.models.rcnn.densepose_rcnn import build_densepose_rcnn
from opendensepose.models.rcnn.detector import select_boxes

TINY = {
    "depth": 18, "width": 32, "channels": 32, "box_hidden": 64, "head_channels": 32, "head_layers": 1,
    "short_side": 64, "long_side": 96,
}  # fmt: skip


def test_select_boxes_by_hand():
    logits = torch.tensor([[2.0, 0], [3.0, 0], [-1.0, 0], [5.0, 0], [torch.nan, 0]])
    proposals = torch.tensor([[0.0, 0, 10, 10], [0, 1, 10, 10], [50, 50, 60, 70], [90, 90, 90, 95], [0, 0, 1, 1]])
    found = select_boxes(logits, torch.zeros(5, 4), proposals, (65, 100), min_score=0.2)
    assert found.boxes.tolist() == [[0, 1, 10, 10], [50, 50, 60, 65]]  # a double, an empty and a nameless one gone
    torch.testing.assert_close(found.scores, torch.tensor([3.0, -1]).sigmoid())
    assert len(select_boxes(logits, torch.zeros(5, 4), proposals, (65, 100), min_score=0.5).boxes) == 1


def test_classes_have_boxes_of_their_own():
    logits, deltas = torch.tensor([[1.0, 2.0, 0]]), torch.zeros(1, 8)
    deltas[0, 4] = 10.0  # the second class: a whole width to the right
    found = select_boxes(logits, deltas, torch.tensor([[10.0, 10, 20, 20]]), (100, 100), min_score=0.1)
    assert found.boxes.tolist() == [[20, 10, 30, 20], [10, 10, 20, 20]]


@torch.no_grad()
def test_given_people_are_not_searched_and_regions_come_from_the_decoded_map():
    torch.manual_seed(0)
    model = build_densepose_rcnn(**TINY).eval()
    images = [torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8) for _ in range(2)]
    boxes = [torch.tensor([[10.0, 5, 50, 60]]), torch.zeros(0, 4)]
    pyramid, found = model.find(images, boxes)
    assert [level.shape[-2:] for level in pyramid] == [(16, 24), (8, 12), (4, 6), (2, 3), (1, 2)]
    assert [one.scores.tolist() for one in found] == [[1.0], []] and found[0].boxes is boxes[0]
    whole = roi_align(model.decoder(pyramid[:4]), boxes, 28, 1 / 4, 2, aligned=False)
    torch.testing.assert_close(model.regions(pyramid, boxes), whole, rtol=1e-3, atol=1e-3 * whole.std().item())
