"""Photos -> people, with any network: arrays in memory, or files on disk.

The default model runs on ONNX Runtime; torch is imported when another one is asked for, or a GPU is used.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import cv2
import numpy as np
from numpy.typing import ArrayLike

from opendensepose.data.photos import check_photo, find_photos, read_photo
from opendensepose.formats import OutputFolder
from opendensepose.instance import Instance
from opendensepose.iuv import empty_iuv
from opendensepose.models.checkpoints.model_files import GRAPHS, weights_path
from opendensepose.models.densepose_lite.prepared import PreparedDensePoseLite, Runtime
from opendensepose.models.densepose_lite.runtimes import OnnxRuntime, OpenVinoRuntime
from opendensepose.models.prediction import EmbeddingNetwork, Network, PreparedNetwork
from opendensepose.surface import NO_VERTEX
from opendensepose.worker_processes import call_in_processes

if TYPE_CHECKING:
    import torch

    from opendensepose.evaluation.errors import Labels

__all__ = [
    "BACKENDS",
    "PredictionSummary",
    "Predictor",
    "choose_backend",
    "failure_sentence",
    "model_identity",
    "predict_files",
]

RUNTIMES: dict[str, Callable[[Path], Runtime]] = {"onnxruntime": OnnxRuntime, "openvino": OpenVinoRuntime}
BACKENDS = ("torch", *RUNTIMES)
EXPORTED = {".onnx": ("onnxruntime", "openvino"), ".xml": ("openvino",)}  # suffix -> what runs such files

PHOTOS_PER_PASS = 4  # of a list: bounds the memory that the largest networks take


class Predictor:
    """Finds and labels people. Make it once, call it for each photo or each list of photos.

    model: the name of a released or official model, a checkpoint file (ours or detectron2's), an exported model (.onnx,
    .xml), or a network of `opendensepose.models`, of which a copy is used. device: default CUDA if there is one, of a
    network its own. min_score: people with a lower score are dropped; None: the model's own. mirrored: average the
    labels of each crop with those of its mirror image. refine: tighten boxes that are given, or not found for sure, by
    a first crop's labels. These two concern DensePoseLite. backend: the library that runs the networks: "torch", or for
    the default model and exported ones "onnxruntime" or "openvino", on the CPU; None: ONNX Runtime for these unless
    CUDA is used, torch for others. assets: a folder with the authors' SMPL_subdiv.mat and SMPL_SUBDIV_TRANSFORM.mat,
    which say in which chart the vertices of an embedding model lie: its people have I, U, V then, else vertices and
    embeddings only. ValueError if the model does not predict people, the device or the backend cannot be used, or the
    assets are not the model's.
    """

    def __init__(
        self,
        model: str | Path | Network = "default",
        device: str | None = None,
        min_score: float | None = None,
        mirrored: bool = True,
        refine: bool = True,
        backend: str | None = None,
        assets: str | Path | None = None,
    ):
        if min_score is not None and not 0 <= min_score <= 1:
            raise ValueError(f"min_score must lie in [0, 1], got {min_score}.")
        self.backend = choose_backend(model, device, backend)
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
        self.vertex_charts = None if assets is None else _vertex_charts(assets, self.network)

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
            check_photo(image, "a photo" if one_photo else f"photo {k} of the list")
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
        if self.vertex_charts is not None:
            people = [[_with_charts(one, self.vertex_charts) for one in of_photo] for of_photo in people]
        return people[0] if one_photo else people


def choose_backend(model: str | Path | Network, device: str | None, backend: str | None) -> str:
    """Choose the library that runs a model, see `Predictor`. ValueError if the asked one cannot."""
    if backend not in (None, *BACKENDS):
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}.")
    runs: tuple[str, ...] = ("torch",)
    if isinstance(model, str | Path):
        runs = EXPORTED.get(Path(model).suffix, runs)
    if isinstance(model, str | Path) and str(model) in GRAPHS:
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
        reason = "torch knows no such device; usual ones are cpu, cuda, cuda:1 and mps"
        if name.startswith("cuda"):  # that of the driver, without the advice that follows it
            reason = str(error).splitlines()[0].split(". ")[0].rstrip(".")
        raise ValueError(f"the device {name!r} cannot be used here: {reason}.") from error


def _vertex_charts(assets: str | Path, network: PreparedNetwork) -> Labels:
    """Read the charts of the network's vertices. ValueError if it predicts none, or another number of them."""
    from opendensepose.evaluation.official_assets import load_vertex_charts

    if not isinstance(network, EmbeddingNetwork):
        raise ValueError("assets serve embedding models (CSE_...) only: this model predicts I, U, V itself.")
    charts = load_vertex_charts(assets)
    if len(charts.i) != network.num_vertices:
        raise ValueError(
            f"the assets must describe a mesh of {network.num_vertices:,} vertices like the model's, got"
            f" {len(charts.i):,} in {assets}."
        )
    return charts


def _with_charts(person: Instance, charts: Labels) -> Instance:
    """Look up I, U, V of the vertices that a person's pixels show; charts: of all vertices."""
    if person.embedding is None:
        return person
    vertex, iuv = person.embedding.vertex, empty_iuv(person.iuv.size_hw)
    seen = vertex != NO_VERTEX
    for whole, of_vertices in zip((iuv.i, iuv.u, iuv.v), charts, strict=True):
        whole[person.embedding.window][seen] = of_vertices[vertex[seen]]
    return replace(person, iuv=iuv)


def _checked_boxes(given: ArrayLike, size_hw: tuple[int, int]) -> np.ndarray:
    """(N, 4) float32, cut off at the photo's edges."""
    try:
        boxes = np.asarray(given, np.float32)
    except (TypeError, ValueError):
        raise ValueError("boxes must be finite numbers of shape (N, 4), got something else.") from None
    if boxes.size == 0:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError(
            f"boxes must be finite numbers of shape (N, 4), x0 y0 x1 y1 in pixels, got shape {boxes.shape}."
        )
    inside = np.clip(boxes, 0, [size_hw[1], size_hw[0], size_hw[1], size_hw[0]]).astype(np.float32)
    empty = ~(inside[:, 2:] > inside[:, :2]).all(1)
    if empty.any():
        wrong = boxes[empty.argmax()].tolist()
        raise ValueError(f"each box must have x0 < x1 and y0 < y1 and reach into the photo, got {wrong}.")
    return inside


@dataclass
class PredictionSummary:
    """What became of a batch of photos."""

    written: list[Path] = field(default_factory=list)  # files, without overlays
    num_photos: int = 0  # labelled now
    num_skipped: int = 0  # done before
    num_people: int = 0
    num_without: int = 0  # labelled photos with fewer people than the one asked for by number
    failures: dict[Path, str] = field(default_factory=dict)  # photo -> one sentence

    @property
    def exit_code(self) -> int:
        """Return 0 all done, 1 some photos failed, 2 nothing was done."""
        return 0 if not self.failures else 1 if self.num_photos or self.num_skipped else 2


def predict_files(
    paths: Sequence[str | Path],
    out_dir: str | Path,
    model: str | Path | Network = "default",
    device: str | None = None,
    min_score: float | None = None,
    on_photo: Callable[[int, int, Path], None] | None = None,
    *,
    backend: str | None = None,
    assets: str | Path | None = None,
    formats: str = "npz",
    person: str | None = None,
    min_confidence: float = 0.0,
    overlay: bool = True,
    again: bool = False,
    workers: int = 1,
) -> PredictionSummary:
    """Label photos, or the photos in folders, and write them into out_dir, each in all formats.

    formats: names of `formats.FORMATS`, separated by commas; npz is <stem>.npz, see `data.predictions`. person,
    min_confidence, overlay: see `formats.OutputFolder`. Photos that are done already, with the same settings, are
    skipped unless again. A photo that cannot be read or labelled, for want of memory, say, is noted in the summary and
    the others are done. on_photo(number done, number of all, path) is called after each that is labelled. backend,
    assets: see Predictor. workers: on a CPU, so many processes of one core each share the photos of a model given by
    name or file. ValueError, one sentence: no photos, an unknown model, device, backend, format or person, assets of
    another mesh, an out_dir that cannot be written, two photos that would share an output name.
    """
    photos = find_photos(list(paths))
    settings = {
        "model": model_identity(model),
        "min_score": min_score,
        "assets": None if assets is None else str(assets),
    }
    make_output = partial(
        OutputFolder, out_dir, formats, person=person, min_confidence=min_confidence, overlay=overlay, settings=settings
    )
    output = make_output()
    output.check_names(photos, again)
    names = {path: output.names if again else output.missing(path) for path in photos}
    waiting = [path for path in photos if names[path]]
    make_predictor = partial(Predictor, model, device, min_score, backend=backend, assets=assets)
    outcomes: Iterator[_Outcome] = iter(())
    if workers > 1 and len(waiting) > 1 and isinstance(model, str | Path) and _runs_on_cpu(model, device, backend):
        weights_path(model)  # an unknown model is named before processes start
        calls = [partial(_predict_in_worker, path, names[path]) for path in waiting]
        start = partial(_start_worker, make_predictor, make_output)
        outcomes = call_in_processes(calls, min(workers, len(waiting)), start)
    elif waiting:
        predictor = make_predictor()
        outcomes = (_predict_file(path, names[path], predictor, output) for path in waiting)
    summary = PredictionSummary(num_skipped=len(photos) - len(waiting))
    wanted = int(person) if person and person.isdecimal() else 0
    for number, one in enumerate(outcomes, start=summary.num_skipped + 1):
        if one.failure is None:
            summary.written += one.files
            summary.num_photos += 1
            summary.num_people += one.num_people
            summary.num_without += one.num_people < wanted
        else:
            summary.failures[one.photo] = one.failure
        if on_photo:
            on_photo(number, len(photos), one.photo)
    summary.written += make_output().join(photos)
    return summary


def _runs_on_cpu(model: str | Path, device: str | None, backend: str | None) -> bool:
    """Whether a model given by name or file will run on the CPU. ValueError if the backend cannot run it."""
    return choose_backend(model, device, backend) != "torch" or _torch_device(device).type == "cpu"


def model_identity(model: str | Path | Network) -> str:
    """What tells a model from another, as far as can be seen without loading it."""
    if isinstance(model, Network):
        return type(model).__name__
    if not Path(model).is_file():
        return str(model)
    status = Path(model).stat()
    return f"{Path(model).name}, {status.st_size} bytes, {status.st_mtime_ns}"


@dataclass(frozen=True)
class _Outcome:
    """What became of a photo: the files without overlays; failure: one sentence."""

    photo: Path
    files: Sequence[Path] = ()
    num_people: int = 0
    failure: str | None = None


def _predict_file(path: Path, names: Sequence[str], predictor: Predictor, output: OutputFolder) -> _Outcome:
    """Label one photo and write it in the named formats."""
    try:
        image_rgb = read_photo(path)
        people = predictor(image_rgb)
        files = output.write(path, image_rgb, people, names)
        return _Outcome(path, [file for file in files if not file.name.endswith(".overlay.jpg")], len(people))
    except Exception as error:
        sentence = failure_sentence(path, error)
        if sentence is None:
            raise
        return _Outcome(path, failure=sentence)


def failure_sentence(path: Path, error: Exception) -> str | None:
    """What an error says about a photo that cannot be read or labelled; None: the photo is not the cause."""
    if isinstance(error, ValueError | OSError):
        return str(error)
    if isinstance(error, cv2.error):
        said = " ".join(str(error).split())
        return f"{path} cannot be labelled, OpenCV says {said!r}: make it smaller."
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's
        return f"{path} cannot be labelled, there is too little memory: make it smaller."
    return None


_worker: dict[str, Any] = {}  # a worker process' predictor and output folder


def _start_worker(make_predictor: Callable[[], Predictor], make_output: Callable[[], OutputFolder]) -> None:
    _worker.update(predictor=make_predictor(), output=make_output())


def _predict_in_worker(path: Path, names: Sequence[str]) -> _Outcome:
    return _predict_file(path, names, _worker["predictor"], _worker["output"])
