"""A checkpoint is one safetensors file: weights, and JSON metadata from which the model is built again."""

import importlib.metadata
import json
import os
import reprlib
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from opendensepose.atomic_write import atomic_file
from opendensepose.models.checkpoints.model_files import WEIGHTS, weights_path
from opendensepose.models.zoo import build_model, check_finite, check_shapes

__all__ = ["WEIGHTS", "Checkpoint", "load_checkpoint", "save_checkpoint", "weights_path"]

FORMAT = "opendensepose-checkpoint-1"
DETECTRON2_SUFFIXES = (".pkl", ".pth", ".pt")
ABOUT = {"format": str, "architecture": str, "kwargs": dict, "version": str, "recipe": dict, "scores": dict}
MAX_HEAD_BYTES = 4_000_000  # an official network with 1,000 tensors has 100,000
FLOATS, INTS = ("F16", "BF16", "F32", "F64"), ("I64",)  # safetensors' names


@dataclass(frozen=True)
class Checkpoint:
    """A model in evaluation mode and what is known of it."""

    model: nn.Module
    architecture: str
    kwargs: dict
    version: str  # of opendensepose when saved
    recipe: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)


def save_checkpoint(
    path: str | Path,
    model: nn.Module,
    architecture: str,
    kwargs: dict,
    recipe: dict | None = None,
    scores: dict | None = None,
    dtype: torch.dtype | None = None,
) -> None:
    """Write the file whole or not at all; OSError, one sentence, if the disk is full.

    dtype, for example torch.float16, is applied to floating-point tensors.
    """
    path = Path(path)
    tensors = {
        name: (t.to(dtype) if dtype and t.is_floating_point() else t).detach().cpu().contiguous()
        for name, t in model.state_dict().items()
    }
    about = {
        "format": FORMAT,
        "architecture": architecture,
        "kwargs": kwargs,
        "version": importlib.metadata.version("opendensepose"),
        "recipe": recipe or {},
        "scores": scores or {},
    }
    try:
        with atomic_file(path) as unfinished:
            save_file(tensors, unfinished, metadata={"about": json.dumps(about)})
            os.chmod(unfinished, 0o644)  # safetensors makes files that only their owner may read
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise OSError(f"{path} cannot be written, what was saved before stays: {reason}.") from error


def load_checkpoint(path: str | Path, device: torch.device | str = "cpu") -> Checkpoint:
    """Rebuild the model, float32, in evaluation mode, from a checkpoint of this package or of detectron2's DensePose
    (.pkl, .pth, .pt). ValueError if the file is neither."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}.")
    if path.suffix.lower() in DETECTRON2_SUFFIXES:
        from opendensepose.models.checkpoints.detectron2_checkpoint import load_detectron2

        model, architecture, kwargs = load_detectron2(path)
        model = model.to(device=device, memory_format=torch.channels_last)
        return Checkpoint(model, architecture, kwargs, "detectron2")
    _check_head(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            about = _with_current_names(_read_about(path, (file.metadata() or {}).get("about", "{}")))
            model = _build(path, about)
            _check_tensors(path, model, {name: file.get_slice(name) for name in file.keys()})  # noqa: SIM118 (no dict)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a checkpoint: {error}.") from error
    state = {name: t.float() if t.is_floating_point() else t for name, t in state.items()}
    try:
        check_finite(state)
    except ValueError as error:
        raise ValueError(f"the weights in {path} are damaged: {error}.") from error
    model.load_state_dict(state, assign=True)
    model = model.to(device=device, memory_format=torch.channels_last).eval()
    return Checkpoint(model, about["architecture"], about["kwargs"], about["version"], about["recipe"], about["scores"])


def _check_head(path: Path) -> None:
    """Raise ValueError if the list of tensors, which safetensors reads as a whole, is larger than any network's."""
    with path.open("rb") as file:
        num_bytes = int.from_bytes(file.read(8), "little")
    if num_bytes > MAX_HEAD_BYTES:
        raise ValueError(
            f"{path} is not a checkpoint: its head must be at most {MAX_HEAD_BYTES:,} bytes, got {num_bytes:,}."
        )


def _read_about(path: Path, text: str) -> dict:
    """Read the metadata; ValueError unless all is there that `save_checkpoint` writes, and of its type."""
    try:
        about = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise ValueError(f"{path} is not a checkpoint: its metadata is not JSON: {reason}.") from error
    found = about.get("format") if isinstance(about, dict) else about
    if found != FORMAT:
        raise ValueError(
            f"{path} is not a checkpoint of opendensepose: format {reprlib.repr(found)}, expected {FORMAT!r}."
        )
    for name in about.keys() ^ ABOUT.keys():
        what = "lacks" if name in ABOUT else "has a stranger,"
        raise ValueError(f"{path} is not a checkpoint of opendensepose: its metadata {what} {reprlib.repr(name)}.")
    for name, kind in ABOUT.items():
        if not isinstance(about[name], kind):
            got = reprlib.repr(about[name])
            raise ValueError(f"{path}: {name} in the metadata must be a {kind.__name__}, got {got}.")
    return about


def _with_current_names(about: dict) -> dict:
    """Return the metadata, with the names of DensePoseLite where a file has those from when it was called glance_look.

    It may come from anywhere: kwargs is any dict here, `_build` checks what is in it.
    """
    if about["architecture"] != "glance_look":
        return about
    kwargs = {"glance_side": 256, "near_glance_side": 160, "far_glance_side": 384, **about["kwargs"]}
    sides = [kwargs.pop(name) for name in ("glance_side", "near_glance_side", "far_glance_side")]
    kwargs["detect_sides"] = [side for side in sides if side is not None]
    for old, new in (("look_hw", "crop_hw"), ("first_look_hw", "refine_hw")):
        if old in kwargs:
            kwargs[new] = kwargs.pop(old)
    return about | {"architecture": "densepose_lite", "kwargs": kwargs}


def _build(path: Path, about: dict) -> nn.Module:
    """Build the network that the metadata names, without memory for its weights."""
    try:
        with torch.device("meta"):
            return build_model(about["architecture"], **about["kwargs"])
    except (ValueError, TypeError, RuntimeError) as error:  # numbers that do not go together
        reason = str(error).splitlines()[0].rstrip(".")
        raise ValueError(f"{path} names a network that cannot be built: {reason}.") from error


def _check_tensors(path: Path, model: nn.Module, tensors: dict) -> None:
    """Raise ValueError, one sentence, unless the file's tensors (safetensors' slices by name) are the model's."""
    try:
        check_shapes(model, {name: tensor.get_shape() for name, tensor in tensors.items()})
        for name, tensor in model.state_dict().items():
            known = FLOATS if tensor.is_floating_point() else INTS
            if name in tensors and tensors[name].get_dtype() not in known:
                raise ValueError(f"{name} must be {' or '.join(known)}, got {tensors[name].get_dtype()}")
    except ValueError as error:
        raise ValueError(f"the weights in {path} do not fit the model that it names: {error}.") from error
