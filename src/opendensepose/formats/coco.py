"""`coco`: one results file, `coco.json`, with a crop of I, U, V for each person: the COCO-DensePose challenge's form.

Each photo is written to `coco.parts` by itself, so that a run of many photos can be interrupted; `join_coco` makes the
file of all. Entries state more than the challenge asks for, `file_name` and `image_size_hw`, which other tools skip.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from opendensepose.atomic_write import atomic_file
from opendensepose.data.json_files import read_json, write_json
from opendensepose.data.results import detection, read_results, result_entry
from opendensepose.formats.labelled_photo import (
    FindPhoto,
    LabelledPhoto,
    known_size_hw,
    person_from_crop,
    person_in_box,
)

__all__ = ["image_ids", "join_coco", "read_coco", "write_coco"]


def write_coco(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write the photo's entries to coco.parts/<stem>.json; their image_id, 0, is given by `join_coco`."""
    entries = []
    for person in labelled.people:
        box, crop = person_in_box(person)
        entry = result_entry(image_id=0, score=person.score, box_xyxy=box, iuv=crop)
        entries.append(entry | {"file_name": labelled.name, "image_size_hw": list(map(int, labelled.size_hw))})
    path = folder / "coco.parts" / f"{labelled.stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, entries)
    return [path]


def join_coco(folder: Path, parts: Sequence[Path]) -> list[Path]:
    """Join files of `write_coco` into coco.json, one photo after the other, with the ids of `image_ids`."""
    path = folder / "coco.json"
    ids = image_ids([part.stem for part in parts])
    with atomic_file(path) as unfinished, unfinished.open("w") as file:
        file.write("[")
        is_first = True
        for part, image_id in zip(parts, ids, strict=True):
            for entry in read_json(part):
                file.write(("" if is_first else ",") + "\n" + json.dumps(entry | {"image_id": image_id}))
                is_first = False
        file.write("\n]\n")
    return [path]


def image_ids(stems: Sequence[str]) -> list[int]:
    """Return the photos' ids: the number at the end of each name, as COCO's have it, if all have one and no two the
    same; otherwise 1, 2, 3, ..."""
    ends = [re.search(r"[0-9]{1,18}$", stem) for stem in stems]
    numbers = [int(end.group()) for end in ends if end]
    if len(set(numbers)) == len(stems):
        return numbers
    return list(range(1, len(stems) + 1))


def read_coco(path: Path, find_photo: FindPhoto | None = None) -> Iterator[LabelledPhoto]:
    """Read the people of each photo in a results file, photos in the order in which they first appear.

    ValueError, one sentence, if an entry is invalid or a photo's size is neither stated nor known from the photos.
    """
    by_image: dict[int, list[dict]] = {}
    for place, entry in enumerate(read_results(path)):
        by_image.setdefault(entry["image_id"], []).append(entry | {"place": place})
    for image_id, entries in by_image.items():
        stated = entries[0].get("file_name")
        name = stated if isinstance(stated, str) and stated else f"{image_id:012d}"
        try:
            size_hw = known_size_hw(name, entries[0].get("image_size_hw"), find_photo)
        except ValueError as error:
            raise ValueError(f"{path}: image {image_id}: {error}") from None
        people = []
        for entry in entries:
            try:
                found = detection(entry)
                people.append(person_from_crop(found.box_xyxy, found.score, found.iuv, size_hw))
            except ValueError as error:
                raise ValueError(f"{path}: detection {entry['place']}: {error}") from None
        yield LabelledPhoto(name, size_hw, people)
