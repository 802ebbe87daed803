"""What a row is: one photo and its people, as plain arrays. The one place that decides it, wherever it runs.

photo: its address. bytes: of its file. size_hw (2,) int32. Of N people: boxes_xyxy (N, 4), scores (N,) float32;
corners_xy (N, 2) int32; labels_0 ... uint8 (4, h, w), as in a video's frames (`video.frames_file`): I, and 255 times U,
V, confidence, of the window whose top left pixel is corners_xy.

Why not the arrays of <stem>.npz: its float32 maps of whole photos take six times the space, and more to store than to
make; a 255th of U or V is about a millimetre of the body, less than the networks' errors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.data.photos import read_photo
from opendensepose.formats.labelled_photo import drop_unsure, select_people
from opendensepose.instance import Instance
from opendensepose.predict import PHOTOS_PER_PASS, Predictor, failure_sentence
from opendensepose.scale.addresses import FoundFile, local_copy
from opendensepose.video.frames_file import people_arrays, people_of_arrays

__all__ = ["Choice", "Row", "label_photos", "people_of_row", "photo_row"]

Row = dict[str, Any]
MOST_PIXELS = 16_000_000  # of the photos that wait for others of their size: bounds the memory


@dataclass(frozen=True)
class Choice:
    """Whose labels a row has, and which: see `formats.OutputFolder`. ValueError, one sentence, for other values."""

    person: str | None = None
    min_confidence: float = 0.0

    def __post_init__(self) -> None:
        select_people([], self.person or "all")
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence must lie in [0, 1], got {self.min_confidence}.")


def photo_row(photo: FoundFile, size_hw: tuple[int, ...], people: Sequence[Instance], choice: Choice) -> Row:
    """Make the row of a photo. ValueError if a person has an embedding, but no charts."""
    if any(one.embedding is not None and not one.iuv.i.any() for one in people):
        raise ValueError("rows hold I, U, V, which this embedding model does not predict: name its --assets.")
    chosen = select_people(drop_unsure(people, choice.min_confidence), choice.person or "all")
    name, num_bytes = photo
    return {"photo": name, "bytes": num_bytes, "size_hw": np.array(size_hw, np.int32), **people_arrays(chosen)}


def people_of_row(row: Row) -> list[Instance]:
    """The people of a row."""
    height, width = (int(side) for side in row["size_hw"])
    return people_of_arrays(row, (height, width))


def label_photos(photos: Sequence[FoundFile], predictor: Predictor, choice: Choice) -> Iterator[tuple[int, Row | str]]:
    """Yield, for each photo in any order, its place and its row, or one sentence that says why there is none.

    Photos of one size run as batches. OSError if a file's server fails, MemoryError and other errors of the machine as
    they come.
    """
    waiting: list[tuple[int, np.ndarray]] = []
    for place, photo in enumerate(photos):
        image = _read(photo[0])
        if isinstance(image, str):
            yield place, image
            continue
        waiting.append((place, image))
        if sum(one.size for _, one in waiting) >= 3 * MOST_PIXELS:
            yield from _label(photos, waiting, predictor, choice)
            waiting = []
    yield from _label(photos, waiting, predictor, choice)


def _read(address: str) -> np.ndarray | str:
    """A photo, or what is wrong with it."""
    try:
        with local_copy(address) as path:
            try:
                return read_photo(path)
            except (ValueError, OSError) as error:
                return str(error).replace(str(path), address)
    except (FileNotFoundError, PermissionError):
        return f"there is no file {address}, or it may not be read."


def _label(
    photos: Sequence[FoundFile], waiting: Sequence[tuple[int, np.ndarray]], predictor: Predictor, choice: Choice
) -> Iterator[tuple[int, Row | str]]:
    def size(one: tuple[int, np.ndarray]) -> tuple[int, ...]:
        return one[1].shape[:2]

    for size_hw, same in groupby(sorted(waiting, key=size), size):
        group = list(same)
        for start in range(0, len(group), PHOTOS_PER_PASS):
            part = group[start : start + PHOTOS_PER_PASS]
            try:
                found = predictor([image for _, image in part])
            except Exception as error:
                if failure_sentence(Path(), error) is None:
                    raise
                yield from (_label_alone(photos, one, predictor, choice) for one in part)
                continue
            for (place, _), people in zip(part, found, strict=True):
                yield place, photo_row(photos[place], size_hw, people, choice)


def _label_alone(
    photos: Sequence[FoundFile], one: tuple[int, np.ndarray], predictor: Predictor, choice: Choice
) -> tuple[int, Row | str]:
    place, image = one
    try:
        return place, photo_row(photos[place], image.shape[:2], predictor(image), choice)
    except Exception as error:
        sentence = failure_sentence(Path(photos[place][0]), error)
        if sentence is None:
            raise
        return place, sentence
