"""Annotation and prediction files as what the measures take, at the files' own precision."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from opendensepose.data import CocoDensePose, load_prediction, read_results
from opendensepose.data.coco import annotated_box, annotated_points, is_crowd
from opendensepose.data.fields import as_numbers, number
from opendensepose.data.masks import part_foreground, polygons_mask, segmentation_mask
from opendensepose.data.results import decode_quantised, result_box
from opendensepose.evaluation.errors import Labels
from opendensepose.evaluation.masks import Window, stretched_grid
from opendensepose.evaluation.measures import AnnotatedImage
from opendensepose.evaluation.people import AnnotatedPerson, DetectedPerson, box_xywh

__all__ = ["AnnotatedPeople", "Predictions", "annotated_images", "open_predictions"]

PERSON = 1  # COCO's category_id, where a file does not list its categories


class AnnotatedPeople:
    """The people in an annotation file; remarks (sentences) on what is left out.

    file: its content; categories: the ids of people. People are of the category named "person", or of any where none is
    named so. ValueError if nobody is annotated.
    """

    def __init__(self, file: CocoDensePose):
        self.file = file
        listed = [one for one in _list(file.document, "categories") if isinstance(one, dict)]
        self.listed = {one.get("id") for one in listed if type(one.get("id")) is int}
        named = {one["id"] for one in listed if one.get("name") == "person" and one.get("id") in self.listed}
        found = {_category(entry, f"{file.name}: annotation {known}") for known, entry in file.annotations.items()}
        self.categories = named or found | {PERSON}
        num_other = sum(entry.get("category_id", PERSON) not in self.categories for entry in file.annotations.values())
        if num_other == len(file.annotations):
            raise ValueError(f"{file.name} has no annotations of people to measure against.")
        self.remarks = []
        if num_other:
            self.remarks.append(f"{num_other} annotations in {file.name} are of other categories: left out.")

    def size_hw(self, image_id: int) -> tuple[int, int]:
        """Return an image's height and width in pixels. ValueError if the file lacks them."""
        image = self.file.images[image_id]
        height, width = image.get("height"), image.get("width")
        if not (type(height) is int and type(width) is int and height > 0 and width > 0):
            raise ValueError(
                f"{self.file.name}: image {image_id}: height and width must be whole numbers above 0, "
                f"got {height, width}."
            )
        return height, width

    def people_in(self, image_id: int) -> list[AnnotatedPerson]:
        """Return an image's people. ValueError, naming file, annotation and field, if an entry is invalid."""
        people, size_hw = [], self.size_hw(image_id)
        for annotation_id in self.file.annotation_ids(image_id):
            entry = self.file.annotations[annotation_id]
            if entry.get("category_id", PERSON) not in self.categories:
                continue
            try:
                people.append(_annotated_person(entry, size_hw))
            except ValueError as error:
                raise ValueError(f"{self.file.name}: annotation {annotation_id}: {error}") from None
        return people

    def ignore_region(self, image_id: int) -> np.ndarray | None:
        """Draw an image's ignore_regions_x and ignore_regions_y, corners of polygons: (H, W) bool, or None."""
        image = self.file.images[image_id]
        sides = _list(image, "ignore_regions_x"), _list(image, "ignore_regions_y")
        if not sides[0]:
            return None
        try:
            return polygons_mask(_joined_corners(*sides), self.size_hw(image_id))
        except ValueError as error:
            raise ValueError(f"{self.file.name}: image {image_id}: ignore_regions_x: {error}") from None


def _list(entry: dict, name: str) -> list:
    value = entry.get(name)
    return value if isinstance(value, list) else []


def _category(entry: dict, name: str) -> int:
    """The category_id of an entry, that of people if it has none. ValueError, beginning with the entry's name, if it is
    no whole number."""
    value = entry.get("category_id", PERSON)
    if type(value) is not int:
        raise ValueError(f"{name}: category_id must be a whole number, got {value!r}.")
    return value


def _joined_corners(x: list, y: list) -> list[list[float]]:
    """[x, y, x, y, ..] of each region with an area. ValueError if lists of x and y differ in length or in kind."""
    if len(x) != len(y):
        raise ValueError(f"there are {len(x)} lists of x and {len(y)} of y")
    regions = []
    for one_x, one_y in zip(x, y, strict=True):
        of_x, of_y = as_numbers(one_x), as_numbers(one_y)
        if of_x is None or of_y is None or len(of_x) != len(of_y):
            raise ValueError("a region must be as many numbers x as y")
        if len(of_x) > 2:
            regions.append(np.stack([of_x, of_y], axis=1).ravel().tolist())
    return regions


def _annotated_person(entry: dict, size_hw: tuple[int, int]) -> AnnotatedPerson:
    box, points = annotated_box(entry), annotated_points(entry)
    has_chart = points.i > 0
    area = number(entry, "area", default=float(box[2] * box[3]))
    if area < 0:
        raise ValueError(f"area must be at least 0, got {area}.")
    return AnnotatedPerson(
        annotation_id=entry["id"],
        box_xywh=box,
        point_xy=points.xy[has_chart],
        true=Labels(*(value[has_chart] for value in (points.i, points.u, points.v))),
        has_points="dp_x" in entry and ("dp_I" in entry or "dp_vertex" not in entry),
        foreground=_foreground(entry, box, size_hw),
        area=area,
        iscrowd=is_crowd(entry),
    )


def _foreground(entry: dict, box: np.ndarray, size_hw: tuple[int, int]) -> Window | None:
    """The part masks over the box; of a person without them, `segmentation`."""
    name = "dp_masks" if "dp_masks" in entry else "segmentation"
    try:
        if name == "dp_masks":
            return stretched_grid(part_foreground(entry[name]), box, size_hw)
        mask = segmentation_mask(entry.get(name), size_hw)
    except ValueError as error:
        raise ValueError(f"{name}: {error}.") from None
    return None if mask is None else Window(mask, (0, 0))


class Predictions(Protocol):
    """Predicted people by image; remarks (sentences) on what is missing or left out."""

    remarks: list[str]

    def people_in(self, image_id: int) -> list[DetectedPerson]:
        """Return the people in an image. ValueError, naming file and field, if one is invalid."""


def annotated_images(
    truth: AnnotatedPeople, predictions: Predictions, image_ids: Iterable[int] | None = None
) -> Iterator[AnnotatedImage]:
    """Read image after image with its annotated and detected people; None: all images."""
    for image_id in truth.file.images if image_ids is None else image_ids:
        yield AnnotatedImage(
            image_id=image_id,
            size_hw=truth.size_hw(image_id),
            people=truth.people_in(image_id),
            detections=predictions.people_in(image_id),
            ignore_region=truth.ignore_region(image_id),
        )


def open_predictions(path: Path, truth: AnnotatedPeople) -> Predictions:
    """Open a folder of `predict`'s .npz or a COCO results file.

    FileNotFoundError if there is neither; ValueError if nothing in it is of an image or person of the annotations.
    """
    if path.is_dir():
        return _NpzFolder(path, truth)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file or folder {path}.")
    return _ResultsFile(path, truth)


class _NpzFolder:
    """`predict`'s files: <stem>.npz is of the image whose file_name has that stem."""

    def __init__(self, folder: Path, truth: AnnotatedPeople):
        self.folder, self.truth = folder, truth
        names = [self._path(image_id) for image_id in truth.file.images]
        missing = sum(not path.is_file() for path in names)
        if missing == len(names):
            some = f", such as {names[0].name}," if names else ""
            raise ValueError(
                f"{folder} has no .npz of the images that {truth.file.name} names{some} so nothing can be measured."
            )
        self.remarks = []
        if missing:
            self.remarks.append(
                f"{missing} of {len(names)} images have no .npz in {folder}: all their people are missed."
            )

    def _path(self, image_id: int) -> Path:
        name = self.truth.file.images[image_id].get("file_name", image_id)
        return self.folder / f"{Path(str(name)).stem}.npz"

    def people_in(self, image_id: int) -> list[DetectedPerson]:
        path = self._path(image_id)
        if not path.is_file():
            return []
        prediction, size_hw = load_prediction(path), self.truth.size_hw(image_id)
        if prediction.iuv.size_hw != size_hw:
            raise ValueError(f"{path}: I is {prediction.iuv.size_hw}, but the annotated image is {size_hw}.")
        people = []
        # Where a file or its source has no confidence, it is read as 1.
        is_known = bool((prediction.confidence[prediction.instance > 0] < 1).any())
        for k, (box, score) in enumerate(zip(prediction.boxes_xyxy, prediction.scores, strict=True), start=1):
            iuv, confidence, corner_xy = prediction.own_labels(k)
            try:
                people.append(
                    DetectedPerson(
                        box_xywh(box),
                        float(score),
                        iuv,
                        np.array(corner_xy),
                        confidence=confidence if is_known else None,
                    )
                )
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
        return people


class _ResultsFile:
    """A COCO results file with uv_shape and uv_data. As in the released evaluators, a crop's corner is the box's, which
    may lie between pixels, and its labels end at the box's whole width and height."""

    def __init__(self, path: Path, truth: AnnotatedPeople):
        self.path = path
        self.entries: dict[int, list[tuple[int, dict]]] = defaultdict(list)
        # detectron2 numbers categories from 0
        people = truth.categories | ({0} - truth.listed)
        entries: list[dict[str, Any]] = read_results(path)
        num_elsewhere = num_other = 0
        for place, entry in enumerate(entries):
            if entry["image_id"] not in truth.file.images:
                num_elsewhere += 1
            elif _category(entry, f"{path}: detection {place}") not in people:
                num_other += 1
            else:
                self.entries[entry["image_id"]].append((place, entry))
        if entries and num_elsewhere == len(entries):
            raise ValueError(f"none of the {len(entries)} detections in {path} is of an image of {truth.file.name}.")
        wanted = " or ".join(map(str, sorted(people)))
        if entries and not self.entries:
            raise ValueError(f"none of the detections in {path} is of a person: their category_id must be {wanted}.")
        self.remarks = []
        if num_elsewhere:
            self.remarks.append(
                f"{num_elsewhere} detections are of images that {truth.file.name} does not have: left out."
            )
        if num_other:
            self.remarks.append(f"{num_other} detections have another category_id than {wanted}: left out.")

    def people_in(self, image_id: int) -> list[DetectedPerson]:
        people = []
        for place, entry in self.entries.get(image_id, ()):
            try:
                box = result_box(entry)
                people.append(
                    DetectedPerson(box, number(entry, "score"), decode_quantised(entry), box[:2], ends_at_box=True)
                )
            except ValueError as error:
                raise ValueError(f"{self.path}: detection {place}: {error}") from None
        return people
