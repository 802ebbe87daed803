"""A photo's people, as every format writes and reads them; which people and which labels are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose.atomic_write import atomic_file
from opendensepose.data.photos import PHOTO_SUFFIXES, photo_size_hw
from opendensepose.instance import Instance, merge_instances
from opendensepose.iuv import IUV, crop_iuv

__all__ = [
    "FindPhoto",
    "LabelledPhoto",
    "drop_unsure",
    "known_size_hw",
    "labelled_box",
    "one_person",
    "person_from_crop",
    "photo_finder",
    "person_in_box",
    "select_people",
    "write_each_person",
]

FindPhoto = Callable[[str], Path | None]  # a photo's file name, or its stem, to the file


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo and its people.

    name: the photo's file name, or its stem where no more is known. size_hw: its height and width. people: their maps
    are of that size. image_rgb: (H, W, 3) uint8, or None if it is not at hand. ValueError if sizes differ.
    """

    name: str
    size_hw: tuple[int, int]
    people: Sequence[Instance]
    image_rgb: np.ndarray | None = None

    def __post_init__(self) -> None:
        sizes = {one.iuv.size_hw for one in self.people}
        if self.image_rgb is not None:
            sizes.add(self.image_rgb.shape[:2])
        if sizes - {tuple(self.size_hw)}:
            raise ValueError(f"{self.name} is {_text(self.size_hw)}, its labels or pixels {_text(sizes.pop())}.")

    @property
    def stem(self) -> str:
        """Return what the files of this photo are called, without their endings."""
        name = Path(self.name).name
        is_photo = Path(name).suffix.lower() in PHOTO_SUFFIXES
        return Path(name).stem if is_photo else name

    def merged(self) -> IUV:
        """Return one map of all people: where they overlap, the more confident label."""
        return merge_instances(self.people, self.size_hw)[0]


def _text(size_hw: tuple[int, ...]) -> str:
    return f"{size_hw[1]} x {size_hw[0]}"


def write_each_person(
    folder: Path, labelled: LabelledPhoto, kind: str, picture_of: Callable[[np.ndarray, IUV], np.ndarray]
) -> list[Path]:
    """Write <stem>.<kind>_<k>.png for the k-th person, what picture_of(photo, the person's map) returns.

    ValueError if the photo is missing.
    """
    if labelled.image_rgb is None:
        raise ValueError(f"the format {kind} needs the photo {labelled.name}.")
    paths = []
    for k, person in enumerate(labelled.people, start=1):
        path = folder / f"{labelled.stem}.{kind}_{k}.png"
        with atomic_file(path) as part:
            Image.fromarray(picture_of(labelled.image_rgb, person.iuv)).save(part, "PNG")
        paths.append(path)
    return paths


def select_people(people: Sequence[Instance], who: str) -> list[Instance]:
    """Choose people: `all`; `largest`, the one with most labelled pixels; or N, the N-th from 1, none if there are
    fewer. ValueError for anything else."""
    if who == "all":
        return list(people)
    if who == "largest":
        return sorted(people, key=lambda one: -int((one.iuv.i > 0).sum()))[:1]
    if who.isascii() and who.isdigit() and int(who) > 0:
        return list(people[int(who) - 1 : int(who)])
    raise ValueError(f"a person must be all, largest or a number from 1, got {who!r}.")


def drop_unsure(people: Sequence[Instance], min_confidence: float) -> list[Instance]:
    """Make background of all pixels whose confidence is below; people without a pixel left are dropped."""
    if min_confidence <= 0:
        return list(people)
    kept = []
    for one in people:
        sure = (one.iuv.i > 0) & (one.confidence >= min_confidence)
        if sure.any():
            maps = (np.where(sure, getattr(one.iuv, name), 0).astype(getattr(one.iuv, name).dtype) for name in "iuv")
            kept.append(Instance(one.box_xyxy, one.score, IUV(*maps), np.where(sure, one.confidence, np.float32(0))))
    return kept


def labelled_box(i: np.ndarray) -> tuple[int, int, int, int]:
    """Return the smallest box x0, y0, x1, y1 around the labelled pixels of i (H, W); 0, 0, 0, 0 if there are none."""
    rows, columns = np.flatnonzero(i.any(axis=1)), np.flatnonzero(i.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def person_in_box(person: Instance) -> tuple[np.ndarray, IUV]:
    """Cut a person out as detectron2 does: a box (4,) float32, and the map of its pixels truncated to int.

    The map has int(x1 - x0) columns and int(y1 - y0) rows, at least 1, from column int(x0) and row int(y0). The box is
    the person's own; if labels would be cut off, it is widened to whole pixels that hold all.
    """
    box = person.box_xyxy.astype(np.float32)
    x0, y0, x1, y1 = labelled_box(person.iuv.i)
    left, top, right, bottom = _int_box(box)
    if x0 < x1 and (x0 < left or y0 < top or x1 > right or y1 > bottom):
        corners = (
            min(np.floor(box[0]), x0),
            min(np.floor(box[1]), y0),
            max(np.ceil(box[2]), x1),
            max(np.ceil(box[3]), y1),
        )
        box = np.array(corners, np.float32)
    return box, crop_iuv(person.iuv, _int_box(box))


def person_from_crop(box_xyxy: np.ndarray, score: float, crop: IUV, size_hw: tuple[int, int]) -> Instance:
    """Put the map of a box, as `person_in_box` gives it, back into a photo; what lies outside is cut off."""
    x, y = int(box_xyxy[0]), int(box_xyxy[1])
    iuv = crop_iuv(crop, (-x, -y, size_hw[1] - x, size_hw[0] - y))
    return Instance(np.asarray(box_xyxy, np.float32), score, iuv, (iuv.i > 0).astype(np.float32))


def _int_box(box: np.ndarray) -> tuple[int, int, int, int]:
    left, top = int(box[0]), int(box[1])
    return left, top, left + max(int(box[2] - box[0]), 1), top + max(int(box[3] - box[1]), 1)


def one_person(iuv: IUV) -> Instance:
    """Return the labelled pixels of a map as one person, of whom no more is known: score and confidence are 1."""
    box = np.array(labelled_box(iuv.i), np.float32)
    return Instance(box, 1.0, iuv, (iuv.i > 0).astype(np.float32))


def photo_finder(photos: Sequence[Path]) -> FindPhoto:
    """Return a function that finds one of the photos by its file name or stem. ValueError if two share a stem."""
    by_stem: dict[str, Path] = {}
    for path in photos:
        if path.stem in by_stem:
            raise ValueError(f"{by_stem[path.stem]} and {path} have one name: labels cannot be matched with them.")
        by_stem[path.stem] = path

    def find(name: str) -> Path | None:
        name = Path(name).name
        return by_stem.get(name) or by_stem.get(Path(name).stem)

    return find


def known_size_hw(name: str, stated: object, find_photo: FindPhoto | None) -> tuple[int, int]:
    """Return a photo's size as a file states it, [H, W], or as the photo has it. ValueError if neither is there."""
    if isinstance(stated, list) and len(stated) == 2 and all(type(side) is int and 0 < side < 2**20 for side in stated):
        return stated[0], stated[1]
    path = find_photo(name) if find_photo else None
    if path is None:
        which = f"the photo {name} is not among the photos" if find_photo else "it does not state the photos' sizes"
        raise ValueError(f"{which}: name the folder that holds them with --photos.")
    return photo_size_hw(path)
