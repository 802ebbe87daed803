"""Anny's models, whose data one process per machine computes, while others wait, and keeps in Anny's cache."""

import contextlib
import inspect
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from opendensepose.synth.body.face_shape import read_target_lines
from opendensepose.synth.drawing.launch import start_warp

__all__ = ["load_anny", "silently"]


def load_anny(device: str, **options: Any) -> Any:
    """Load an `anny.Anny` of all phenotypes on a device; the first call on a machine takes a quarter of a minute."""
    start_warp()  # before Anny does, which would let it print
    with silently():
        import anny

        with _one_process_at_a_time(), _fast_targets():
            model = anny.Anny(phenotypes="all", **options)
        return model.to(device=device, dtype=torch.float32)


@contextlib.contextmanager
def silently() -> Iterator[None]:
    """Suppress what Anny and Warp print and warn about while they load."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    """Hold a lock in Anny's cache folder: the second process finds there what the first one computed."""
    from anny.paths import get_anny_cache_path
    from filelock import FileLock

    folder = get_anny_cache_path()
    folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK):
        with FileLock(folder / "opendensepose.lock"):
            yield
    else:
        yield  # a shared cache that is complete


@contextlib.contextmanager
def _fast_targets() -> Iterator[None]:
    """Let Anny read its 1,136 target files with `load_blend_shape`: 4 s of 45. Only where Anny's has that form."""
    from anny.models import full_model

    theirs = full_model.load_blend_shape
    if inspect.signature(theirs).parameters.keys() == inspect.signature(load_blend_shape).parameters.keys():
        full_model.load_blend_shape = load_blend_shape
    try:
        yield
    finally:
        full_model.load_blend_shape = theirs


def load_blend_shape(filename: str, vertices_count: int, world_transformation: Any, dtype: torch.dtype) -> torch.Tensor:
    """Read a target file as Anny's function of this name does: (vertices_count, 3) in Anny's axes, metres."""
    index, moved = read_target_lines(Path(filename), vertices_count)
    shape = torch.zeros(vertices_count, 3, dtype=dtype)
    shape[torch.from_numpy(index)] = torch.from_numpy(moved).to(dtype)
    return world_transformation.apply(shape)
