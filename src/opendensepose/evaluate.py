"""Predictions on disk against annotations on disk: the `evaluate` verb.

Predictions are a folder of `predict`'s <stem>.npz, one for each photo, or a COCO results file with IUV crops.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from opendensepose.atomic_write import atomic_write
from opendensepose.data import CocoDensePose, detection, read_annotations, read_results
from opendensepose.data.photos import find_image, photo_folders, read_photo
from opendensepose.data.predictions import load_prediction
from opendensepose.evaluation.errors import ChartDistances, DetectedPerson, LabelDistances, detected_person
from opendensepose.evaluation.gps import NORMALISERS
from opendensepose.evaluation.measures import AnnotatedImage, Measures, PersonErrors, measure
from opendensepose.evaluation.official_assets import load_official_distances
from opendensepose.evaluation.report import PersonPicture, chart_errors, person_lines, report_page, worst_people
from opendensepose.evaluation.tables import summary
from opendensepose.iuv import crop_iuv
from opendensepose.surface import load_charts, load_surface
from opendensepose.visualize.errors import draw_body_errors, draw_person_errors, error_colours

__all__ = ["Evaluation", "evaluate_files", "load_distances", "write_json", "write_report"]


class Predictions(Protocol):
    """Predicted people by image."""

    def people_in(self, image_id: int, image: dict) -> list[DetectedPerson]:
        """Return the people in an entry of `images`. ValueError, naming file and field, if one is invalid."""


@dataclass(frozen=True)
class Evaluation:
    """The measures, their inputs, and remarks (sentences) on what was missing."""

    measures: Measures
    annotations: CocoDensePose
    predictions: Predictions
    remarks: list[str] = field(default_factory=list)


def evaluate_files(
    predictions: str | Path,
    annotations: str | Path,
    *,
    normaliser: str | None = None,
    assets: str | Path | None = None,
    on_image: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure a folder of npz or a results file against an annotation file.

    normaliser: "kappa" or "part", both if None. assets: a folder with the authors' files, whose surface is then used.
    on_image(number done, number of all) is called after each image. FileNotFoundError or ValueError, one sentence.
    """
    if normaliser is not None and normaliser not in NORMALISERS:
        raise ValueError(f"the normaliser must be one of {', '.join(NORMALISERS)}, got {normaliser!r}.")
    truth = read_annotations(annotations)
    if not truth.annotations:
        raise ValueError(f"{annotations} has no annotations to measure against.")
    predicted = _open_predictions(Path(predictions), truth)
    distances = load_distances(assets)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if on_image:
            on_image(done, len(truth.images))

    measures = measure(
        _annotated_images(truth, predicted),
        distances,
        normalisers=(normaliser,) if normaliser else tuple(NORMALISERS),
        on_image=count,
    )
    return Evaluation(measures, truth, predicted, predicted.remarks)


def load_distances(assets: str | Path | None = None) -> LabelDistances:
    """Load geodesic distances on our surface, or on the authors' if a folder with their files is given."""
    if assets is not None:
        return load_official_distances(assets)
    from opendensepose.surface.geodesics.distances import GeodesicDistances

    return ChartDistances(load_charts(), GeodesicDistances(load_surface()))


def _annotated_images(truth: CocoDensePose, predictions: Predictions) -> Iterator[AnnotatedImage]:
    for image_id, image in truth.images.items():
        size_hw, people = _size_hw(truth, image), truth.people(image_id)
        yield AnnotatedImage(image_id, size_hw, people, predictions.people_in(image_id, image))


def _size_hw(truth: CocoDensePose, image: dict) -> tuple[int, int]:
    height, width = image.get("height"), image.get("width")
    if not (type(height) is int and type(width) is int and height > 0 and width > 0):
        raise ValueError(
            f"{truth.name}: image {image['id']}: height and width must be whole numbers above 0, got {height, width}."
        )
    return height, width


def _open_predictions(path: Path, truth: CocoDensePose) -> "_NpzFolder | _ResultsFile":
    if path.is_dir():
        return _NpzFolder(path, truth)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file or folder {path}.")
    return _ResultsFile(path, truth)


class _NpzFolder:
    """`predict`'s files: <stem>.npz is of the image whose file_name has that stem."""

    def __init__(self, folder: Path, truth: CocoDensePose):
        self.folder = folder
        names = [self._path(image) for image in truth.images.values()]
        missing = sum(not path.is_file() for path in names)
        if missing == len(names):
            some = f", such as {names[0].name}," if names else ""
            raise ValueError(
                f"{folder} has no .npz of the images that {truth.name} names{some} so nothing can be measured."
            )
        self.remarks = []
        if missing:
            self.remarks.append(
                f"{missing} of {len(names)} images have no .npz in {folder}: all their people are missed."
            )

    def _path(self, image: dict) -> Path:
        return self.folder / f"{Path(str(image.get('file_name', image['id']))).stem}.npz"

    def people_in(self, image_id: int, image: dict) -> list[DetectedPerson]:
        path = self._path(image)
        if not path.is_file():
            return []
        prediction = load_prediction(path)
        size_hw = image.get("height"), image.get("width")
        if prediction.iuv.size_hw != size_hw:
            raise ValueError(f"{path}: I is {prediction.iuv.size_hw}, but the annotated image is {size_hw}.")
        try:
            return [
                detected_person(box, float(score), prediction.own_iuv(k))
                for k, (box, score) in enumerate(zip(prediction.boxes_xyxy, prediction.scores, strict=True), start=1)
            ]
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


class _ResultsFile:
    """A COCO results file with uv_shape and uv_data. A crop's corner is the box's, which may lie between pixels, as in
    the released evaluators."""

    def __init__(self, path: Path, truth: CocoDensePose):
        self.path = path
        self.entries: dict[int, list[tuple[int, dict]]] = defaultdict(list)
        entries = read_results(path)
        elsewhere = 0
        for place, entry in enumerate(entries):
            if entry["image_id"] in truth.images:
                self.entries[entry["image_id"]].append((place, entry))
            else:
                elsewhere += 1
        if elsewhere and elsewhere == len(entries):
            raise ValueError(f"none of the {elsewhere} detections in {path} is of an image of {truth.name}.")
        self.remarks = []
        if elsewhere:
            self.remarks.append(f"{elsewhere} detections are of images that {truth.name} does not have: left out.")

    def people_in(self, image_id: int, image: dict) -> list[DetectedPerson]:
        people = []
        for place, entry in self.entries.get(image_id, ()):
            if entry.get("category_id", 1) != 1:
                continue
            try:
                one = detection(entry)
                people.append(
                    DetectedPerson(one.box_xyxy, one.score, one.iuv, np.asarray(one.box_xyxy[:2], np.float64))
                )
            except ValueError as error:
                raise ValueError(f"{self.path}: detection {place}: {error}") from None
        return people


def write_json(evaluation: Evaluation, path: Path) -> None:
    """Write all numbers, see `evaluation.tables.summary`, as JSON."""
    atomic_write(path, json.dumps(summary(evaluation.measures), indent=2).encode() + b"\n")


def write_report(evaluation: Evaluation, folder: Path, *, title: str) -> Path:
    """Write `index.html`, one self-contained file; return its path."""
    measures = evaluation.measures
    body = _encode(draw_body_errors(chart_errors(measures.chart, measures.error_m)), "PNG")
    worst = [_picture_of(evaluation, person) for person in worst_people(measures, next(iter(measures.gps)))]
    scale = error_colours(np.linspace(0, 0.3, 11)).tolist()
    page = report_page(measures, title=title, body_png=body, scale=scale, worst=worst)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    atomic_write(path, page.encode())
    return path


def _picture_of(evaluation: Evaluation, person: PersonErrors) -> PersonPicture:
    """Draw a person on the photo, or on grey if the photo is in none of `photo_folders`."""
    image = evaluation.annotations.images[person.image_id]
    size_hw = _size_hw(evaluation.annotations, image)
    photo = _read_photo_of(evaluation.annotations.name, str(image.get("file_name", "")), size_hw)
    chart = np.zeros(size_hw, np.uint8)
    for one in sorted(evaluation.predictions.people_in(person.image_id, image), key=lambda one: one.score):
        x, y = (int(edge) for edge in np.floor(one.origin_xy))
        height, width = one.iuv.size_hw
        window = crop_iuv(one.iuv, (-x, -y, size_hw[1] - x, size_hw[0] - y))  # the photo seen from the crop
        chart = np.where(window.i > 0, window.i, chart)
    picture = draw_person_errors(photo, person.box_xyxy, person.point_xy, person.error_m, chart)
    name = image.get("file_name", person.image_id)
    return PersonPicture(_encode(picture, "JPEG"), f"{name}, annotation {person.annotation_id}", person_lines(person))


def _read_photo_of(annotation_file: str, file_name: str, size_hw: tuple[int, int]) -> np.ndarray:
    try:
        photo = read_photo(find_image(photo_folders(annotation_file), file_name))
        if photo.shape[:2] == size_hw:
            return photo
    except (OSError, ValueError):
        pass
    return np.full((*size_hw, 3), 128, np.uint8)


def _encode(picture: np.ndarray, kind: str) -> bytes:
    content = BytesIO()
    Image.fromarray(picture).save(content, kind, **({"quality": 88} if kind == "JPEG" else {"optimize": True}))
    return content.getvalue()
