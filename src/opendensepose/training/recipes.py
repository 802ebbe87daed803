"""Recipes: one function per model, the default's and one per line of the paper's tables, with small variants."""

from collections.abc import Callable
from functools import partial
from typing import Any

from opendensepose.training.annotated.transforms import Transforms
from opendensepose.training.recipe import AnnotatedSource, Recipe, RenderedSource

__all__ = [
    "RECIPES",
    "backbone",
    "backbone_small",
    "default",
    "fcn",
    "fcn_multi_scale",
    "fcn_multi_scale_small",
    "fcn_small",
    "finetune",
    "multi_task",
    "multi_task_small",
    "rcnn",
    "rcnn_confidence",
    "rcnn_dense_small",
    "rcnn_distilled",
    "rcnn_distilled_small",
    "rcnn_legacy",
    "rcnn_r101",
    "rcnn_small",
    "teacher",
    "teacher_small",
]


def default(**changes: Any) -> Recipe:
    """The default model, `densepose_lite` with 4.9 million parameters, from scratch on rendered people.

    Source: ours (detect and label); losses after Güler et al., CVPR 2018, and Zhou et al., Objects as Points, 2019.
    Command: opendensepose train default --out runs/default --resume --minutes M --workers 1, then with --cooldown; then
    scripts/release_weights.py. The released weights are of five trainings, each from the weights of the one before, on
    2 CPU cores shared with other work: version 0.1's, three runs of 277 minutes in all with that version's loop,
    clothes and light; --learning-rate 0.0012 for 67 minutes and a cooldown of 17, 3,450 batches of 32;
    --learning-rate 0.001 for 108 minutes and a cooldown of 25, 2,810 batches; the same again for 112 and 25, 5,090;
    then, for the charts' second edition, the dense head alone for 22 minutes and a cooldown of 33, averaged with heads
    whose last convolutions were fitted to cached features: scripts/learn_new_charts.py, and docs/results.md, Training.
    Reached on nine real photos (docs/results.md): agreement, foreground IoU, label .715, .866, .824.
    """
    network = {"widths": (40, 80, 160, 256), "depths": (1, 2, 2, 2), "dense_channels": 80,
               "quality_channels": 64, "crop_hw": (256, 192), "refine_hw": (128, 96)}  # fmt: skip
    weights = {"chart": 1.0, "u": 3.0, "v": 3.0, "confidence": 0.2, "quality": 0.2, "keypoint": 0.05, "yaw": 0.1,
               "heat": 1.0, "box": 0.5}  # fmt: skip
    return Recipe(
        "default", "densepose_lite", RenderedSource(), network, steps=None, minutes=60.0, batch_size=32, workers=None,
        precision="auto", optimizer="adamw", learning_rate=2e-3, weight_decay=0.05, warmup_steps=100, decay_steps=4000,
        clip_norm=3.0, loss_weights=weights, ema_decay=0.9995, report_every=None, save_every=None,
        validate_every=400, validation_images=64,
    ).changed(**changes)  # fmt: skip


FULL_NETWORK = {"depth": 50, "norm": "frozen", "stride_in_1x1": False}
FROZEN_STAGES = ("resnet.stem", "resnet.res2")
SCALES = (0.75, 1.0, 1.25)  # of a multi-scale test
SMALL_WIDTH = 48  # three quarters of a ResNet-18's channels
SMALL_NETWORK = {
    "depth": 18, "width": SMALL_WIDTH, "norm": "batch", "stride_in_1x1": False, "channels": 64, "head_channels": 128,
    "head_layers": 4, "head_norm": True, "losses": "mean", "decoder": False, "cells": 14, "box_hidden": 256,
    "short_side": 240, "long_side": 320,
}  # fmt: skip
SMALL_AUXILIARY = {"keypoint_channels": 64, "keypoint_layers": 2, "mask_channels": 64, "mask_layers": 2}


def rcnn(**changes: Any) -> Recipe:
    """DensePose R-CNN with ResNet-50 on annotated points only.

    Source: Güler et al., CVPR 2018, table of region-based results; constants of the released code: SGD 0.01 with 16
    images, 130,000 steps, warm-up from a tenth of the rate, no clipping. Batch norm, stem and first stage of the ResNet
    stay as they begin, so that it needs a pretrained one: torchvision's here, MSRA's there.
    Command: opendensepose train rcnn --backbone imagenet --data coco --out runs/rcnn. Neither this nor any other of
    full size has been run.
    """
    values = {"kwargs": FULL_NETWORK, "frozen": FROZEN_STAGES, "warmup_factor": 0.1, "clip_norm": None}
    return Recipe("rcnn", "densepose_rcnn", AnnotatedSource()).changed(**(values | changes))


def rcnn_r101(**changes: Any) -> Recipe:
    """`rcnn` with ResNet-101. Source: the paper's comparison of backbones."""
    return rcnn(**({"name": "rcnn_r101", "kwargs": FULL_NETWORK | {"depth": 101}} | changes))


def rcnn_confidence(name: str, uv_confidence: str, **changes: Any) -> Recipe:
    """`rcnn` that also predicts how sure it is of U and V. Source: Neverova et al., NeurIPS 2019, detectron2's WC1 and
    WC2; their loss weight and clipping come with the network. Warm-up from a fortieth of the rate."""
    network = FULL_NETWORK | {"uv_confidence": uv_confidence}
    return rcnn(**({"name": name, "kwargs": network, "warmup_factor": 0.025} | changes))


def rcnn_legacy(**changes: Any) -> Recipe:
    """`rcnn` without a decoder, with 15 coarse classes and a fifth of the rate: detectron2's legacy models, and nearest
    to the paper's network. Their loss weights come with the network."""
    network = FULL_NETWORK | {"decoder": False, "cells": 14, "coarse_classes": 15}
    return rcnn(**({"name": "rcnn_legacy", "kwargs": network, "learning_rate": 0.002} | changes))


def rcnn_distilled(**changes: Any) -> Recipe:
    """`rcnn` on dense labels too, which a teacher in-painted. Source: the paper's section on distillation."""
    return rcnn(**({"name": "rcnn_distilled", "dense": "dense_targets"} | changes))


def multi_task(name: str, keypoints: bool, masks: bool, cascade: bool, **changes: Any) -> Recipe:
    """`rcnn` with auxiliary tasks, which the second stage of a cascade knows. Source: the paper's table of tasks."""
    tasks = {"keypoints": keypoints, "masks": masks, "cascade": cascade}
    return rcnn(**({"name": name, "architecture": "cascade_rcnn", "kwargs": FULL_NETWORK | tasks} | changes))


def fcn(**changes: Any) -> Recipe:
    """DensePose-FCN with ResNet-101. Source: the paper's comparison of FCN and region-based networks."""
    network = {"depth": 101, "norm": "frozen"}
    return rcnn(**({"name": "fcn", "architecture": "fcn", "kwargs": network} | changes))


def fcn_multi_scale(**changes: Any) -> Recipe:
    """`fcn` that predicts at three scales of a photo and averages; it learns at one. Source: as for `fcn`."""
    network = fcn().kwargs | {"scales": SCALES}
    return fcn(**({"name": "fcn_multi_scale", "kwargs": network} | changes))


def teacher(**changes: Any) -> Recipe:
    """The in-painting teacher: learns from annotated points, one person at a time without background.

    Source: the paper's section on distillation, of which no code was released. For `opendensepose distill`.
    """
    network, frozen = {"depth": 101, "norm": "frozen"}, tuple(f"fcn.{stage}" for stage in FROZEN_STAGES)
    return rcnn(**({"name": "teacher", "architecture": "teacher", "kwargs": network, "frozen": frozen} | changes))


def finetune(**changes: Any) -> Recipe:
    """Any DensePose R-CNN, an official one too, on one's own annotations: a fortieth of the rate; stem and first stage
    fixed; the loss weights and the clipping that the network was trained with. Legacy models had a fifth of the rate:
    --learning-rate 0.00005. Command: opendensepose train finetune --start R_50_FPN_s1x --data mine --out runs/mine."""
    values = {
        "name": "finetune", "architecture": None, "steps": 5000, "batch_size": 4, "learning_rate": 0.00025,
        "warmup_steps": 200, "drops": (0.8,), "validate_every": 1000, "save_every": 200,
    }  # fmt: skip
    return rcnn(**(values | {"kwargs": {}} | changes))


def rcnn_small(**changes: Any) -> Recipe:
    """A thin ResNet-18 with a thin pyramid and a light head, for photos of 320 x 240 on two CPU cores. Unlike full-size
    ones its head has group norm, and its losses are means and teach the segmentation at points too: docs/paper.md shows
    what each gives when batches are small and runs short.

    Source: ours. Command: opendensepose train rcnn_small --data rendered --out runs/rcnn_small. About 0.25 s of one
    core per image; what 1,000 steps of it and its kin reach stands in docs/results.md.
    """
    values = {
        "name": "rcnn_small", "architecture": "densepose_rcnn", "kwargs": SMALL_NETWORK, "steps": 6000,
        "batch_size": 4, "optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.02, "warmup_steps": 100,
        "warmup_factor": 0.001, "drops": None, "clip_norm": 10.0, "frozen": (),
        "transforms": Transforms((200, 220, 240, 260, 290, 320), 427, canvas_hw=(240, 320), colour=True),
        "sampling": {"anchors": 128, "proposals_per_level": 200, "proposals": 100, "boxes": 48, "dense": 6},
        "workers": 1, "save_every": 200, "validate_every": 1000, "validation_images": 100,
    }  # fmt: skip
    return rcnn(**(values | changes))


def rcnn_distilled_small(**changes: Any) -> Recipe:
    """`rcnn_small` on dense labels too, which a teacher in-painted (dense_targets/)."""
    return rcnn_small(**({"name": "rcnn_distilled_small", "dense": "dense_targets"} | changes))


def rcnn_dense_small(**changes: Any) -> Recipe:
    """`rcnn_small` on a rendered set's dense truth (dense/): how much the best teacher could give."""
    return rcnn_small(**({"name": "rcnn_dense_small", "dense": "dense"} | changes))


def multi_task_small(name: str, keypoints: bool, masks: bool, cascade: bool, **changes: Any) -> Recipe:
    """`multi_task` with the sizes of `rcnn_small`."""
    network = SMALL_NETWORK | SMALL_AUXILIARY | {"keypoints": keypoints, "masks": masks, "cascade": cascade}
    return rcnn_small(**({"name": name, "architecture": "cascade_rcnn", "kwargs": network} | changes))


def fcn_small(**changes: Any) -> Recipe:
    """DensePose-FCN with the backbone of `rcnn_small`."""
    network = {name: SMALL_NETWORK[name] for name in ("depth", "width", "norm", "short_side", "long_side")}
    values = {"name": "fcn_small", "architecture": "fcn", "kwargs": network | {"channels": 128}, "sampling": {}}
    return rcnn_small(**(values | changes))


def fcn_multi_scale_small(**changes: Any) -> Recipe:
    """`fcn_small` that predicts at three scales and averages; it learns at one."""
    network = fcn_small().kwargs | {"scales": SCALES}
    return fcn_small(**({"name": "fcn_multi_scale_small", "kwargs": network} | changes))


def teacher_small(**changes: Any) -> Recipe:
    """The in-painting teacher with the backbone of `rcnn_small`, on crops of 160 pixels."""
    network = {"side": 160, "depth": 18, "width": SMALL_WIDTH, "norm": "batch", "channels": 128}
    values = {"name": "teacher_small", "architecture": "teacher", "kwargs": network, "sampling": {}}
    return rcnn_small(**(values | changes))


def backbone(**changes: Any) -> Recipe:
    """A ResNet-50 from annotated crops, initial weights for the others instead of ImageNet's; see `--backbone`. Nothing
    in it is fixed, as it begins with random weights."""
    values = {
        "name": "backbone", "architecture": "crop_labeller", "kwargs": {"depth": 50, "norm": "batch"}, "frozen": (),
        "warmup_factor": 0.001, "clip_norm": 35.0,
    }  # fmt: skip
    return rcnn(**(values | changes))


def backbone_small(**changes: Any) -> Recipe:
    """The ResNet of `rcnn_small` from annotated crops of 128 pixels, 32 of them a step."""
    network = {"side": 128, "depth": 18, "width": SMALL_WIDTH, "norm": "batch", "channels": 96}
    values = {
        "name": "backbone_small", "architecture": "crop_labeller", "kwargs": network, "sampling": {}, "steps": 1500,
        "batch_size": 16, "learning_rate": 2e-3, "transforms": Transforms((240,), 427, colour=True),
    }  # fmt: skip
    return rcnn_small(**(values | changes))


def _tasks(name: str, **tasks: bool) -> dict[str, Callable[..., Recipe]]:
    """A line of the table of tasks in full size and small."""
    small = f"{name}_small"
    return {name: partial(multi_task, name, **tasks), small: partial(multi_task_small, small, **tasks)}


RECIPES: dict[str, Callable[..., Recipe]] = {
    "default": default,
    "fcn": fcn,
    "fcn_small": fcn_small,
    "fcn_multi_scale": fcn_multi_scale,
    "fcn_multi_scale_small": fcn_multi_scale_small,
    "rcnn": rcnn,
    "rcnn_r101": rcnn_r101,
    "rcnn_legacy": rcnn_legacy,
    "rcnn_wc1": partial(rcnn_confidence, "rcnn_wc1", "iid_iso"),
    "rcnn_wc2": partial(rcnn_confidence, "rcnn_wc2", "indep_aniso"),
    "rcnn_small": rcnn_small,
    "teacher": teacher,
    "teacher_small": teacher_small,
    "rcnn_distilled": rcnn_distilled,
    "rcnn_distilled_small": rcnn_distilled_small,
    "rcnn_dense_small": rcnn_dense_small,
    **_tasks("rcnn_masks", keypoints=False, masks=True, cascade=False),
    **_tasks("rcnn_keypoints", keypoints=True, masks=False, cascade=False),
    **_tasks("cascade_masks", keypoints=False, masks=True, cascade=True),
    **_tasks("cascade_keypoints", keypoints=True, masks=False, cascade=True),
    **_tasks("cascade", keypoints=True, masks=True, cascade=True),
    "backbone": backbone,
    "backbone_small": backbone_small,
    "finetune": finetune,
}
