"""Recipes for the paper's networks on annotated images: one function per line of its tables, and small variants."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from opendensepose.training.annotated.transforms import Transforms

__all__ = [
    "NETWORK_RECIPES",
    "NetworkRecipe",
    "backbone",
    "backbone_small",
    "fcn",
    "fcn_small",
    "finetune",
    "multi_task",
    "multi_task_small",
    "rcnn",
    "rcnn_dense_small",
    "rcnn_distilled",
    "rcnn_distilled_small",
    "rcnn_r101",
    "rcnn_small",
    "teacher",
    "teacher_small",
]


@dataclass(frozen=True)
class NetworkRecipe:
    """What to train on annotated images, and how. ValueError if the values cannot be.

    architecture, kwargs: of `models.zoo.build_model`; no architecture: the one of the weights to start with.
    batch_size: images of a step, of all processes together. transforms: augmentation of the samples. dense: the folder
    beside the annotations with dense labels, if they are learned too. The learning rate rises over warmup_steps from a
    thousandth; then it is multiplied by 0.1 at each fraction of the run in drops, or with drops None falls as a cosine
    to 0. precision: of the network's forward pass: "float32", "bfloat16", or "auto", what is fast on the device;
    weights stay float32. frozen: parts of the network, by the beginning of their names, that stay as they are.
    sampling: of `models.rcnn_training.Sampling`.
    """

    name: str
    architecture: str | None
    kwargs: dict = field(default_factory=dict)
    seed: int = 0
    steps: int = 130_000
    batch_size: int = 16
    transforms: Transforms = field(default_factory=Transforms)
    dense: str | None = None
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 1e-4
    warmup_steps: int = 1000
    drops: tuple[float, ...] | None = (100 / 130, 120 / 130)
    clip_norm: float = 35.0
    precision: str = "float32"
    frozen: tuple[str, ...] = ()
    sampling: dict = field(default_factory=dict)
    workers: int = 4
    report_every: int = 20
    save_every: int = 1000
    validate_every: int = 10_000
    validation_images: int | None = None  # the first so many; None: all

    def __post_init__(self):
        for name in ("steps", "batch_size", "report_every", "save_every", "validate_every", "learning_rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0, got {getattr(self, name)}.")
        if self.optimizer not in {"sgd", "adamw"}:
            raise ValueError(f"the optimizer is sgd or adamw, got {self.optimizer!r}.")
        if self.precision not in {"auto", "float32", "bfloat16"}:
            raise ValueError(f'precision must be "auto", "float32" or "bfloat16", got {self.precision!r}.')


FULL_NETWORK = {"depth": 50, "norm": "batch", "stride_in_1x1": False}
SMALL_WIDTH = 48  # three quarters of a ResNet-18's channels
SMALL_NETWORK = {
    "depth": 18, "width": SMALL_WIDTH, "norm": "batch", "stride_in_1x1": False, "channels": 64, "head_channels": 128,
    "head_layers": 4, "decoder": False, "cells": 14, "box_hidden": 256, "short_side": 240, "long_side": 320,
}  # fmt: skip
SMALL_AUXILIARY = {"aux_channels": 64, "aux_layers": 2}


def rcnn(**changes) -> NetworkRecipe:
    """DensePose R-CNN with ResNet-50 on annotated points only.

    Source: Güler et al., CVPR 2018, table of region-based results; constants of the released code: SGD 0.01 with 16
    images, 130,000 steps. Ours learns from scratch with batch norm, the released one from ImageNet's weights.
    Command: opendensepose train rcnn --data coco --out runs/rcnn. Neither this nor any other of full size has been run.
    """
    return replace(NetworkRecipe("rcnn", "densepose_rcnn", FULL_NETWORK), **changes)


def rcnn_r101(**changes) -> NetworkRecipe:
    """`rcnn` with ResNet-101. Source: the paper's comparison of backbones."""
    return rcnn(**({"name": "rcnn_r101", "kwargs": FULL_NETWORK | {"depth": 101}} | changes))


def rcnn_distilled(**changes) -> NetworkRecipe:
    """`rcnn` on dense labels too, which a teacher in-painted. Source: the paper's section on distillation."""
    return rcnn(**({"name": "rcnn_distilled", "dense": "dense_targets"} | changes))


def multi_task(name: str, keypoints: bool, masks: bool, cascade: bool, **changes) -> NetworkRecipe:
    """`rcnn` with auxiliary tasks, which the second stage of a cascade knows. Source: the paper's table of tasks."""
    tasks = {"keypoints": keypoints, "masks": masks, "cascade": cascade}
    return rcnn(**({"name": name, "architecture": "cascade_rcnn", "kwargs": FULL_NETWORK | tasks} | changes))


def fcn(**changes) -> NetworkRecipe:
    """DensePose-FCN with ResNet-101. Source: the paper's comparison of FCN and region-based networks."""
    network = {"depth": 101, "norm": "batch"}
    return rcnn(**({"name": "fcn", "architecture": "fcn", "kwargs": network} | changes))


def teacher(**changes) -> NetworkRecipe:
    """The in-painting teacher: learns from annotated points, one person at a time without background.

    Source: the paper's section on distillation, of which no code was released. For `opendensepose distill`.
    """
    network = {"depth": 101, "norm": "batch"}
    return rcnn(**({"name": "teacher", "architecture": "teacher", "kwargs": network} | changes))


def finetune(**changes) -> NetworkRecipe:
    """Any DensePose R-CNN, an official one too, on one's own annotations: a fortieth of the rate, stem and first stage
    fixed. Command: opendensepose train finetune --start R_50_FPN_s1x --data mine --out runs/mine."""
    values = {
        "name": "finetune", "architecture": None, "steps": 5000, "batch_size": 4, "learning_rate": 0.00025,
        "warmup_steps": 200, "drops": (0.8,), "frozen": ("resnet.stem", "resnet.res2"), "validate_every": 1000,
        "save_every": 200,
    }  # fmt: skip
    return rcnn(**(values | {"kwargs": {}} | changes))


def rcnn_small(**changes) -> NetworkRecipe:
    """A thin ResNet-18 with a thin pyramid and a light head, for photos of 320 x 240 on two CPU cores.

    Source: ours. Command: opendensepose train rcnn_small --data rendered --out runs/rcnn_small. About 0.25 s of one
    core per image; what 1,000 steps of it and its kin reach stands in docs/results.md.
    """
    values = {
        "name": "rcnn_small", "architecture": "densepose_rcnn", "kwargs": SMALL_NETWORK, "steps": 6000,
        "batch_size": 4, "optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.02, "warmup_steps": 100,
        "drops": None, "clip_norm": 10.0,
        "transforms": Transforms((200, 220, 240, 260, 290, 320), 427, canvas_hw=(240, 320), colour=True),
        "sampling": {"anchors": 128, "proposals_per_level": 200, "proposals": 100, "boxes": 48, "dense": 6},
        "workers": 1, "save_every": 200, "validate_every": 1000, "validation_images": 100,
    }  # fmt: skip
    return NetworkRecipe(**(values | changes))


def rcnn_distilled_small(**changes) -> NetworkRecipe:
    """`rcnn_small` on dense labels too, which a teacher in-painted (dense_targets/)."""
    return rcnn_small(**({"name": "rcnn_distilled_small", "dense": "dense_targets"} | changes))


def rcnn_dense_small(**changes) -> NetworkRecipe:
    """`rcnn_small` on a rendered set's dense truth (dense/): how much the best teacher could give."""
    return rcnn_small(**({"name": "rcnn_dense_small", "dense": "dense"} | changes))


def multi_task_small(name: str, keypoints: bool, masks: bool, cascade: bool, **changes) -> NetworkRecipe:
    """`multi_task` with the sizes of `rcnn_small`."""
    network = SMALL_NETWORK | SMALL_AUXILIARY | {"keypoints": keypoints, "masks": masks, "cascade": cascade}
    return rcnn_small(**({"name": name, "architecture": "cascade_rcnn", "kwargs": network} | changes))


def fcn_small(**changes) -> NetworkRecipe:
    """DensePose-FCN with the backbone of `rcnn_small`."""
    network = {name: SMALL_NETWORK[name] for name in ("depth", "width", "norm", "short_side", "long_side")}
    values = {"name": "fcn_small", "architecture": "fcn", "kwargs": network | {"channels": 128}, "sampling": {}}
    return rcnn_small(**(values | changes))


def teacher_small(**changes) -> NetworkRecipe:
    """The in-painting teacher with the backbone of `rcnn_small`, on crops of 160 pixels."""
    network = {"side": 160, "depth": 18, "width": SMALL_WIDTH, "norm": "batch", "channels": 128}
    values = {"name": "teacher_small", "architecture": "teacher", "kwargs": network, "sampling": {}}
    return rcnn_small(**(values | changes))


def backbone(**changes) -> NetworkRecipe:
    """A ResNet-50 from annotated crops, initial weights for the others instead of ImageNet's; see `--backbone`."""
    network = {"depth": 50, "norm": "batch"}
    return rcnn(**({"name": "backbone", "architecture": "crop_labeller", "kwargs": network} | changes))


def backbone_small(**changes) -> NetworkRecipe:
    """The ResNet of `rcnn_small` from annotated crops of 128 pixels, 32 of them a step."""
    network = {"side": 128, "depth": 18, "width": SMALL_WIDTH, "norm": "batch", "channels": 96}
    values = {
        "name": "backbone_small", "architecture": "crop_labeller", "kwargs": network, "sampling": {}, "steps": 1500,
        "batch_size": 16, "learning_rate": 2e-3, "transforms": Transforms((240,), 427, colour=True),
    }  # fmt: skip
    return rcnn_small(**(values | changes))


def _tasks(name: str, **tasks: bool) -> dict[str, Callable[..., NetworkRecipe]]:
    """A line of the table of tasks in full size and small."""
    small = f"{name}_small"
    return {name: partial(multi_task, name, **tasks), small: partial(multi_task_small, small, **tasks)}


NETWORK_RECIPES: dict[str, Callable[..., NetworkRecipe]] = {
    "fcn": fcn,
    "fcn_small": fcn_small,
    "rcnn": rcnn,
    "rcnn_r101": rcnn_r101,
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
