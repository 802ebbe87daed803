"""The models by name: architectures to build, and released weights to load."""

from pathlib import Path

from torch import nn

from opendensepose.models.official import OFFICIAL, fetch_official
from opendensepose.models.untrusted import check_kwargs

__all__ = ["ARCHITECTURES", "WEIGHTS", "build_model", "weights_path"]


def _densepose_lite() -> type[nn.Module]:
    from opendensepose.models.densepose_lite import DensePoseLite

    return DensePoseLite


def _densepose_rcnn() -> type[nn.Module]:
    from opendensepose.models.rcnn import DensePoseRCNN  # imports torchvision, which takes seconds

    return DensePoseRCNN


def _fcn() -> type[nn.Module]:
    from opendensepose.models.fcn import FCN

    return FCN


def _cascade_rcnn() -> type[nn.Module]:
    from opendensepose.models.cascade import CascadeRCNN

    return CascadeRCNN


def _teacher() -> type[nn.Module]:
    from opendensepose.models.teacher import Teacher

    return Teacher


def _crop_labeller() -> type[nn.Module]:
    from opendensepose.models.crop_labeller import CropLabeller

    return CropLabeller


ARCHITECTURES = {
    "densepose_lite": _densepose_lite,
    "densepose_rcnn": _densepose_rcnn,
    "cascade_rcnn": _cascade_rcnn,
    "fcn": _fcn,
    "teacher": _teacher,
    "crop_labeller": _crop_labeller,
}  # functions that import a network's class
WEIGHTS = {"default": Path(__file__).parent / "weights" / "default.safetensors"}


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


def weights_path(name_or_file: str | Path) -> Path:
    """The checkpoint file of a released or official model's name, or the given file itself. ValueError where neither
    exists. Official weights are downloaded when first asked for; OSError if that fails."""
    if str(name_or_file) in OFFICIAL:
        return fetch_official(str(name_or_file))
    path = WEIGHTS.get(str(name_or_file), Path(name_or_file))
    if not path.is_file():
        raise ValueError(
            f"no model called {str(name_or_file)!r} and no such file; known models: {', '.join(sorted(WEIGHTS))},"
            f" and the official {', '.join(OFFICIAL)}."
        )
    return path
