"""Reading checkpoints that others pickled without running what may be in them: arrays and plain containers only."""

import collections
import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

__all__ = ["load_restricted", "read_tensors"]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """How Python 3 pickles bytes for Python 2; only this one encoding is ever used."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


def _admitted() -> dict[tuple[str, str], object]:
    from numpy._core import multiarray, numeric

    admitted: dict[tuple[str, str], object] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("_codecs", "encode"): _encode,
    }
    for builtins in ("builtins", "__builtin__"):  # of Python 3 and 2
        admitted |= {(builtins, kind.__name__): kind for kind in (bytes, bytearray, set, frozenset)}
    for package in ("numpy.core", "numpy._core"):  # before and since numpy 2
        admitted[f"{package}.multiarray", "_reconstruct"] = multiarray._reconstruct
        admitted[f"{package}.multiarray", "scalar"] = multiarray.scalar
        admitted[f"{package}.numeric", "_frombuffer"] = numeric._frombuffer
    return admitted


class RestrictedUnpickler(pickle.Unpickler):
    """Makes numpy arrays, numbers, strings, lists, tuples, dicts and sets; refuses the name of anything else."""

    def find_class(self, module: str, name: str) -> object:
        try:
            return _admitted()[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}") from None


def load_restricted(data: bytes) -> object:
    """What a pickle holds. pickle.UnpicklingError if that is more than arrays and plain containers."""
    return RestrictedUnpickler(io.BytesIO(data), encoding="latin1").load()


def read_tensors(path: str | Path) -> dict[str, np.ndarray | Tensor]:
    """The tensors by name of a detectron2 .pkl, a pickle of {"model": {name: array}}, or of a file that torch.save
    wrote, as {name: tensor} or {"model": {name: tensor}}.

    FileNotFoundError if there is none; ValueError, one sentence, if it is damaged or holds anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}.")
    try:
        if zipfile.is_zipfile(path):
            content = torch.load(path, map_location="cpu", weights_only=True)
        else:
            content = load_restricted(path.read_bytes())
    except Exception as error:  # a damaged pickle can fail in any way
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
    is_number = isinstance(value, Tensor) or (isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fiub")
    return isinstance(name, str) and is_number
