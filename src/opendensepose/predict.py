"""Photos -> people, with any network: arrays in memory, or files on disk.

The default model runs on ONNX Runtime; torch is imported when another one is asked for, or a GPU is used.
"""

from __future__ import annotations

import ctypes
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, overload

import cv2
import numpy as np
from numpy.typing import ArrayLike

from opendensepose.atomic_write import atomic_file
from opendensepose.data.photos import check_aspect, find_photos, read_photo
from opendensepose.data.predictions import save_prediction
from opendensepose.instance import Instance
from opendensepose.models.checkpoints.model_files import GRAPHS, weights_path
from opendensepose.models.densepose_lite.prepared import PreparedDensePoseLite
from opendensepose.models.densepose_lite.runtimes import OnnxRuntime, OpenVinoRuntime
from opendensepose.models.prediction import Network, PreparedNetwork

if TYPE_CHECKING:
    import torch

__all__ = ["BACKENDS", "PredictionSummary", "Predictor", "predict_files"]

RUNTIMES = {"onnxruntime": OnnxRuntime, "openvino": OpenVinoRuntime}
BACKENDS = ("torch", *RUNTIMES)
EXPORTED = {".onnx": ("onnxruntime", "openvino"), ".xml": ("openvino",)}  # suffix -> what runs such files

PHOTOS_PER_PASS = 4  # of a list: bounds the memory that the largest networks take


class Predictor:
    """Finds and labels people. Make it once, call it for each photo or each list of photos.

    model: the name of a released or official model, a checkpoint file (ours or detectron2's), an exported model (.onnx,
    .xml), or a network of `opendensepose.models`, of which a copy is used. device: default CUDA if there is one, of a
    network its own. min_score: people with a lower score are dropped; None: the model's own. mirrored: average the
    labels of each crop with those of its mirror image. refine: label a first crop only to tighten the box. The last two
    concern DensePoseLite. backend: the library that runs the networks: "torch", or for the default model and exported
    ones "onnxruntime" or "openvino", on the CPU; None: ONNX Runtime for these unless CUDA is used, torch for others.
    ValueError if the model does not predict people, or the device or the backend cannot be used.
    """

    def __init__(
        self,
        model: str | Path | Network = "default",
        device: str | None = None,
        min_score: float | None = None,
        mirrored: bool = True,
        refine: bool = True,
        backend: str | None = None,
    ):
        if min_score is not None and not 0 <= min_score <= 1:
            raise ValueError(f"min_score must lie in [0, 1], got {min_score}.")
        self.backend = _backend(model, device, backend)
        self.network: PreparedNetwork
        if self.backend == "torch":
            network = _torch_network(model, device)
            self.device = str(next(network.parameters()).device)
            self.network = network.prepare(mirrored, refine)
        else:
            graph = GRAPHS.get(str(model), Path(str(model)))
            self.device = "cpu"
            self.network = PreparedDensePoseLite(RUNTIMES[self.backend](graph), mirrored, refine)
        self.min_score = self.network.min_score if min_score is None else min_score

    @overload
    def __call__(self, image_rgb: np.ndarray, boxes: np.ndarray | None = None) -> list[Instance]: ...

    @overload
    def __call__(
        self, image_rgb: list[np.ndarray], boxes: Sequence[np.ndarray] | None = None
    ) -> list[list[Instance]]: ...

    def __call__(
        self, image_rgb: np.ndarray | list[np.ndarray], boxes: np.ndarray | Sequence[np.ndarray] | None = None
    ) -> list[Instance] | list[list[Instance]]:
        """Return the people in a photo, the highest score first, or, for a list of photos, a list of them per photo.

        image_rgb: (H, W, 3) uint8 RGB, or a list of such arrays of any sizes, which run as batches where sizes allow.
        boxes: (N, 4) xyxy float pixels, for a list of photos one such array each: label these instead of searching.
        ValueError, one sentence that says how to convert, for anything else. PIL images are refused too: only the
        caller knows whether their EXIF rotation still has to be applied, and the maps have the rotated photo's size.
        """
        one_photo = not isinstance(image_rgb, list)
        images = image_rgb if isinstance(image_rgb, list) else [image_rgb]
        for k, image in enumerate(images):
            _check_photo(image, "a photo" if one_photo else f"photo {k} of the list")
        image_boxes = None
        if boxes is not None:
            given = [boxes] if one_photo else list(boxes)
            if len(given) != len(images):
                raise ValueError(f"boxes must be one array per photo, {len(images)}, got {len(given)}.")
            image_boxes = [_checked_boxes(one, image.shape[:2]) for one, image in zip(given, images, strict=True)]
        people: list[list[Instance]] = []
        for start in range(0, len(images), PHOTOS_PER_PASS):
            part = slice(start, start + PHOTOS_PER_PASS)
            if image_boxes is None:
                people += self.network.find(images[part], self.min_score)
            else:
                people += self.network.label(images[part], image_boxes[part])
        return people[0] if one_photo else people


def _backend(model: str | Path | Network, device: str | None, backend: str | None) -> str:
    """Choose the library that runs a model, see `Predictor`. ValueError if the asked one cannot."""
    if backend not in (None, *BACKENDS):
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}.")
    is_file = isinstance(model, str | Path)
    runs = EXPORTED.get(Path(model).suffix, ("torch",)) if is_file else ("torch",)
    if is_file and str(model) in GRAPHS:
        on_gpu = device not in (None, "cpu") or device is None and _cuda_is_there() and find_spec("torch") is not None
        runs = ("torch", *RUNTIMES) if on_gpu else (*RUNTIMES, "torch")
    if backend not in (None, *runs):
        raise ValueError(f"{backend} cannot run {model}, only {' or '.join(runs)} can: see opendensepose export.")
    chosen = backend or runs[0]
    if chosen != "torch" and device not in (None, "cpu"):
        raise ValueError(f"{chosen} runs on the CPU here, got the device {device!r}: leave it out, or use torch.")
    return chosen


def _cuda_is_there() -> bool:
    """Return whether there is a CUDA device, without importing torch, which takes seconds."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def _torch_network(model: str | Path | Network, device: str | None) -> Network:
    """Return the network on its device. ValueError if the model is none or the device cannot be used."""
    if isinstance(model, str | Path):
        path = weights_path(model)  # says that there is no such model before torch is missed
        from opendensepose.models.checkpoints.checkpoint import load_checkpoint

        return load_checkpoint(path, _torch_device(device)).model
    if isinstance(model, Network):
        return model.to(_torch_device(device)) if device else model
    raise ValueError(
        f"model must be a name, a checkpoint file or a network that finds people, got {type(model).__name__}."
    )


def _torch_device(name: str | None) -> torch.device:
    import torch

    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).splitlines()[0].rstrip(".")
        raise ValueError(f"the device {name!r} cannot be used here: {first_line}.") from error


def _check_photo(image_rgb: np.ndarray, name: str) -> None:
    """Raise ValueError that says how to convert or cut it, unless it is an array that the networks take."""
    is_array = isinstance(image_rgb, np.ndarray)
    if is_array and image_rgb.dtype == np.uint8 and image_rgb.ndim == 3 and image_rgb.shape[2] == 3 and image_rgb.size:
        check_aspect(image_rgb.shape[:2], name)
        return
    got = f"{image_rgb.dtype} of shape {image_rgb.shape}" if is_array else type(image_rgb).__name__
    raise ValueError(f"{name} must be an RGB array of uint8 of shape (H, W, 3), got {got}{_how_to_convert(image_rgb)}.")


def _how_to_convert(image: object) -> str:
    """Return the end of a sentence about an image that is no RGB array of uint8; empty if there is no way."""
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


def _checked_boxes(given: ArrayLike, size_hw: tuple[int, int]) -> np.ndarray:
    """(N, 4) float32, cut off at the photo's edges."""
    boxes = np.asarray(given, np.float32)
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


@dataclass
class PredictionSummary:
    """What became of a batch of photos."""

    written: list[Path] = field(default_factory=list)  # the .npz files
    num_people: int = 0
    failures: dict[Path, str] = field(default_factory=dict)  # photo -> one sentence

    @property
    def exit_code(self) -> int:
        """Return 0 all done, 1 some photos failed, 2 nothing was done."""
        return 0 if not self.failures else 1 if self.written else 2


def predict_files(
    paths: Sequence[str | Path],
    out_dir: str | Path,
    model: str | Path | Network = "default",
    device: str | None = None,
    min_score: float | None = None,
    on_photo: Callable[[int, int, Path], None] | None = None,
    backend: str | None = None,
) -> PredictionSummary:
    """Label photos, or the photos in folders: write <stem>.npz and <stem>.overlay.jpg for each into out_dir.

    The npz holds I uint8 (H, W), U, V float32 (H, W), instance uint8 (H, W), boxes_xyxy float32 (N, 4), scores
    float32 (N,), and the pixels that people share, see `data.predictions`. A photo that cannot be read or labelled,
    for want of memory, say, is noted in the summary and the others are done. on_photo(number done, number of all,
    path) is called after each. ValueError, one sentence: no photos, an unknown model, device or backend, an out_dir
    that cannot be written, two photos that would share an output name.
    """
    photos = find_photos(list(paths))
    out_dir = _checked_out_dir(Path(out_dir), photos)
    predictor = Predictor(model, device, min_score, backend=backend)
    summary = PredictionSummary()
    for number, path in enumerate(photos, start=1):
        try:
            image_rgb = read_photo(path)
            people = predictor(image_rgb)
            summary.written.append(_write(out_dir, path.stem, image_rgb, people))
            summary.num_people += len(people)
        except (ValueError, OSError) as error:
            summary.failures[path] = str(error)
        except (cv2.error, MemoryError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and type(error).__name__ != "OutOfMemoryError":  # torch's
                raise
            said = " ".join(str(error).split())
            reason = f"OpenCV says {said!r}" if isinstance(error, cv2.error) else "there is too little memory"
            summary.failures[path] = f"{path} cannot be labelled, {reason}: make it smaller."
        if on_photo:
            on_photo(number, len(photos), path)
    return summary


def _checked_out_dir(out_dir: Path, photos: Sequence[Path]) -> Path:
    """Return the folder, made if missing. ValueError if it cannot be written or two photos would share a name in it."""
    seen: dict[str, Path] = {}
    for path in photos:
        if path.stem in seen:
            raise ValueError(f"{seen[path.stem]} and {path} would both be written as {path.stem}.npz: rename one.")
        seen[path.stem] = path
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out_dir):
            return out_dir
    except OSError as error:
        raise ValueError(f"the output folder {out_dir} cannot be written: {error.strerror or error}.") from error


def _write(out_dir: Path, stem: str, image_rgb: np.ndarray, people: list[Instance]) -> Path:
    from opendensepose.visualize import draw_overlay

    target = out_dir / f"{stem}.npz"
    overlay = draw_overlay(image_rgb, people)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    with atomic_file(out_dir / f"{stem}.overlay.jpg") as part:  # both files or none
        part.write_bytes(jpeg.tobytes())
        save_prediction(target, people, image_rgb.shape[:2])
    return target
