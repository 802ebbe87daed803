"""Measures a file or folder of predictions against an annotation file; numbers as JSON, a page of curves and pictures.

Predictions are a folder of `predict`'s <stem>.npz, one for each photo, or a COCO results file with IUV crops.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose.atomic_write import atomic_write
from opendensepose.data import read_annotations
from opendensepose.data.photos import find_image, photo_folders, read_photo
from opendensepose.evaluate.inputs import AnnotatedPeople, Predictions, annotated_images, open_predictions
from opendensepose.evaluation.errors import ChartDistances, LabelDistances
from opendensepose.evaluation.gps import NORMALISERS
from opendensepose.evaluation.measures import Measures, PersonErrors, measure
from opendensepose.evaluation.official_assets import load_official_distances
from opendensepose.evaluation.report import PersonPicture, chart_errors, person_lines, report_page, worst_people
from opendensepose.evaluation.tables import summary
from opendensepose.surface import load_charts, load_surface
from opendensepose.visualize.errors import draw_body_errors, draw_person_errors, error_colours

__all__ = ["Evaluation", "evaluate_files", "load_distances", "picture_of", "write_json", "write_report"]


@dataclass(frozen=True)
class Evaluation:
    """The measures, their inputs, and remarks (sentences) on what was missing or left out."""

    measures: Measures
    people: AnnotatedPeople
    predictions: Predictions

    @property
    def remarks(self) -> list[str]:
        return self.people.remarks + self.predictions.remarks


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
    truth = AnnotatedPeople(read_annotations(annotations))
    predicted = open_predictions(Path(predictions), truth)
    distances = load_distances(assets)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if on_image:
            on_image(done, len(truth.file.images))

    measures = measure(
        annotated_images(truth, predicted),
        distances,
        normalisers=(normaliser,) if normaliser else tuple(NORMALISERS),
        on_image=count,
    )
    return Evaluation(measures, truth, predicted)


def load_distances(assets: str | Path | None = None) -> LabelDistances:
    """Load geodesic distances on our surface, or on the authors' if a folder with their files is given."""
    if assets is not None:
        return load_official_distances(assets)
    from opendensepose.surface.geodesics.distances import GeodesicDistances

    return ChartDistances(load_charts(), GeodesicDistances(load_surface()))


def write_json(evaluation: Evaluation, path: Path) -> None:
    """Write all numbers, see `evaluation.tables.summary`, as JSON."""
    atomic_write(path, json.dumps(summary(evaluation.measures), indent=2).encode() + b"\n")


def write_report(evaluation: Evaluation, folder: Path, *, title: str) -> Path:
    """Write `index.html`, one self-contained file; return its path."""
    measures = evaluation.measures
    body = _encode(draw_body_errors(chart_errors(measures.chart, measures.error_m)), "PNG")
    worst = [picture_of(evaluation, person) for person in worst_people(measures, next(iter(measures.gps)))]
    scale = error_colours(np.linspace(0, 0.3, 11)).tolist()
    page = report_page(measures, title=title, body_png=body, scale=scale, worst=worst)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    atomic_write(path, page.encode())
    return path


def picture_of(evaluation: Evaluation, person: PersonErrors) -> PersonPicture:
    """Draw a person on the photo, or on grey if the photo is in none of `photo_folders`."""
    annotations = evaluation.people.file
    image = annotations.images[person.image_id]
    size_hw = evaluation.people.size_hw(person.image_id)
    photo = _read_photo_of(annotations.name, str(image.get("file_name", "")), size_hw)
    chart = np.zeros(size_hw, np.uint8)
    for one in sorted(evaluation.predictions.people_in(person.image_id), key=lambda one: one.score):
        charts, (x, y) = one.charts(size_hw)
        there = chart[y : y + charts.shape[0], x : x + charts.shape[1]]
        np.copyto(there, charts, where=charts > 0)
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
