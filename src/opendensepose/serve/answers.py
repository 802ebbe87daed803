"""What a worker does with a batch of photos: decodes and labels them, and writes each answer as its client wants it.

H, W: height and width of a photo.
"""

import base64
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import msgspec
import numpy as np

from opendensepose.data.photos import decode_photo
from opendensepose.formats import FORMATS, LabelledPhoto, drop_unsure, select_people
from opendensepose.formats.labelled_photo import labelled_box
from opendensepose.instance import Instance
from opendensepose.iuv import IUV, crop_iuv
from opendensepose.serve.view_data import view_data

__all__ = ["MEDIA_TYPES", "Answer", "Job", "Person", "Prediction", "Refusal", "answer_jobs"]

PNG, JPEG, ZIP = "image/png", "image/jpeg", "application/zip"
OVERLAY_QUALITY = 92
MEDIA_TYPES = {  # of what a client can ask for: `formats.FORMATS` and three more; zip where there are several files
    "json": "application/json",
    "overlay": JPEG,
    "view": "application/json",  # for the page
    "npz": "application/x-npz",
    "iuv-png": PNG,
    "iuv-legacy": ZIP,
    "coco": "application/json",
    "detectron2": "application/octet-stream",
    "viton": JPEG,
    "catvton": PNG,
    "cvton": PNG,
    "magicanimate": PNG,
    "controlnet-parula": PNG,
    "controlnet-viridis": PNG,
    "dreampose": "application/octet-stream",
    "pose-with-style": PNG,
    "atlas": ZIP,
    "cutout": ZIP,
}


@dataclass(frozen=True)
class Job:
    """A photo to label: the file's content, and what is wanted of it, see `formats.OutputFolder`."""

    content: bytes
    format: str = "json"
    person: str | None = None
    min_confidence: float = 0.0


@dataclass(frozen=True)
class Answer:
    """content: what the client gets. file_name: what a browser calls it."""

    content: bytes
    media_type: str
    file_name: str
    num_people: int


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer: a status of HTTP and one sentence."""

    status: int
    sentence: str


class Person(msgspec.Struct, frozen=True):
    """A person. box_xyxy: pixels. corner_xy: the photo's column and row at the top left of the map. iuv_png: the map as
    a PNG in base64, red I, green 255 U, blue 255 V; None where no pixel has a chart."""

    box_xyxy: tuple[float, float, float, float]
    score: float
    corner_xy: tuple[int, int]
    iuv_png: str | None


class Prediction(msgspec.Struct, frozen=True):
    """The people of a photo of size_hw, height and width, the most confident first."""

    size_hw: tuple[int, int]
    people: list[Person]


Label = Callable[[list[np.ndarray]], list[list[Instance]]]


def answer_jobs(jobs: Sequence[Job], label: Label, max_pixels: int) -> list[Answer | Refusal]:
    """Answer each job; label: people of each of a list of photos (H, W, 3) uint8 RGB."""
    photos: dict[int, np.ndarray] = {}
    outcomes: list[Answer | Refusal | None] = [None] * len(jobs)
    for k, job in enumerate(jobs):
        try:
            photos[k] = decode_photo(job.content, max_pixels=max_pixels)
        except ValueError as error:
            outcomes[k] = Refusal(422, _capitalised(error))
    labelled = _label_all(photos, label)
    for k, image_rgb in photos.items():
        people = labelled[k]
        outcomes[k] = people if isinstance(people, Refusal) else _answer(jobs[k], image_rgb, people)
    return [one for one in outcomes if one is not None]


def _label_all(photos: dict[int, np.ndarray], label: Label) -> dict[int, list[Instance] | Refusal]:
    """Label photos together; if that fails, each by itself, so that one does not spoil the others."""
    if not photos:
        return {}
    try:
        return dict(zip(photos, label(list(photos.values())), strict=True))
    except (ValueError, MemoryError, RuntimeError, cv2.error) as error:
        if len(photos) == 1:
            return {k: Refusal(422, _why(error)) for k in photos}
        each = (_label_all({k: image_rgb}, label) for k, image_rgb in photos.items())
        return {k: outcome for one in each for k, outcome in one.items()}


def _why(error: Exception) -> str:
    if isinstance(error, ValueError):
        return _capitalised(error)
    if isinstance(error, RuntimeError) and type(error).__name__ != "OutOfMemoryError":  # torch's
        raise error  # a fault of ours
    return "The photo cannot be labelled, there is too little memory: make it smaller."


def _capitalised(error: Exception) -> str:
    sentence = str(error)
    return sentence[:1].upper() + sentence[1:]


def _answer(job: Job, image_rgb: np.ndarray, people: Sequence[Instance]) -> Answer | Refusal:
    """Write a photo's people in the form that a job asks for."""
    try:
        default = FORMATS[job.format].people if job.format in FORMATS else "all"
        chosen = select_people(drop_unsure(people, job.min_confidence), job.person or default)
        if job.format == "json":
            content, name = msgspec.json.encode(_prediction(chosen, image_rgb.shape[:2])), "photo.json"
        elif job.format == "view":
            content, name = msgspec.json.encode(view_data(image_rgb, chosen)), "view.json"
        elif job.format == "overlay":
            content, name = _overlay(image_rgb, chosen), "photo.overlay.jpg"
        else:
            content, name = _file(job.format, image_rgb, chosen)
    except (ValueError, MemoryError) as error:
        return Refusal(422, _why(error))
    return Answer(content, MEDIA_TYPES[job.format], name, len(chosen))


def _prediction(people: Sequence[Instance], size_hw: tuple[int, ...]) -> Prediction:
    return Prediction((size_hw[0], size_hw[1]), [_person(one) for one in people])


def _person(person: Instance) -> Person:
    box = labelled_box(person.iuv.i)
    x0, y0, x1, y1 = (round(float(edge), 2) for edge in person.box_xyxy)
    png = base64.b64encode(_iuv_png(crop_iuv(person.iuv, box))).decode() if box[2] else None
    return Person((x0, y0, x1, y1), round(float(person.score), 4), box[:2], png)


def _iuv_png(iuv: IUV) -> bytes:
    """Write a map as `formats.iuv_png` does, faster: in a service the time counts more than some bytes."""
    values = [np.rint(255 * part).astype(np.uint8) for part in (iuv.v, iuv.u)]
    _, png = cv2.imencode(".png", np.dstack([*values, iuv.i]), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    return png.tobytes()


def _overlay(image_rgb: np.ndarray, people: Sequence[Instance]) -> bytes:
    from opendensepose.visualize import draw_overlay

    picture = cv2.cvtColor(draw_overlay(image_rgb, people), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, OVERLAY_QUALITY])[1].tobytes()


def _file(name: str, image_rgb: np.ndarray, people: Sequence[Instance]) -> tuple[bytes, str]:
    """Write the files of a format, several as one zip file; returns the content and its name."""
    height, width = image_rgb.shape[:2]
    with tempfile.TemporaryDirectory(prefix="opendensepose-") as place:  # writers write files; gone at once
        folder = Path(place)
        files = FORMATS[name].write(folder, LabelledPhoto("photo.jpg", (height, width), people, image_rgb))
        join = FORMATS[name].join
        if join:
            files = join(folder, files)
        if MEDIA_TYPES[name] != ZIP:
            (file,) = files
            return file.read_bytes(), file.name
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:  # PNG files: packed already
            for file in files:
                archive.write(file, file.name)
        return packed.getvalue(), f"photo.{name}.zip"
