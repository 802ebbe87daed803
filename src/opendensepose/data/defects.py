"""What can be wrong with one entry of an annotation or results file: a generator of `Defect` for each kind of entry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.data.coco import is_crowd
from opendensepose.data.fields import as_numbers, is_finite, number, numbers
from opendensepose.data.masks import part_mask_runs
from opendensepose.data.photos import find_image, photo_size_hw
from opendensepose.data.results import detection
from opendensepose.data.sides import side_contradictions
from opendensepose.part_grid import GRID
from opendensepose.surface import CHART_TO_PART, NUM_PARTS

__all__ = ["Defect", "detection_defects", "image_defects", "person_defects", "point_charts"]

_VERTICES = {"smpl_27554": 27554}  # size of the reference meshes that are known by name
_EDGE_PX = 1.0  # boxes of real files end a little outside the photo
_POINT_FIELDS = ("dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_vertex")


@dataclass(frozen=True)
class Defect:
    """Something wrong: with which entry (`annotation 12`), of which kind, and a sentence with the values."""

    entry: str
    kind: str
    sentence: str


def person_defects(
    annotation: dict, image: dict | None, names: Sequence[str], entry: str | None = None
) -> Iterator[Defect]:
    """Yield every defect of one entry of `annotations`.

    image: its entry of `images`, None if there is none. names: of the keypoints, in their order. entry: how the defects
    name it, by default by its id.
    """
    entry = entry or f"annotation {annotation.get('id')!r}"
    if image is None:
        yield Defect(entry, "image is not in the file", f"no image has the id {annotation.get('image_id')!r}")
    yield from (Defect(entry, *rest) for rest in _category_defects(annotation))
    rules = (_box_defects(annotation, image), _point_defects(annotation), _mask_defects(annotation))
    for rule in (*rules, _vertex_defects(annotation), _keypoint_defects(annotation, names)):
        for kind, sentence in rule:
            yield Defect(entry, kind, sentence)


def _category_defects(entry: dict) -> Iterator[tuple[str, str]]:
    try:
        is_crowd(entry)
    except ValueError as error:
        yield "bad iscrowd", _clause(error)
    if type(entry.get("category_id", 1)) is not int:
        yield "bad category_id", f"category_id must be a whole number, got {entry['category_id']!r}"


def _box_defects(annotation: dict, image: dict | None) -> Iterator[tuple[str, str]]:
    try:
        x0, y0, width, height = numbers(annotation, "bbox", 4)
    except ValueError as error:
        yield "bad box", _clause(error)
        return
    if not (width > 0 and height > 0):
        yield "bad box", f"bbox has width {width:g} and height {height:g}"
    if image is not None and _is_size(image.get("width")) and _is_size(image.get("height")):
        beyond = max(-x0, -y0, x0 + width - image["width"], y0 + height - image["height"])
        if beyond > _EDGE_PX:
            yield (
                "box outside the image",
                f"bbox {[x0, y0, width, height]} reaches {beyond:g} px out of the image of"
                f" {image['width']} x {image['height']}",
            )
    if "area" in annotation:
        try:
            if number(annotation, "area") < 0:
                yield "bad area", f"area is {annotation['area']}"
        except ValueError as error:
            yield "bad area", _clause(error)


def _point_defects(annotation: dict) -> Iterator[tuple[str, str]]:
    present = [name for name in _POINT_FIELDS if name in annotation]
    if not present:
        return
    needed = {"dp_x", "dp_y", *(["dp_vertex"] if "dp_vertex" in annotation else [])}
    if "dp_vertex" not in annotation or "dp_I" in annotation:
        needed |= {"dp_I", "dp_U", "dp_V"}
    for name in sorted(needed - set(present)):
        yield "missing field", f"{name} is missing while {present[0]} is there"
    lists = {name: as_numbers(annotation[name]) for name in present}
    for name, values in lists.items():
        if values is None:
            yield "not numbers", f"{name} is no list of numbers"
    lengths = {name: len(values) for name, values in lists.items() if values is not None}
    if len(set(lengths.values())) > 1:
        yield "lists of unequal length", ", ".join(f"{name} has {length}" for name, length in lengths.items())
    for name, values in lists.items():
        if values is not None:
            yield from _value_defects(name, values)


def _value_defects(name: str, values: np.ndarray) -> Iterator[tuple[str, str]]:
    """What is wrong with the values (P,) float64 of one list."""
    finite = is_finite(values)
    yield from _first_of(name, values, ~finite, "not a finite number")
    values = np.where(finite, values, 1)  # 1 is valid in every list
    if name in ("dp_x", "dp_y"):
        yield from _first_of(name, values, (values < 0) | (values > 255), "point outside the box")
    elif name == "dp_I":
        yield from _first_of(name, values, (values < 1) | (values > 24) | (values % 1 != 0), "I outside 1..24")
    elif name in ("dp_U", "dp_V"):
        yield from _first_of(name, values, (values < 0) | (values > 1), f"{name[-1]} outside [0, 1]")


def _first_of(name: str, values: np.ndarray, wrong: np.ndarray, kind: str) -> Iterator[tuple[str, str]]:
    places = np.flatnonzero(wrong)
    if places.size:
        of = f"{places.size} of {values.size} points" if places.size > 1 else f"1 of {values.size} points"
        yield kind, f"{of}: {name} is {values[places[0]]:g} at point {places[0]}"


def _mask_defects(annotation: dict) -> Iterator[tuple[str, str]]:
    if "dp_masks" not in annotation:
        return
    codes = annotation["dp_masks"]
    if not isinstance(codes, list) or len(codes) != NUM_PARTS:
        got = f"{len(codes)} entries" if isinstance(codes, list) else type(codes).__name__
        yield "bad part masks", f"dp_masks must be a list of {NUM_PARTS}, got {got}"
        return
    for part, code in enumerate(codes, start=1):
        if code:
            size = code.get("size") if isinstance(code, dict) else None
            kind = "damaged mask" if size in (None, [GRID, GRID]) else "mask of the wrong size"
            try:
                part_mask_runs(code, part)
            except ValueError as error:
                yield kind, f"dp_masks: {_clause(error)}"


def _vertex_defects(annotation: dict) -> Iterator[tuple[str, str]]:
    if "dp_vertex" not in annotation:
        return
    mesh = annotation.get("ref_model")
    if not isinstance(mesh, str):
        yield "missing field", "ref_model does not name the mesh of dp_vertex"
    values = as_numbers(annotation["dp_vertex"])
    if values is not None:
        most = _VERTICES.get(mesh, np.inf) if isinstance(mesh, str) else np.inf
        finite = is_finite(values)
        wrong = finite & ((values < 0) | (values >= most) | (np.where(finite, values, 0) % 1 != 0))
        yield from _first_of("dp_vertex", values, wrong, "vertex outside the mesh")


def _keypoint_defects(annotation: dict, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    if not annotation.get("keypoints"):
        return
    try:
        keypoints = numbers(annotation, "keypoints", 3 * len(names)).reshape(-1, 3)
        x0, y0, width, height = numbers(annotation, "bbox", 4)
    except ValueError as error:
        if "keypoints" in str(error):
            yield "bad keypoints", _clause(error)
        return
    chart = point_charts(annotation)
    x, y = (as_numbers(annotation.get(name)) for name in ("dp_x", "dp_y"))
    if x is None or y is None or not len(x) == len(y) == len(chart):
        return  # the rules for points report it
    usable = is_finite(x) & is_finite(y)
    x, y = x[usable], y[usable]
    point_xy = np.stack([x / 255 * width + x0, y / 255 * height + y0], axis=1)
    part = CHART_TO_PART[chart[usable]]
    side_px = float(np.sqrt(max(width * height, 0)))
    for sentence in side_contradictions(part, point_xy, keypoints, names, side_px):
        yield "left and right contradict the keypoints", sentence


def point_charts(annotation: dict) -> np.ndarray:
    """Read the chart of each point, (P,) uint8, 0 where it is invalid; empty without a list of them."""
    values = as_numbers(annotation.get("dp_I"))
    if values is None:
        return np.zeros(0, np.uint8)
    valid = np.isfinite(values) & (values >= 1) & (values <= 24)
    return np.where(valid, values, 0).astype(np.uint8)


def image_defects(image: dict, folder: Path | None) -> Iterator[Defect]:
    """Yield every defect of one entry of `images`; with the folder of the photos, those of its file too."""
    entry = f"image {image.get('id')!r}"
    name = image.get("file_name")
    if not isinstance(name, str) or not name:
        yield Defect(entry, "missing field", "file_name is missing")
        return
    stated = [image.get("height"), image.get("width")]
    for side, value in zip(("height", "width"), stated, strict=True):
        if value is not None and not _is_size(value):
            yield Defect(entry, "bad image size", f"{side} is {value!r}")
    if folder is None:
        return
    try:
        size_hw = photo_size_hw(find_image(folder, name))
    except FileNotFoundError:
        yield Defect(entry, "missing image", f"{name} is not in {folder}")
    except ValueError as error:
        yield Defect(entry, "unreadable image", _clause(error))
    else:
        if all(map(_is_size, stated)) and size_hw != tuple(stated):
            yield Defect(
                entry,
                "image of another size",
                f"{name} is {size_hw[1]} x {size_hw[0]}, the file says {stated[1]} x {stated[0]}",
            )


def detection_defects(result: Any, place: int) -> Iterator[Defect]:
    """Yield every defect of the entry number `place` of a results file."""
    if not isinstance(result, dict):
        yield Defect(f"detection {place}", "not an object", f"got {type(result).__name__}")
        return
    entry = f"detection {place} (image {result.get('image_id')!r})"
    if type(result.get("image_id")) is not int:
        yield Defect(entry, "missing field", "image_id is no whole number")
        return
    yield from (Defect(entry, *rest) for rest in _category_defects(result))
    try:
        found = detection(result)
    except ValueError as error:
        yield Defect(entry, f"bad {str(error).split(':')[0].split()[0]}", _clause(error))
        return
    height, width = found.iuv.size_hw
    _, _, box_width, box_height = result["bbox"]
    if abs(width - box_width) > 1 or abs(height - box_height) > 1:
        yield Defect(
            entry,
            "crop of another size than its box",
            f"the crop is {width} x {height}, bbox {box_width} x {box_height}",
        )


def _clause(error: ValueError) -> str:
    return str(error).rstrip(".")


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 < value < 1_000_000
