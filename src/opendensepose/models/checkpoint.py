"""A checkpoint is one safetensors file: weights, and JSON metadata from which the model is built again."""

import importlib.metadata
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from opendensepose.models.zoo import build_model
from opendensepose.whole_file import whole_file

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT = "opendensepose-checkpoint-1"
DETECTRON2_SUFFIXES = (".pkl", ".pth", ".pt")


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
        with whole_file(path) as unfinished:
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
        from opendensepose.models.detectron2_checkpoint import load_detectron2

        model, kwargs = load_detectron2(path)
        model = model.to(device=device, memory_format=torch.channels_last)
        return Checkpoint(model, "densepose_rcnn", kwargs, "detectron2")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a checkpoint: {error}.") from error
    if about.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not a checkpoint of opendensepose: format {about.get('format')!r}, expected {FORMAT!r}."
        )
    about = _with_current_names(about)
    with torch.device("meta"):
        model = build_model(about["architecture"], **about["kwargs"])
    state = {name: t.float() if t.is_floating_point() else t for name, t in state.items()}
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ValueError(f"the weights in {path} do not fit the model that it names: {error}") from error
    model = model.to(device=device, memory_format=torch.channels_last).eval()
    return Checkpoint(model, about["architecture"], about["kwargs"], about["version"], about["recipe"], about["scores"])


def _with_current_names(about: dict) -> dict:
    """The metadata, with the names of DensePoseLite where a file has those from when it was called glance_look."""
    if about["architecture"] != "glance_look":
        return about
    kwargs = {"glance_side": 256, "near_glance_side": 160, "far_glance_side": 384, **about["kwargs"]}
    sides = [kwargs.pop(name) for name in ("glance_side", "near_glance_side", "far_glance_side")]
    kwargs["detect_sides"] = [side for side in sides if side is not None]
    for old, new in (("look_hw", "crop_hw"), ("first_look_hw", "refine_hw")):
        if old in kwargs:
            kwargs[new] = kwargs.pop(old)
    return about | {"architecture": "densepose_lite", "kwargs": kwargs}
