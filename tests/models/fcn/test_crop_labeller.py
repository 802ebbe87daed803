"""A network that learns annotated crops to give others its ResNet."""

from dataclasses import replace

import pytest
import torch

from opendensepose.models.fcn.crop_labeller import CropLabeller, neighbourhood
from opendensepose.models.targets import Targets
from opendensepose.models.zoo import build_model

TINY = {"side": 32, "depth": 18, "norm": "group", "channels": 32, "width": 32}


def one_person(annotated=True) -> Targets:
    return Targets(
        boxes=torch.tensor([[10.0, 20, 50, 60]]),
        parts=torch.full((1, 256, 256), 2, dtype=torch.uint8),
        annotated=torch.tensor([annotated]),
        keypoints=torch.zeros(1, 17, 3),
        point_xy=torch.tensor([[30.0, 30], [12.0, 58]]),
        point_i=torch.tensor([3, 3]),
        point_uv=torch.tensor([[0.5, 0.5], [0.1, 0.9]]),
        point_person=torch.tensor([0, 0]),
        ignored=torch.tensor([[0.0, 0, 10, 10]]),
    )


def test_what_is_known_moves_with_the_crop():
    moved = neighbourhood(one_person(), torch.tensor([20.0, 20, 36, 36]), 32)
    assert moved.boxes.tolist() == [[-20, 0, 60, 80]] and moved.ignored.tolist() == [[-40, -40, -20, -20]]
    assert moved.point_xy.tolist() == [[20, 20]] and moved.point_uv.tolist() == [[0.5, 0.5]]
    assert moved.point_person.tolist() == [0]


def test_output_is_at_stride_four():
    model = build_model("crop_labeller", **TINY)
    output = model([torch.zeros(3, 64, 32)])
    assert output.logits.shape == output.u.shape == output.v.shape == (1, 25, 16, 8)


def test_it_learns_its_crops_and_the_whole_resnet_with_them():
    torch.manual_seed(0)
    model, image = CropLabeller(**TINY), torch.rand(3, 80, 100) * 255
    model.num_crops = 2
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    seen = []
    for step in range(12):
        losses = model.losses([image], [replace(one_person(), seed=step % 2)])
        assert set(losses) == {"part", "chart", "u", "v"}
        optimizer.zero_grad()
        sum(losses.values()).backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.resnet.parameters())
        optimizer.step()
        seen.append(sum(losses.values()).item())
    assert seen[-1] < 0.8 * seen[0]


def test_nobody_annotated_costs_nothing():
    losses = CropLabeller(**TINY).losses([torch.zeros(3, 64, 64)], [one_person(annotated=False)])
    assert [loss.item() for loss in losses.values()] == [0, 0, 0, 0]


def test_the_side_of_the_crops_must_fit_the_strides():
    with pytest.raises(ValueError, match="multiple of 32, got 100"):
        CropLabeller(side=100)
