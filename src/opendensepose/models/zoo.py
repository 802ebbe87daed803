"""The models by name: architectures to build, and released weights to load."""

from pathlib import Path

from torch import nn

from opendensepose.models.densepose_lite import DensePoseLite
from opendensepose.models.official import OFFICIAL, fetch_official

__all__ = ["ARCHITECTURES", "WEIGHTS", "build_model", "weights_path"]


def _densepose_rcnn(**kwargs) -> nn.Module:
    from opendensepose.models.rcnn import DensePoseRCNN  # imports torchvision, which takes seconds

    return DensePoseRCNN(**kwargs)


def _fcn(**kwargs) -> nn.Module:
    from opendensepose.models.fcn import FCN

    return FCN(**kwargs)


def _cascade_rcnn(**kwargs) -> nn.Module:
    from opendensepose.models.cascade import CascadeRCNN

    return CascadeRCNN(**kwargs)


def _teacher(**kwargs) -> nn.Module:
    from opendensepose.models.teacher import Teacher

    return Teacher(**kwargs)


def _crop_labeller(**kwargs) -> nn.Module:
    from opendensepose.models.crop_labeller import CropLabeller

    return CropLabeller(**kwargs)


ARCHITECTURES = {
    "densepose_lite": DensePoseLite,
    "densepose_rcnn": _densepose_rcnn,
    "cascade_rcnn": _cascade_rcnn,
    "fcn": _fcn,
    "teacher": _teacher,
    "crop_labeller": _crop_labeller,
}
WEIGHTS = {"default": Path(__file__).parent / "weights" / "default.safetensors"}


def build_model(name: str, **kwargs) -> nn.Module:
    """A new model with random weights. kwargs are the keyword arguments of its class."""
    if name not in ARCHITECTURES:
        raise ValueError(f"unknown architecture {name!r}; known: {', '.join(sorted(ARCHITECTURES))}.")
    return ARCHITECTURES[name](**kwargs)


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
