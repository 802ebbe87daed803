"""DensePose R-CNN as a whole, on a small network."""

import pytest
import torch

from opendensepose.models.point_losses import LossWeights
from opendensepose.models.rcnn.densepose_rcnn import build_densepose_rcnn
from opendensepose.models.zoo import build_model

TINY = {
    "depth": 18, "width": 32, "channels": 32, "box_hidden": 64, "head_channels": 32, "head_layers": 1,
    "short_side": 64, "long_side": 96,
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_model("densepose_rcnn", **TINY).eval()


@torch.no_grad()
def test_given_boxes_are_labelled_image_by_image(model):
    images = [torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8) for _ in range(2)]
    boxes = [torch.tensor([[10.0, 5, 50, 60], [0, 0, 96, 64]]), torch.tensor([[30.0, 10, 60, 50]])]
    found, output = model(images, boxes)
    assert [len(one.boxes) for one in found] == [2, 1] and output.u.shape == (3, 25, 112, 112)
    _, alone = model(images[1:], boxes[1:])
    for together, by_itself in zip(output[:4], alone[:4], strict=True):
        torch.testing.assert_close(together[2:], by_itself, rtol=1e-3, atol=1e-3 * together.std().item())


@torch.no_grad()
def test_people_are_found_and_where_there_are_none_nothing_is_told(model):
    image = torch.randint(0, 256, (3, 64, 96), dtype=torch.uint8)
    (found,), output = model([image], min_score=0.0)
    assert 0 < len(found.boxes) <= 100 and len(output.u) == len(found.boxes)
    assert (found.scores[:-1] >= found.scores[1:]).all() and found.scores.max() <= 1
    (found,), output = model([image], min_score=1.0)
    assert len(found.boxes) == 0 and output.fine.shape == (0, 25, 112, 112)


def test_legacy_regions_come_from_all_levels():
    model = build_densepose_rcnn(**TINY, decoder=False, cells=14, coarse_classes=15).eval()
    image = torch.zeros(3, 64, 64, dtype=torch.uint8)
    with torch.no_grad():
        _, output = model([image], [torch.tensor([[0.0, 0, 60, 60]])])
    assert output.coarse.shape == (1, 15, 56, 56)


def test_unknown_heads_are_said():
    with pytest.raises(ValueError, match="head is conv or deeplab, got 'linear'"):
        build_densepose_rcnn(head="linear")


def test_there_is_one_box_for_all_classes_or_one_for_each():
    with pytest.raises(ValueError, match="num_boxes must be 1 or num_classes, 3, got 2"):
        build_densepose_rcnn(num_classes=3, num_boxes=2)


@pytest.mark.parametrize("architecture", ["densepose_rcnn", "cascade_rcnn"])
def test_losses_may_be_means_instead(architecture):
    with torch.device("meta"):
        model = build_model(architecture, **TINY, losses="mean")
    assert model.loss_weights.uv_mean and model.loss_weights.coarse_points > 0
    with pytest.raises(ValueError, match="losses is released or mean, got 'sum'"):
        build_densepose_rcnn(losses="sum")
    with pytest.raises(ValueError, match="likelihood"):
        build_densepose_rcnn(losses="mean", uv_confidence="iid_iso")


CONFIDENT = ({"uv_confidence": "iid_iso"}, {"uv_confidence": "indep_aniso", "mask_confidence": True})


@pytest.mark.parametrize("architecture", ["densepose_rcnn", "cascade_rcnn"])
@pytest.mark.parametrize(
    "told, weights, clip_value",
    [
        ({}, LossWeights(coarse=5, chart=1, uv=0.01), None),
        ({"decoder": False, "cells": 14, "coarse_classes": 15}, LossWeights(coarse=2, chart=0.3, uv=0.1), None),
        *((told, LossWeights(coarse=5, chart=1, uv=0.0005), 1.0) for told in CONFIDENT),
    ],
)
def test_an_architecture_brings_its_released_loss_weights(architecture, told, weights, clip_value):
    """INDEX_WEIGHTS, PART_WEIGHTS, POINT_REGRESSION_WEIGHTS and CLIP_GRADIENTS of detectron2's configurations."""
    with torch.device("meta"):
        model = build_model(architecture, **TINY, **told)
    assert (model.loss_weights, model.clip_value) == (weights, clip_value)
