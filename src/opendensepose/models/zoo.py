"""The architectures by name, and what may be asked of each: a checkpoint may come from anywhere."""

import inspect
import math
import reprlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from torch import Tensor, nn

__all__ = [
    "ARCHITECTURES",
    "LIMITS",
    "build_model",
    "check_finite",
    "check_kwargs",
    "check_shapes",
    "keyword_arguments",
]

MAX_LENGTH = 8  # of a list of numbers

# The least and the most that each number among the keyword arguments of a network may be, by its name, which means the
# same in all of them. Weights cannot be larger than their file; sizes of images and crops can, and with them memory:
# the most is about twice what any network here has, so that one prediction stays within a few GB.
LIMITS = {
    "box_hidden": (1, 8192),
    "cells": (4, 56),
    "channels": (1, 2048),
    "coarse_classes": (2, 15),
    "confidence_scale": (0.01, 100),
    "confidence_shift": (-20, 20),
    "crop_hw": (16, 512),
    "dense_channels": (1, 2048),
    "depth": (18, 152),
    "depths": (0, 64),
    "detect_sides": (32, 1024),
    "detection_channels": (1, 2048),
    "dimensions": (1, 256),
    "head_channels": (1, 2048),
    "head_layers": (1, 64),
    "keypoint_channels": (1, 2048),
    "keypoint_layers": (1, 64),
    "long_side": (32, 2048),
    "mask_channels": (1, 2048),
    "mask_layers": (1, 64),
    "min_score": (0, 1),
    "num_boxes": (1, 1000),
    "num_classes": (1, 1000),
    "num_vertices": (1, 100_000),
    "quality_channels": (0, 2048),
    "refine_hw": (16, 512),
    "scales": (0.1, 2),
    "short_side": (32, 2048),
    "side": (32, 1024),
    "vertex_features": (1, 1024),
    "width": (1, 256),
    "widths": (2, 2048),
}


# Each architecture's builder, a class or function that takes keyword arguments; and the one to which it passes on those
# that are not its own.
ARCHITECTURES = {
    "densepose_lite": ("densepose_lite.densepose_lite:DensePoseLite",),
    "densepose_rcnn": ("rcnn.densepose_rcnn:build_densepose_rcnn",),
    "cascade_rcnn": ("rcnn.cascade:build_cascade_rcnn", "rcnn.densepose_rcnn:build_densepose_rcnn"),
    "embedding_rcnn": ("rcnn.embedding_rcnn:build_embedding_rcnn", "rcnn.densepose_rcnn:build_densepose_rcnn"),
    "fcn": ("fcn.densepose_fcn:FCN",),
    "teacher": ("fcn.teacher:Teacher", "fcn.densepose_fcn:FCN"),
    "crop_labeller": ("fcn.crop_labeller:CropLabeller",),
}


def build_model(name: str, /, **kwargs: Any) -> nn.Module:
    """Build a new model with random weights.

    kwargs are the keyword arguments of its builder. ValueError, one sentence, if the architecture or a keyword argument
    is unknown, or one is of another type or size than the network's.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {name!r}; known: {', '.join(sorted(ARCHITECTURES))}.")
    check_kwargs(name, kwargs)
    return _builders(name)[0](**kwargs)


def _builders(name: str) -> list[Callable[..., nn.Module]]:
    """Import an architecture's builders: only now, since torchvision, which some of them need, takes seconds."""
    places = [place.split(":") for place in ARCHITECTURES[name]]
    return [getattr(import_module(f"opendensepose.models.{module}"), builder) for module, builder in places]


def keyword_arguments(name: str) -> dict[str, inspect.Parameter]:
    """Return the keyword arguments of an architecture by name, with those that its builder passes on."""
    known: dict[str, inspect.Parameter] = {}
    for builder in reversed(_builders(name)):
        known |= inspect.signature(builder).parameters
    known.pop("kwargs", None)
    return known


def check_kwargs(name: str, kwargs: Mapping[str, Any]) -> None:
    """Raise ValueError, one sentence, unless all are keyword arguments of the architecture, of the type that its
    builder's signature says and within LIMITS."""
    known = keyword_arguments(name)
    for key, value in kwargs.items():
        if key not in known:
            raise ValueError(f"{name} has no keyword argument {reprlib.repr(key)}; it has {', '.join(known)}.")
        kind = known[key].annotation
        if not _is_of(value, kind):
            said = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
            raise ValueError(f"{key} of {name} must be {said}, got {reprlib.repr(value)}.")
        numbers = value if isinstance(value, list | tuple) else [value]
        for number in numbers:
            if type(number) in (int, float) and not LIMITS[key][0] <= number <= LIMITS[key][1]:
                least, most = LIMITS[key]
                raise ValueError(f"{key} of {name} must lie in [{least}, {most}], got {reprlib.repr(value)}.")


def _is_of(value: Any, kind: Any) -> bool:
    """Return whether a value read from JSON has the type of an annotation; lists are tuples there."""
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


def check_shapes(model: nn.Module, shapes: Mapping[str, Sequence[int]]) -> None:
    """Raise ValueError, a clause, unless these are the tensors of the model, which may be one without memory (device
    "meta")."""
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    optional = {name for name in expected.keys() ^ shapes.keys() if name.endswith("num_batches_tracked")}
    missing, foreign = expected.keys() - shapes.keys() - optional, shapes.keys() - expected.keys() - optional
    if missing or foreign:
        parts = [
            f"{len(names)} tensors are {what}, like {reprlib.repr(min(names))}"
            for names, what in ((missing, "missing"), (foreign, "not the network's"))
            if names
        ]
        raise ValueError(" and ".join(parts))
    for name, shape in expected.items():
        if name in shapes and tuple(shapes[name]) != shape:
            raise ValueError(f"{name} must be of shape {shape}, got {reprlib.repr(tuple(shapes[name]))}")


def check_finite(state: Mapping[str, Tensor]) -> None:
    """Raise ValueError, a clause, if a weight is NaN or infinite."""
    for name, tensor in state.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} must be finite numbers")
