"""The folder of photos: which are there, and the people in them who are to be annotated."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
import sqlalchemy as sql
from PIL import Image

from opendensepose.annotate.work.refusals import Refused
from opendensepose.annotate.work.store import Store, gold, people, photos
from opendensepose.annotate.work.tasks import check_box
from opendensepose.data.fields import numbers
from opendensepose.data.photos import find_photos, read_photo

__all__ = ["PhotoFolder", "add_boxes", "add_photos", "find_people"]

_AS_IS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}  # what every browser shows


class PhotoFolder:
    """The photos of a store: files below a folder, or, where the truth is known, in the database."""

    def __init__(self, store: Store, folder: str | Path):
        self.store, self.folder = store, Path(folder)

    def path(self, name: str) -> Path:
        """The file of a photo's name. Refused for names that lead out of the folder."""
        pure = PurePosixPath(name)
        if not name or "\0" in name or "\\" in name or pure.is_absolute() or ".." in pure.parts:
            raise Refused("There is no such photo.", 404)
        return self.folder / name

    def file(self, photo_id: int) -> tuple[bytes, str]:
        """A photo's picture for the browser and its media type; turned as EXIF says, without what else EXIF tells."""
        content, name = self._content(photo_id)
        if content is not None:
            return content, "image/jpeg"
        path = self.path(name)
        try:
            with Image.open(path) as image:
                is_plain = image.format in _AS_IS and not image.getexif() and getattr(image, "n_frames", 1) == 1
                media_type = _AS_IS.get(image.format or "", "")
            if is_plain:
                return path.read_bytes(), media_type
            picture = BytesIO()
            Image.fromarray(read_photo(path)).save(picture, "JPEG", quality=95, subsampling=0)
            return picture.getvalue(), "image/jpeg"
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            raise Refused(f"The photo {name} is not there or cannot be read any more.", 404) from None

    def rgb(self, photo_id: int) -> np.ndarray:
        """(H, W, 3) uint8."""
        content, name = self._content(photo_id)
        if content is not None:
            return np.asarray(Image.open(BytesIO(content)).convert("RGB"))
        try:
            return read_photo(self.path(name))
        except (OSError, ValueError):
            raise Refused(f"The photo {name} is not there or cannot be read any more.", 404) from None

    def _content(self, photo_id: int) -> tuple[bytes | None, str]:
        query = sql.select(photos.c.name, gold.c.content).outerjoin(gold).where(photos.c.id == photo_id)
        with self.store.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise Refused(f"There is no photo {photo_id}.", 404)
        return row.content, row.name


def add_photos(
    store: Store, folder: str | Path, on_photo: Callable[[int, int], None] | None = None
) -> tuple[int, dict[str, str]]:
    """Takes in the photos of a folder that are new; returns how many, and a sentence for each that cannot be read.

    ValueError, one sentence, if there is no such folder or no photo in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder} of photos.")
    found = find_photos([folder])
    with store.reading() as connection:
        known = set(connection.scalars(sql.select(photos.c.name)))
    rows, broken = [], {}
    for number, path in enumerate(found, start=1):
        if path.name not in known:
            try:
                height, width = read_photo(path).shape[:2]  # as a whole: a photo may be cut off anywhere
                rows.append({"name": path.name, "width": width, "height": height, "searched": False})
            except (ValueError, OSError) as error:
                broken[path.name] = str(error)
        if on_photo:
            on_photo(number, len(found))
    if rows:
        with store.writing() as connection:
            connection.execute(photos.insert(), rows)
    return len(rows), broken


def add_boxes(store: Store, document: object, name: str = "the file of boxes") -> tuple[int, list[str]]:
    """Takes in the people of a COCO file (an object with `images` and `annotations`) by their boxes; returns how many
    are new, and sentences for photos that are not there. ValueError, one sentence, if it is no such file."""
    from opendensepose.data import CocoDensePose

    coco = CocoDensePose(document, name)
    with store.reading() as connection:
        by_name = {row.name: row for row in connection.execute(sql.select(photos))}
    count, missing = 0, []
    for image_id, image in coco.images.items():
        photo = by_name.get(PurePosixPath(str(image.get("file_name"))).name)
        if photo is None:
            missing.append(f"{image.get('file_name')!r:.200} is not among the photos.")
            continue
        entries = [coco.annotations[k] for k in coco.annotation_ids(image_id)]
        boxes = [numbers(entry, "bbox", 4).tolist() for entry in entries if not entry.get("iscrowd")]
        count += _add_people(store, photo, [[x, y, x + width, y + height] for x, y, width, height in boxes])
    return count, missing


def _add_people(store: Store, photo, boxes: list, also: dict | None = None) -> int:
    """People with these boxes on a photo, but those who are there with the very same box."""
    count = 0
    with store.writing() as connection:
        at_photo = sql.select(people.c.x0, people.c.y0, people.c.x1, people.c.y1).where(people.c.photo_id == photo.id)
        there = {tuple(row) for row in connection.execute(at_photo)}
        for box_xyxy in boxes:
            try:
                box = check_box(box_xyxy, photo.width, photo.height)
            except Refused:
                continue  # smaller than can be annotated
            if tuple(box.values()) not in there:
                there.add(tuple(box.values()))
                connection.execute(people.insert().values(photo_id=photo.id, is_gold=False, times_submitted=0, **box))
                count += 1
        if also:
            connection.execute(photos.update().where(photos.c.id == photo.id).values(**also))
    return count


def find_people(
    store: Store, folder: PhotoFolder, predictor: Callable, stop: Callable[[], bool] = lambda: False
) -> int:
    """Finds people in the photos that nobody is known in yet, by predictor(image_rgb) -> instances; returns how many.
    Goes photo by photo, so that it may be stopped and gone on with."""
    has_people = sql.select(people.c.id).where(people.c.photo_id == photos.c.id).exists()
    with store.reading() as connection:
        query = sql.select(photos).where(photos.c.searched.is_(False), ~has_people).order_by(photos.c.id)
        todo = list(connection.execute(query))
    count = 0
    for photo in todo:
        if stop():
            break
        try:
            found = [instance.box_xyxy.tolist() for instance in predictor(folder.rgb(photo.id))]
        except ValueError:
            found = []  # the photo has gone since
        count += _add_people(store, photo, found, also={"searched": True})
    return count
