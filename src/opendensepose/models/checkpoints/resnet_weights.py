"""Initial weights for the ResNet inside a network: torchvision's, of ImageNet, or another network's.

torchvision's ResNet takes RGB, 0..1, divided by a standard deviation; ours BGR, 0..255, as detectron2's does. Its first
convolution is rewritten for that, and then both compute the same.
"""

import re
import sys
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

from opendensepose.cache_folder import cache_folder
from opendensepose.models.checkpoints.checkpoint import load_checkpoint
from opendensepose.models.checkpoints.download import download
from opendensepose.models.checkpoints.pickled_tensors import read_tensors
from opendensepose.models.resnet import DEPTHS, ResNet

__all__ = ["IMAGENET", "begin_resnet", "fetch_imagenet", "from_torchvision"]

IMAGENET = "imagenet"
STD_RGB = (0.229, 0.224, 0.225)  # of torchvision's weights
NETWORK_SUFFIXES = (".safetensors", ".pkl")  # of checkpoints with a whole network; other files are torchvision's
RENAMED = (  # torchvision's names -> ours
    (r"^(conv1|bn1)\.", r"stem.\1."),
    (r"^layer(\d)\.", lambda m: f"res{int(m[1]) + 1}."),
    (r"downsample\.0\.", "shortcut."),
    (r"downsample\.1\.", "shortcut.norm."),
    (r"bn(\d)\.", r"conv\1.norm."),
)


def begin_resnet(network: nn.Module, source: str | Path) -> None:
    """Give the ResNet of a network the weights of another's: "imagenet", a file of torchvision's (.pth, or of any name)
    or a checkpoint (.safetensors, or detectron2's .pkl). ValueError if the two do not fit or the file is damaged, and
    nothing is changed; OSError if a download fails."""
    resnet = _resnet_of(network)
    if resnet is None:
        raise ValueError(f"a {type(network).__name__} has no ResNet that could begin with weights of another one.")
    path = fetch_imagenet(resnet) if str(source) == IMAGENET else Path(source)
    state = _read(path)
    own = resnet.state_dict()
    state = {name: tensor for name, tensor in state.items() if name in own or "num_batches_tracked" not in name}
    for name, tensor in own.items():
        if name.endswith("num_batches_tracked"):
            state.setdefault(name, tensor)  # frozen norms keep none
    if state.keys() != own.keys() or any(state[name].shape != own[name].shape for name in own):
        raise ValueError(f"the ResNet in {path} has not the depth, width or norm of the network's.")
    resnet.load_state_dict(state)


def from_torchvision(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of torchvision's ResNet under our names, for our colours."""
    state = {}
    for name, tensor in tensors.items():
        if name.startswith("fc."):
            continue
        for pattern, ours in RENAMED:
            name = re.sub(pattern, ours, name)
        state[name] = tensor.float() if tensor.is_floating_point() else tensor
    first = state["stem.conv1.weight"]  # (C, 3, 7, 7)
    std = torch.tensor(STD_RGB)[:, None, None]
    state["stem.conv1.weight"] = (first / (255 * std)).flip(1)
    return state


def fetch_imagenet(resnet: ResNet) -> Path:
    """Return torchvision's file for a ResNet's depth, downloaded when first asked for.

    OSError, one sentence, if that fails; ValueError for a thin ResNet.
    """
    from torchvision.models import get_model_weights

    depth, width = _depth(resnet), resnet.stem.conv1.out_channels
    if width != 64:
        raise ValueError(f"ImageNet's weights are of ResNets that begin with 64 channels, this one has {width}.")
    address = get_model_weights(f"resnet{depth}").IMAGENET1K_V1.url
    path = cache_folder() / Path(address).name
    if not path.is_file():
        terms = "torchvision's weights, learned from ImageNet, whose terms allow non-commercial research"
        print(f"ResNet-{depth}: {terms}; kept in {path}", file=sys.stderr)
        try:
            download(address, path, path.stem.rpartition("-")[2])
        except (OSError, ValueError) as error:
            reason = str(error).rstrip(".")
            raise OSError(
                f"ImageNet's weights could not be downloaded ({reason}): run it again to go on from there, or fetch"
                f" {address} by hand and name that file with --backbone FILE."
            ) from error
    return path


def _resnet_of(network: nn.Module) -> ResNet | None:
    return next((part for part in network.modules() if isinstance(part, ResNet)), None)


def _depth(resnet: ResNet) -> int:
    blocks = tuple(len(stage) for stage in (resnet.res2, resnet.res3, resnet.res4, resnet.res5))
    bottleneck = hasattr(resnet.res2[0], "conv3")
    return next(depth for depth, of in DEPTHS.items() if of == blocks and bottleneck == (depth >= 50))


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} with initial weights.")
    if path.suffix.lower() in NETWORK_SUFFIXES:
        resnet = _resnet_of(load_checkpoint(path).model)
        if resnet is None:
            raise ValueError(f"{path} holds a network without a ResNet.")
        return resnet.state_dict()
    try:
        # What torch.save wrote before 2020, as some of torchvision's files, is no ZIP file: only torch reads it.
        is_old = not zipfile.is_zipfile(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True) if is_old else read_tensors(path)
        return from_torchvision({name: torch.as_tensor(tensor) for name, tensor in tensors.items()})
    except Exception as error:  # a damaged file can fail in any way
        raise ValueError(
            f"{path} must hold the tensors of torchvision's ResNet by name, as torch.save keeps a state_dict; it holds"
            " something else, or is damaged."
        ) from error
