"""Boxes from cells: geometry, thresholds and suppression."""

import torch

from opendensepose.models.cells import cell_centres
from opendensepose.models.densepose_lite.detection_head import STRIDE, DetectionHead, decode_boxes, nms


def test_boxes_hold_their_cell_and_have_equal_sides_at_zero_output():
    head = DetectionHead(3, hidden_channels=4).eval()
    torch.nn.init.zeros_(head.sides.weight)
    torch.nn.init.zeros_(head.sides.bias)
    output = head(torch.rand(2, 3, 4, 5))
    assert output.heat_logit.shape == (2, 4, 5) and output.boxes_xyxy.shape == (2, 4, 5, 4)
    centres = cell_centres((4, 5), STRIDE)
    torch.testing.assert_close(output.boxes_xyxy[0, ..., :2], centres - 40)
    torch.testing.assert_close(output.boxes_xyxy[0, ..., 2:], centres + 40)


def test_people_are_rare_at_the_start():
    torch.manual_seed(0)
    head = DetectionHead(3).eval()
    torch.nn.init.zeros_(head.heat.weight)
    torch.testing.assert_close(head(torch.rand(1, 3, 4, 4)).heat_logit.sigmoid(), torch.full((1, 4, 4), 0.02))


def test_best_first_doubles_suppressed_weak_left_out():
    heat = torch.full((2, 2), -9.0)
    heat[0, 0], heat[0, 1], heat[1, 0] = 1.0, 2.0, -0.5
    boxes = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 10, 11]], [[50, 50, 60, 60], [0, 0, 5, 5]]])
    found, scores = decode_boxes(heat, boxes, min_score=0.3)
    assert found.tolist() == [[0, 0, 10, 11], [50, 50, 60, 60]]
    torch.testing.assert_close(scores, torch.tensor([2.0, -0.5]).sigmoid())
    found, _ = decode_boxes(heat, boxes, min_score=0.5)
    assert len(found) == 1
    found, scores = decode_boxes(heat, boxes, min_score=0.99)
    assert found.shape == (0, 4) and scores.shape == (0,)


def test_suppression_by_another_route():
    from torchvision.ops import nms as reference_nms

    generator = torch.Generator().manual_seed(0)
    corner, side = torch.rand(2, 120, 2, generator=generator) * 50
    boxes = torch.cat([corner, corner + side], dim=1)
    for max_iou in (0.2, 0.6):
        expected = reference_nms(boxes, torch.linspace(1, 0, 120), max_iou)
        assert nms(boxes, max_iou).tolist() == expected.tolist()
    assert nms(boxes[:0], 0.5).tolist() == []
