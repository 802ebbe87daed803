"""Reports what an annotation or results file holds and every defect in it; changes nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from opendensepose.data.defects import (
    Defect,
    detection_defects,
    image_defects,
    person_defects,
    point_charts,
)
from opendensepose.data.fields import as_numbers
from opendensepose.data.json_files import read_json
from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.surface import CHART_TO_PART, NUM_PARTS, PART_NAMES

__all__ = ["Report", "check_file", "report_lines"]


@dataclass
class Report:
    """What `check_file` found. points: one number per person with points. The arrays by part are (15,) counts, entry 0
    unused: points, people with points there, people with a mask there."""

    name: str
    kind: str = "COCO-DensePose annotations"
    num_images: int = 0
    num_people: int = 0
    num_crowds: int = 0
    points: list[int] = field(default_factory=list)
    points_by_part: np.ndarray = field(default_factory=lambda: np.zeros(NUM_PARTS + 1, np.int64))
    people_by_part: np.ndarray = field(default_factory=lambda: np.zeros(NUM_PARTS + 1, np.int64))
    masks_by_part: np.ndarray = field(default_factory=lambda: np.zeros(NUM_PARTS + 1, np.int64))
    defects: list[Defect] = field(default_factory=list)


def check_file(
    path: str | Path, images: str | Path | None = None, on_progress: Callable[[int, int], None] | None = None
) -> Report:
    """Check a file of annotations (an object with `images` and `annotations`) or of results (a list).

    images: the folder of the photos, to see that they are there and of the size that the file says. on_progress:
    called with how many entries are done and how many there are. OSError or ValueError, one sentence, if the file is
    neither.
    """
    if images is not None and not Path(images).is_dir():
        raise ValueError(f"there is no folder {images}.")
    document = read_json(path)
    on_progress = on_progress or (lambda done, total: None)
    if isinstance(document, list):
        return _check_results(document, Report(str(path), "results with uv_data"), on_progress)
    if not isinstance(document, dict) or not all(isinstance(document.get(k), list) for k in ("images", "annotations")):
        raise ValueError(
            f"{path} holds neither annotations (an object with the lists `images` and `annotations`) nor results (a"
            " list)."
        )
    return _check_annotations(document, Report(str(path)), None if images is None else Path(images), on_progress)


def _check_annotations(document: dict, report: Report, folder: Path | None, on_progress: Callable) -> Report:
    images, annotations = document["images"], document["annotations"]
    names = _keypoint_names(document)
    report.num_images, report.num_people = len(images), len(annotations)
    report.defects.extend(_id_defects("image", images))
    report.defects.extend(_id_defects("annotation", annotations))
    image_by_id = {}
    for image in images:
        if isinstance(image, dict):
            report.defects.extend(image_defects(image, folder))
            if type(image.get("id")) is int:
                image_by_id[image["id"]] = image
    for place, annotation in enumerate(annotations):
        if isinstance(annotation, dict):
            image_id = annotation.get("image_id")
            image = image_by_id.get(image_id) if type(image_id) is int else None
            entry = None if type(annotation.get("id")) is int else f"entry {place} of annotations"
            category = annotation.get("category_id")
            its_names = names.get(category, KEYPOINT_NAMES) if type(category) is int else KEYPOINT_NAMES
            report.defects.extend(person_defects(annotation, image, its_names, entry))
            _count(annotation, report)
        on_progress(place + 1, len(annotations))
    return report


def _check_results(document: list, report: Report, on_progress: Callable) -> Report:
    report.num_people = len(document)
    report.num_images = len({str(entry.get("image_id")) for entry in document if isinstance(entry, dict)})
    for place, entry in enumerate(document):
        report.defects.extend(detection_defects(entry, place))
        on_progress(place + 1, len(document))
    return report


def _id_defects(what: str, entries: list) -> Iterator[Defect]:
    """Entries without an id, and ids that several entries have."""
    ids = []
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            yield Defect(f"entry {place} of {what}s", "not an object", f"got {type(entry).__name__}")
        elif type(entry.get("id")) is not int:
            yield Defect(f"entry {place} of {what}s", "missing field", f"id is no whole number: {entry.get('id')!r}")
        else:
            ids.append(entry["id"])
    for known, times in Counter(ids).items():
        if times > 1:
            yield Defect(f"{what} {known}", "duplicate id", f"{times} entries of `{what}s` have it")


def _keypoint_names(document: dict) -> dict[int, list[str]]:
    """The names of the keypoints by category, where the file's `categories` have them."""
    categories = document.get("categories")
    return {
        entry["id"]: entry["keypoints"]
        for entry in (categories if isinstance(categories, list) else [])
        if isinstance(entry, dict) and type(entry.get("id")) is int and _are_names(entry.get("keypoints"))
    }


def _are_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _count(annotation: dict, report: Report) -> None:
    """Adds one entry of `annotations` to the numbers of the report."""
    report.num_crowds += annotation.get("iscrowd") in (1, True)
    x = as_numbers(annotation.get("dp_x"))
    if x is not None and len(x):
        report.points.append(len(x))
        count = np.bincount(CHART_TO_PART[point_charts(annotation)], minlength=NUM_PARTS + 1)
        report.points_by_part += count
        report.people_by_part += count > 0
    masks = annotation.get("dp_masks")
    if isinstance(masks, list) and len(masks) == NUM_PARTS:
        report.masks_by_part[1:] += [bool(mask) for mask in masks]


def report_lines(report: Report) -> Iterator[str]:
    """The report as text: what is in the file, a table by part, then every defect with its entry."""
    yield f"{report.name}: {report.kind}"
    if report.kind.startswith("results"):
        yield f"  images      {report.num_images:>9,}"
        yield f"  detections  {report.num_people:>9,}"
    else:
        yield f"  images  {report.num_images:>11,}"
        yield f"  people  {report.num_people:>11,}   with points {len(report.points):,}, crowds {report.num_crowds:,}"
        if report.points:
            mean, fewest, most = np.mean(report.points), min(report.points), max(report.points)
            yield f"  points  {sum(report.points):>11,}   a person has {fewest} to {most}, on average {mean:.1f}"
        yield ""
        yield f"  {'part':<16}{'points':>10}{'people':>9}{'masks':>9}"
        for number in range(1, NUM_PARTS + 1):
            counts = report.points_by_part[number], report.people_by_part[number], report.masks_by_part[number]
            yield f"  {PART_NAMES[number]:<16}{counts[0]:>10,}{counts[1]:>9,}{counts[2]:>9,}"
    yield ""
    if not report.defects:
        yield "no defects"
        return
    yield f"defects: {len(report.defects):,}"
    for kind, times in Counter(defect.kind for defect in report.defects).most_common():
        yield f"  {times:>9,}  {kind}"
    yield ""
    for defect in report.defects:
        yield f"{defect.entry}: {defect.kind}: {defect.sentence}"
