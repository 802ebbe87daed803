"""The multi-task cascade: every combination of tasks, their losses by hand, and that both stages learn."""

import math
from dataclasses import replace

import pytest
import torch

from opendensepose.models.rcnn.cascade import build_cascade_rcnn, keypoint_loss, mask_loss
from opendensepose.models.rcnn.densepose_rcnn import build_densepose_rcnn
from opendensepose.models.rcnn.samples import RegionSamples
from opendensepose.models.targets import Targets
from opendensepose.models.zoo import build_model

TINY = {
    "depth": 18, "width": 32, "norm": "group", "channels": 32, "box_hidden": 64, "head_channels": 32, "head_layers": 1,
    "short_side": 64, "long_side": 96,
}  # fmt: skip
AUX = {"keypoint_channels": 32, "keypoint_layers": 1, "mask_channels": 32, "mask_layers": 1}
ALL = [(keypoints, masks, cascade) for keypoints in (0, 1) for masks in (0, 1) for cascade in (0, 1)]


def one_person() -> Targets:
    parts = torch.zeros(1, 256, 256, dtype=torch.uint8)
    parts[:, :, :128] = 1
    keypoints = torch.zeros(1, 17, 3)
    keypoints[0, 0] = torch.tensor([20.0, 20, 2])
    keypoints[0, 5] = torch.tensor([40.0, 50, 1])
    return Targets(
        boxes=torch.tensor([[16.0, 8, 48, 56]]),
        parts=parts,
        annotated=torch.tensor([True]),
        keypoints=keypoints,
        point_xy=torch.tensor([[20.0, 20], [28, 50]]),
        point_i=torch.tensor([1, 2]),
        point_uv=torch.tensor([[0.5, 0.5], [0.25, 0.75]]),
        point_person=torch.tensor([0, 0]),
        ignored=torch.zeros(0, 4),
    )


@pytest.mark.parametrize("keypoints, masks, cascade", ALL)
def test_each_task_can_be_left_out(keypoints, masks, cascade):
    torch.manual_seed(0)
    tasks = {"keypoints": bool(keypoints), "masks": bool(masks), "cascade": bool(cascade)}
    model, targets = build_model("cascade_rcnn", **tasks, **TINY, **AUX), one_person()
    image = torch.randint(0, 256, (3, 64, 96)).float()
    pyramid = model.features(model.batch([image]))
    losses = model.dense_losses(pyramid, [RegionSamples(targets.boxes, torch.tensor([0]))], [targets])
    names = ["coarse", "chart", "u", "v", *["keypoints"] * keypoints, *["mask"] * masks]
    assert set(losses) == {name + suffix for name in names for suffix in ["", "2"][: 1 + cascade]}
    sum(losses.values()).backward()
    branches = (model.head, model.predictor, model.keypoints, model.mask, model.join, model.second, model.decoder)
    for branch in (one for one in branches if one is not None):
        assert all(one.grad is not None and one.grad.isfinite().all() for one in branch.parameters())
    with torch.no_grad():
        _, output = model.eval()([image], [targets.boxes])
        told = model.stages(model.regions(model.features(model.batch([image])), [targets.boxes]))[-1].charts
    torch.testing.assert_close(output.u, told.u)


def test_branches_have_the_norm_of_the_head():
    for norm in (False, True):
        with torch.device("meta"):
            model = build_model("cascade_rcnn", **TINY | {"head_channels": 32, "head_norm": norm}, **AUX)
        heads = (model.head, model.keypoints.head, model.mask.head, model.second.keypoints.head, model.second.mask.head)
        assert all((layer.norm is not None) == norm for head in heads for layer in head.layers)


def test_without_tasks_it_is_densepose_rcnn():
    torch.manual_seed(0)
    plain = build_densepose_rcnn(**TINY).eval()
    model = build_cascade_rcnn(keypoints=False, masks=False, cascade=False, **TINY).eval()
    model.load_state_dict(plain.state_dict())
    image, boxes = torch.randint(0, 256, (3, 64, 96)), [torch.tensor([[10.0, 5, 50, 60]])]
    with torch.no_grad():
        for one, other in zip(plain([image], boxes)[1][:4], model([image], boxes)[1][:4], strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("told", [{"uv_confidence": "indep_aniso", "mask_confidence": True}, {"coarse_classes": 15}])
def test_the_second_stage_has_the_firsts_kind_of_output(told):
    model, targets = build_cascade_rcnn(**TINY, **AUX, **told), one_person()
    pyramid = model.features(model.batch([torch.zeros(3, 64, 96)]))
    losses = model.dense_losses(pyramid, [RegionSamples(targets.boxes, torch.tensor([0]))], [targets])
    assert {name + "2" for name in losses if not name.endswith("2")} == {name for name in losses if name.endswith("2")}


def test_no_region_is_no_loss():
    model, targets = build_cascade_rcnn(**TINY, **AUX), one_person()
    pyramid = model.features(model.batch([torch.zeros(3, 64, 96)]))
    none = RegionSamples(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))
    losses = model.dense_losses(pyramid, [none], [targets])
    assert all(loss.item() == 0 for loss in losses.values())
    sum(losses.values()).backward()


def test_people_of_whom_only_keypoints_or_masks_are_known_teach_these_alone():
    torch.manual_seed(0)
    model, targets = build_cascade_rcnn(**TINY, **AUX), one_person()
    pyramid = model.features(model.batch([torch.zeros(3, 64, 96)]))

    def taught(**unknown):
        bare = replace(targets, annotated=torch.tensor([False]), **unknown)
        losses = model.dense_losses(pyramid, [RegionSamples(targets.boxes, torch.tensor([0]))], [bare])
        known = {name: loss.item() for name, loss in losses.items() if loss != 0}
        assert known == pytest.approx({name: all_losses[name].item() for name in known}, rel=1e-5)
        return set(known)

    all_losses = model.dense_losses(pyramid, [RegionSamples(targets.boxes, torch.tensor([0]))], [targets])
    no_keypoints, no_mask = torch.zeros(1, 17, 3), torch.zeros(1, 256, 256, dtype=torch.uint8)
    assert taught(parts=no_mask) == {"keypoints", "keypoints2"}
    assert taught(keypoints=no_keypoints) == {"mask", "mask2"}
    assert taught(parts=no_mask, keypoints=no_keypoints) == set()


def test_a_region_that_fits_its_person_badly_teaches_all_but_charts():
    model, targets = build_cascade_rcnn(**TINY, **AUX), one_person()
    pyramid = model.features(model.batch([torch.zeros(3, 64, 96)]))
    low, high = targets.boxes[0, :2], targets.boxes[0, 2:]
    half = torch.cat([low, low + (high - low) * torch.tensor([1, 0.6])])[None]  # IoU 0.6: below that of charts
    losses = model.dense_losses(pyramid, [RegionSamples(half, torch.tensor([0]))], [targets])
    assert {name for name, loss in losses.items() if loss == 0} == {
        name + suffix for name in ("coarse", "chart", "u", "v") for suffix in ("", "2")
    }


def test_the_branches_have_mask_rcnns_sizes():
    with torch.device("meta"):
        model = build_cascade_rcnn()
    assert [layer.out_channels for layer in model.keypoints.head.layers] == [512] * 8
    assert [layer.out_channels for layer in model.mask.head.layers] == [256] * 4


def test_the_output_for_a_region_does_not_depend_on_the_others():
    torch.manual_seed(0)
    model = build_cascade_rcnn(**TINY, **AUX).eval()
    x = torch.randn(3, 32, 28, 28)
    with torch.no_grad():
        together, alone = model.stages(x)[1].first(2), model.stages(x[:2])[1]
    for one, other in zip((*together.charts[:4], *together[1:]), (*alone.charts[:4], *alone[1:]), strict=True):
        assert len(one) == 2
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_keypoint_loss_by_hand():
    """Cells of one pixel; keypoint 0 in cell (3, 5), 1 unknown, 2 outside, 3 on the far edge."""
    keypoints = torch.zeros(1, 17, 3)
    keypoints[0, 0], keypoints[0, 1] = torch.tensor([15.5, 13.2, 2]), torch.tensor([15.5, 13.5, 0])
    keypoints[0, 2], keypoints[0, 3] = torch.tensor([19.0, 13, 2]), torch.tensor([18.0, 18, 1])
    regions, logits = torch.tensor([[10.0, 10, 18, 18]]), torch.zeros(1, 17, 8, 8)
    assert keypoint_loss(logits, regions, keypoints).item() == pytest.approx(math.log(64), rel=1e-5)
    logits[0, 0, 3, 5] = logits[0, 3, 7, 7] = 60.0
    assert keypoint_loss(logits, regions, keypoints).item() < 1e-6
    assert keypoint_loss(logits, regions, torch.zeros(1, 17, 3)).item() == 0


def test_mask_loss_by_hand():
    targets, zero = one_person(), torch.tensor([0])
    logits = torch.full((1, 1, 8, 8), -60.0)
    logits[..., :4] = 60.0
    assert mask_loss(logits, targets.boxes, zero, targets).item() < 1e-6
    logits[..., 0] = -60.0
    assert mask_loss(logits, targets.boxes, zero, targets).item() == pytest.approx(60 / 8, rel=1e-5)
    without_points = replace(targets, annotated=torch.tensor([False]))
    assert mask_loss(logits, targets.boxes, zero, without_points).item() == pytest.approx(60 / 8, rel=1e-5)
    bare = replace(without_points, parts=torch.zeros_like(targets.parts))
    assert mask_loss(logits, targets.boxes, zero, bare).item() == 0


def test_the_second_stage_depends_on_the_first():
    torch.manual_seed(0)
    model = build_cascade_rcnn(**TINY, **AUX).eval()
    x = torch.randn(1, 32, 28, 28)
    with torch.no_grad():
        before = model.stages(x)[1].charts.fine
        model.keypoints.predictor.bias += 5
        after = model.stages(x)[1].charts.fine
    assert (before - after).abs().max() > 1e-4
