"""Photos as arrays -> people, with any network."""

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
import torch

from opendensepose.data.photos import check_aspect
from opendensepose.instance import Instance
from opendensepose.models.checkpoint import load_checkpoint
from opendensepose.models.prediction import Network
from opendensepose.models.zoo import weights_path

__all__ = ["Predictor"]

PHOTOS_PER_PASS = 4  # of a list: bounds the memory that the largest networks take


class Predictor:
    """Finds and labels people. Make it once, call it for each photo or each list of photos.

    model: the name of a released or official model, a checkpoint file (ours or detectron2's), or a network of
    `opendensepose.models`, of which a copy is used. device: default CUDA if there is one, of a network its own.
    min_score: people with a lower score are dropped; None: the model's own. mirrored: average the labels of each crop
    with those of its mirror image. refine: label a first crop only to tighten the box. The last two concern
    DensePoseLite. ValueError if the model does not predict people or the device cannot be used.
    """

    def __init__(
        self,
        model: str | Path | Network = "default",
        device: str | None = None,
        min_score: float | None = None,
        mirrored: bool = True,
        refine: bool = True,
    ):
        if min_score is not None and not 0 <= min_score <= 1:
            raise ValueError(f"min_score must lie in [0, 1], got {min_score}.")
        if isinstance(model, str | Path):
            self.device = _device(device)
            network = load_checkpoint(weights_path(model), self.device).model
        elif isinstance(model, Network):
            self.device = _device(device) if device else next(model.parameters()).device
            network = model.to(self.device)
        else:
            raise ValueError(
                f"model must be a name, a checkpoint file or a network that finds people, got {type(model).__name__}."
            )
        self.network = network.prepare(mirrored, refine)
        self.min_score = self.network.min_score if min_score is None else min_score

    @overload
    def __call__(self, image_rgb: np.ndarray, boxes: np.ndarray | None = None) -> list[Instance]: ...

    @overload
    def __call__(
        self, image_rgb: list[np.ndarray], boxes: Sequence[np.ndarray] | None = None
    ) -> list[list[Instance]]: ...

    @torch.inference_mode()
    def __call__(self, image_rgb, boxes=None):
        """Return the people in a photo, the highest score first, or, for a list of photos, a list of them per photo.

        image_rgb: (H, W, 3) uint8 RGB, or a list of such arrays of any sizes, which run as batches where sizes allow.
        boxes: (N, 4) xyxy float pixels, for a list of photos one such array each: label these instead of searching.
        ValueError, one sentence that says how to convert, for anything else. PIL images are refused too: only the
        caller knows whether their EXIF rotation still has to be applied, and the maps have the rotated photo's size.
        """
        one_photo = not isinstance(image_rgb, list)
        images = [image_rgb] if one_photo else image_rgb
        for k, image in enumerate(images):
            _check_photo(image, "a photo" if one_photo else f"photo {k} of the list")
        if boxes is not None:
            boxes = [boxes] if one_photo else boxes
            if len(boxes) != len(images):
                raise ValueError(f"boxes must be one array per photo, {len(images)}, got {len(boxes)}.")
            boxes = [_checked_boxes(one, image.shape[:2]) for one, image in zip(boxes, images, strict=True)]
        people: list[list[Instance]] = []
        for start in range(0, len(images), PHOTOS_PER_PASS):
            part = slice(start, start + PHOTOS_PER_PASS)
            if boxes is None:
                people += self.network.find(images[part], self.min_score)
            else:
                people += self.network.label(images[part], boxes[part])
        return people[0] if one_photo else people


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).splitlines()[0].rstrip(".")
        raise ValueError(f"the device {name!r} cannot be used here: {first_line}.") from error


def _check_photo(image_rgb: np.ndarray, name: str) -> None:
    """ValueError that says how to convert or cut it, unless it is an array that the networks take."""
    is_array = isinstance(image_rgb, np.ndarray)
    if is_array and image_rgb.dtype == np.uint8 and image_rgb.ndim == 3 and image_rgb.shape[2] == 3 and image_rgb.size:
        check_aspect(image_rgb.shape[:2], name)
        return
    got = f"{image_rgb.dtype} of shape {image_rgb.shape}" if is_array else type(image_rgb).__name__
    raise ValueError(f"{name} must be an RGB array of uint8 of shape (H, W, 3), got {got}{_how_to_convert(image_rgb)}.")


def _how_to_convert(image) -> str:
    """The end of a sentence about an image that is no RGB array of uint8; empty if there is no way."""
    if not isinstance(image, np.ndarray):
        if hasattr(image, "getexif"):  # Pillow's, which need not be imported here
            return ': convert it with np.asarray(ImageOps.exif_transpose(image).convert("RGB"))'
        return ": convert it to a NumPy array"
    if image.size == 0:
        return ""
    if image.ndim == 4:
        return ": give several photos as a list, list(images)"
    if image.dtype.kind == "f":
        return ": if 1 is white, convert it with (255 * image).round().astype(np.uint8)"
    if image.dtype != np.uint8:
        return ": scale it to 0..255 and convert it with image.astype(np.uint8)"
    if image.ndim == 2:
        return ": repeat a grey image with np.stack([image] * 3, axis=-1)"
    if image.ndim == 3 and image.shape[2] == 4:
        return ": drop the alpha channel with image[..., :3]"
    if image.ndim == 3 and image.shape[0] == 3:
        return ": move the channels last with image.transpose(1, 2, 0)"
    return ""


def _checked_boxes(boxes: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """(N, 4) float32, cut off at the photo's edges."""
    boxes = np.asarray(boxes, np.float32)
    if boxes.size == 0:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError(
            f"boxes must be finite numbers of shape (N, 4), x0 y0 x1 y1 in pixels, got shape {boxes.shape}."
        )
    boxes = np.clip(boxes, 0, [size_hw[1], size_hw[0], size_hw[1], size_hw[0]]).astype(np.float32)
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        raise ValueError("each box must have x0 < x1 and y0 < y1 and reach into the photo.")
    return boxes
