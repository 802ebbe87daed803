"""Checkpoints that others pickled: the tensors by name of detectron2's .pkl files and of what torch.save wrote."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from opendensepose.restricted_pickle import load_restricted, load_torch

__all__ = ["read_tensors"]


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Read the tensors by name of a detectron2 .pkl, a pickle of {"model": {name: array}}, or of a file that torch.save
    wrote, as {name: tensor} or {"model": {name: tensor}}; bfloat16 becomes float32.

    FileNotFoundError if there is none; ValueError, one sentence, if it is damaged or holds anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}.")
    try:
        content = load_torch(path) if zipfile.is_zipfile(path) else load_restricted(path.read_bytes())
    except Exception as error:  # so can a damaged ZIP file
        first_line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise ValueError(
            f"{path} is refused: a checkpoint may hold arrays and plain containers only, and be whole ({first_line})."
        ) from error
    tensors = content.get("model", content) if isinstance(content, Mapping) else None
    if (
        not isinstance(tensors, Mapping)
        or not tensors
        or not all(map(_is_named_tensor, *zip(*tensors.items(), strict=True)))
    ):
        raise ValueError(f"{path} is not a checkpoint: it holds no tensors by name.")
    return dict(tensors)


def _is_named_tensor(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiub"
