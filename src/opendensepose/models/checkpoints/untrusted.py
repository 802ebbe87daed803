"""What a checkpoint's file says of its tensors, checked before they are used: a file may come from anywhere."""

import reprlib
from collections.abc import Mapping, Sequence

import torch
from torch import nn

__all__ = ["check_finite", "check_shapes"]


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


def check_finite(state: Mapping[str, torch.Tensor]) -> None:
    """Raise ValueError, a clause, if a weight is NaN or infinite."""
    for name, tensor in state.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} must be finite numbers")
