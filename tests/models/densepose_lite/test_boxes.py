"""From the detector's raw output to boxes: the best first, duplicates suppressed, scales merged."""

import numpy as np
import pytest
import torch
from torchvision.ops import nms as reference_nms

from opendensepose.models.densepose_lite.boxes import decode_boxes, merge_scales, nms, sigmoid


def test_best_first_doubles_suppressed_weak_left_out():
    heat = np.float32([[1.0, 2.0], [-0.5, -9.0]])
    boxes = np.float32([[[0, 0, 10, 10], [0, 0, 10, 11]], [[50, 50, 60, 60], [0, 0, 5, 5]]])
    found, scores = decode_boxes(heat, boxes, min_score=0.3)
    assert found.tolist() == [[0, 0, 10, 11], [50, 50, 60, 60]]
    np.testing.assert_allclose(scores, 1 / (1 + np.exp([-2.0, 0.5])), rtol=1e-6)
    found, _ = decode_boxes(heat, boxes, min_score=0.5)
    assert len(found) == 1
    found, scores = decode_boxes(heat, boxes, min_score=0.99)
    assert found.shape == (0, 4) and scores.shape == (0,)


def test_suppression_by_another_route():
    corner, side = np.random.default_rng(0).random((2, 120, 2)) * 50
    boxes = np.concatenate([corner, corner + side], axis=1).astype(np.float32)
    for max_iou in (0.2, 0.6):
        expected = reference_nms(torch.from_numpy(boxes), torch.linspace(1, 0, 120), max_iou)
        assert nms(boxes, max_iou).tolist() == expected.tolist()
    assert nms(boxes[:0], 0.5).tolist() == []


def test_scales_are_merged_by_hand():
    """The same person in both scales, the hotter box kept; another who reaches out of the photo; a sliver."""
    near = np.float32([[0, 0, 40, 80]]), np.float32([0.6])
    far = np.float32([[1, 0, 40, 80], [90, -5, 130, 50], [60, 10, 60.5, 40]]), np.float32([0.8, 0.7, 0.5])
    boxes, heat = merge_scales([near, far], (100, 120))
    assert boxes.tolist() == [[1, 0, 40, 80], [90, 0, 120, 50]] and boxes.dtype == np.float32
    np.testing.assert_allclose(heat, [0.8, 0.7])


@pytest.mark.parametrize("logit", [-1000.0, -2.0, 0.0, 30.0])
def test_the_sigmoid_is_torchs_and_does_not_overflow(logit):
    assert sigmoid(np.float32([logit]))[0] == pytest.approx(torch.tensor(logit).sigmoid().item(), abs=1e-7)
