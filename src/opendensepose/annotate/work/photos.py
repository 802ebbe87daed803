"""The folder of photos: which are there, and which people in them are to be annotated."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import cv2
import numpy as np
import sqlalchemy as sql
from PIL import Image, ImageOps
from sqlalchemy.engine import Row

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import Store, gold, people, photos
from opendensepose.annotate.work.task_content import clip_box
from opendensepose.data.fields import numbers
from opendensepose.data.photos import find_photos, open_photo, read_photo

__all__ = ["Added", "NewPerson", "PhotoFolder", "add_boxes", "add_people", "add_photos", "find_people", "find_photo"]

_THUMBNAIL_PX = 96
_SEARCHED_PX = 1024  # a photo's longer side as the model gets it, which looks for people in fewer pixels still
_SENT_UNCHANGED = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}  # what every browser shows


class NewPerson(NamedTuple):
    """A person to be annotated: the columns of the box and, from an imported file, what a task starts with."""

    box: dict[str, float]
    prefill: dict | None = None


class Added(NamedTuple):
    """How many photos or people are new, and one sentence for each that could not be added."""

    num_new: int
    problems: list[str]


class PhotoFolder:
    """The photos of a store: files in a folder or, for gold photos, in the database."""

    def __init__(self, store: Store, folder: str | Path):
        self.store, self.folder = store, Path(folder)

    def path(self, name: str) -> Path:
        """Return the file of a photo's name. RequestError for names that lead out of the folder."""
        pure = PurePosixPath(name)
        if not name or "\0" in name or "\\" in name or pure.is_absolute() or ".." in pure.parts:
            raise RequestError("There is no such photo.", 404)
        return self.folder / name

    def file(self, photo_id: int) -> tuple[bytes, str]:
        """Return a photo for the browser and its media type: rotated as EXIF says, without the other EXIF data."""
        content, name = self._content(photo_id)
        if content is not None:
            return content, "image/jpeg"
        path = self.path(name)
        try:
            with open_photo(path, name) as image:
                is_plain = (
                    image.format in _SENT_UNCHANGED and not image.getexif() and getattr(image, "n_frames", 1) == 1
                )
                media_type = _SENT_UNCHANGED.get(image.format or "", "")
            if is_plain:
                return path.read_bytes(), media_type
            picture = BytesIO()
            Image.fromarray(read_photo(path)).save(picture, "JPEG", quality=95, subsampling=0)
            return picture.getvalue(), "image/jpeg"
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            raise RequestError(f"The photo {name} is missing or cannot be read.", 404) from None

    def thumbnail(self, photo_id: int, box_xyxy: tuple[float, ...]) -> bytes:
        """Return a JPEG of a person's box, 96 pixels high or wide. Large JPEG photos are decoded at reduced size."""
        content, name = self._content(photo_id)
        try:
            with open_photo(self.path(name) if content is None else BytesIO(content), name) as image:
                x0, y0, x1, y1 = box_xyxy
                turned = ImageOps.exif_transpose(image).size if image.getexif() else image.size
                side = max(image.size)
                enough = max(1, round(side * 2 * _THUMBNAIL_PX / max(1, x1 - x0, y1 - y0)))
                image.draft("RGB", (enough, enough))
                upright = ImageOps.exif_transpose(image).convert("RGB")
                scale = upright.width / turned[0]
                crop = upright.crop((round(x0 * scale), round(y0 * scale), round(x1 * scale), round(y1 * scale)))
                crop.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
                file = BytesIO()
                crop.save(file, "JPEG", quality=80)
                return file.getvalue()
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            raise RequestError(f"The photo {name} is missing or cannot be read.", 404) from None

    def rgb(self, photo_id: int) -> np.ndarray:
        """Return a photo's pixels (H, W, 3) uint8."""
        content, name = self._content(photo_id)
        if content is not None:
            return np.asarray(Image.open(BytesIO(content)).convert("RGB"))
        try:
            return read_photo(self.path(name))
        except (OSError, ValueError):
            raise RequestError(f"The photo {name} is missing or cannot be read.", 404) from None

    def _content(self, photo_id: int) -> tuple[bytes | None, str]:
        query = sql.select(photos.c.name, gold.c.content).outerjoin(gold).where(photos.c.id == photo_id)
        with self.store.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise RequestError(f"There is no photo {photo_id}.", 404)
        return row.content, row.name


def add_photos(store: Store, folder: str | Path) -> Added:
    """Add the new photos of a folder, and name those that cannot be read.

    ValueError, one sentence, if there is no such folder or no photo in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder} of photos.")
    with store.reading() as connection:
        known = set(connection.scalars(sql.select(photos.c.name)))
    rows, problems = [], []
    for path in find_photos([folder]):
        if path.name not in known:
            try:
                height, width = read_photo(path).shape[:2]  # read completely: a photo may be cut off anywhere
                rows.append({"name": path.name, "width": width, "height": height, "searched": False})
            except (ValueError, OSError) as error:
                problems.append(str(error))
    if rows:
        with store.writing() as connection:
            connection.execute(photos.insert(), rows)
    return Added(len(rows), problems)


def find_photo(by_name: dict[str, Row], image: dict) -> Row | None:
    """Return the photo of an image of a COCO file, by its file name without the folders."""
    return by_name.get(PurePosixPath(str(image.get("file_name"))).name)


def add_boxes(store: Store, document: Any, name: str = "the file of boxes") -> Added:
    """Add the people of a COCO file (an object with `images` and `annotations`) by their boxes.

    ValueError, one sentence, if it is no such file.
    """
    from opendensepose.data import CocoDensePose

    coco = CocoDensePose(document, name)
    with store.reading() as connection:
        by_name = {row.name: row for row in connection.execute(sql.select(photos))}
    count, problems = 0, []
    for image_id, image in coco.images.items():
        photo = find_photo(by_name, image)
        if photo is None:
            problems.append(f"{image.get('file_name')!r:.200} is not among the photos.")
            continue
        entries = [coco.annotations[k] for k in coco.annotation_ids(image_id)]
        boxes = [numbers(entry, "bbox", 4).tolist() for entry in entries if not entry.get("iscrowd")]
        count += add_people(store, photo, _with_box(photo, ([x, y, x + w, y + h] for x, y, w, h in boxes)))
    return Added(count, problems)


def _with_box(photo: Row, boxes_xyxy: Iterable[Iterable[float]]) -> Iterator[NewPerson]:
    """Yield people for the boxes, but for those that are too small to be annotated."""
    for box_xyxy in boxes_xyxy:
        with suppress(RequestError):
            yield NewPerson(clip_box(box_xyxy, photo.width, photo.height))


def add_people(store: Store, photo: Row, new_people: Iterable[NewPerson], **photo_values: Any) -> int:
    """Add people to a photo, but for those whose very box is known; return how many are new.

    photo_values: columns of the photo that change in the same transaction.
    """
    count = 0
    with store.writing() as connection:
        of_photo = sql.select(people.c.x0, people.c.y0, people.c.x1, people.c.y1).where(people.c.photo_id == photo.id)
        known = {tuple(row) for row in connection.execute(of_photo)}
        for box, prefill in new_people:
            if tuple(box.values()) not in known:
                known.add(tuple(box.values()))
                values = box if prefill is None else {**box, "prefill": prefill}
                connection.execute(
                    people.insert().values(photo_id=photo.id, is_gold=False, times_submitted=0, **values)
                )
                count += 1
        if photo_values:
            connection.execute(photos.update().where(photos.c.id == photo.id).values(**photo_values))
    return count


def find_people(
    store: Store, folder: PhotoFolder, predictor: Callable, stop: Callable[[], bool] = lambda: False
) -> int:
    """Detect people in the photos that have none, by predictor(image_rgb) -> instances; return how many are new.

    Each photo is one transaction: the search may be stopped and resumed.
    """
    has_people = sql.select(people.c.id).where(people.c.photo_id == photos.c.id).exists()
    with store.reading() as connection:
        query = sql.select(photos).where(photos.c.searched.is_(False), ~has_people).order_by(photos.c.id)
        to_search = list(connection.execute(query))
    count = 0
    for photo in to_search:
        if stop():
            break
        try:
            boxes = _search(folder.rgb(photo.id), predictor)
        except ValueError:
            boxes = []  # the photo was removed meanwhile
        count += add_people(store, photo, _with_box(photo, boxes), searched=True)
    return count


def _search(image_rgb: np.ndarray, predictor: Callable) -> list[list[float]]:
    """The boxes of the people in a photo, xyxy; labels of all its pixels, which nobody asks for, take most of the time
    in a large photo, so the model gets a small one."""
    shrink = min(1.0, _SEARCHED_PX / max(image_rgb.shape[:2]))
    if shrink < 1:
        image_rgb = cv2.resize(image_rgb, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return [(instance.box_xyxy.astype(np.float64) / shrink).tolist() for instance in predictor(image_rgb)]
