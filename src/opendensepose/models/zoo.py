"""The architectures by name, and what may be asked of each: a checkpoint's metadata may come from anywhere."""

import inspect
import math
import reprlib
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

__all__ = ["ARCHITECTURES", "LIMITS", "build_model", "check_kwargs", "keyword_arguments"]

MAX_LENGTH = 8  # of a list of numbers

# The least and the most that each number among the keyword arguments of a network may be, by its name, which means the
# same in all of them. Weights cannot be larger than their file; sizes of images and crops can, and with them memory:
# the most is about twice what any network here has, so that one prediction stays within a few GB.
LIMITS = {
    "aux_channels": (1, 2048),
    "aux_layers": (1, 64),
    "box_hidden": (1, 8192),
    "cells": (4, 56),
    "channels": (1, 2048),
    "coarse_classes": (2, 15),
    "crop_hw": (16, 512),
    "dense_channels": (1, 2048),
    "depth": (18, 152),
    "depths": (0, 64),
    "detect_sides": (32, 1024),
    "detection_channels": (1, 2048),
    "head_channels": (1, 2048),
    "head_layers": (1, 64),
    "long_side": (32, 2048),
    "min_score": (0, 1),
    "num_boxes": (1, 1000),
    "num_classes": (1, 1000),
    "quality_channels": (0, 2048),
    "refine_hw": (16, 512),
    "scales": (0.1, 2),
    "short_side": (32, 2048),
    "side": (32, 1024),
    "width": (1, 256),
    "widths": (2, 2048),
}


def _densepose_lite() -> type[nn.Module]:
    from opendensepose.models.densepose_lite.densepose_lite import DensePoseLite

    return DensePoseLite


def _densepose_rcnn() -> type[nn.Module]:
    from opendensepose.models.rcnn.densepose_rcnn import DensePoseRCNN  # imports torchvision, which takes seconds

    return DensePoseRCNN


def _fcn() -> type[nn.Module]:
    from opendensepose.models.fcn.densepose_fcn import FCN

    return FCN


def _cascade_rcnn() -> type[nn.Module]:
    from opendensepose.models.rcnn.cascade import CascadeRCNN

    return CascadeRCNN


def _teacher() -> type[nn.Module]:
    from opendensepose.models.fcn.teacher import Teacher

    return Teacher


def _crop_labeller() -> type[nn.Module]:
    from opendensepose.models.fcn.crop_labeller import CropLabeller

    return CropLabeller


ARCHITECTURES = {
    "densepose_lite": _densepose_lite,
    "densepose_rcnn": _densepose_rcnn,
    "cascade_rcnn": _cascade_rcnn,
    "fcn": _fcn,
    "teacher": _teacher,
    "crop_labeller": _crop_labeller,
}  # functions that import a network's class


def build_model(name: str, /, **kwargs) -> nn.Module:
    """Build a new model with random weights.

    kwargs are the keyword arguments of its class. ValueError, one sentence, if the architecture or a keyword argument
    is unknown, or one is of another type or size than the network's.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {name!r}; known: {', '.join(sorted(ARCHITECTURES))}.")
    network = ARCHITECTURES[name]()
    check_kwargs(network, kwargs)
    return network(**kwargs)


def keyword_arguments(network: type[nn.Module]) -> dict[str, inspect.Parameter]:
    """Return the keyword arguments of a network's class by name, with those that `**kwargs` passes to its
    `inner_network`."""
    parameters = dict(inspect.signature(network).parameters)
    if parameters.pop("kwargs", None):
        parameters = keyword_arguments(network.inner_network) | parameters
    return parameters


def check_kwargs(network: type[nn.Module], kwargs: Mapping[str, Any]) -> None:
    """Raise ValueError, one sentence, unless all are keyword arguments of the network's class, of the type that its
    signature says and within LIMITS."""
    known = keyword_arguments(network)
    for name, value in kwargs.items():
        if name not in known:
            raise ValueError(
                f"{network.__name__} has no keyword argument {reprlib.repr(name)}; it has {', '.join(known)}."
            )
        kind = known[name].annotation
        if not _is_of(value, kind):
            said = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
            raise ValueError(f"{name} of {network.__name__} must be {said}, got {reprlib.repr(value)}.")
        numbers = value if isinstance(value, list | tuple) else [value]
        for number in numbers:
            if type(number) in (int, float) and not LIMITS[name][0] <= number <= LIMITS[name][1]:
                least, most = LIMITS[name]
                raise ValueError(
                    f"{name} of {network.__name__} must lie in [{least}, {most}], got {reprlib.repr(value)}."
                )


def _is_of(value: Any, kind: Any) -> bool:
    """Whether a value read from JSON has the type of an annotation; lists are tuples there."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return any(_is_of(value, one) for one in inner)
    if origin in (tuple, Sequence):
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_LENGTH:
            return False
        kinds = inner if origin is tuple and inner[-1] is not ... else inner[:1] * len(value)
        return len(kinds) == len(value) and all(_is_of(one, each) for one, each in zip(value, kinds, strict=True))
    if kind is float:
        return type(value) is int or type(value) is float and math.isfinite(value)
    return type(value) is kind
