"""Import of COCO-DensePose files: for correction, or as finished work with the state and comments of an export.

A person is known by the very same box in the same photo or, in a file that changed, by the entry's id and a box that
overlaps by half. Known people stay as they are unless an update is asked for, and in any case if work on them began.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.exchange import EXPORTED, UNFINISHED
from opendensepose.annotate.work.fields import PartId, Pixels, Reason, Text
from opendensepose.annotate.work.photos import find_photo
from opendensepose.annotate.work.store import (
    Store,
    annotators,
    comments,
    events,
    insert_row,
    parts,
    people,
    photos,
    points,
    predictions,
    tasks,
)
from opendensepose.annotate.work.task_content import clip_box, insert_parts, insert_points, task_points
from opendensepose.annotate.work.tasks import log, update_task
from opendensepose.data import CocoDensePose, decode_mask, encode_mask
from opendensepose.instance import DenseAnnotation
from opendensepose.surface import CHART_TO_PART, SurfacePoints

__all__ = ["ImportedComment", "Skipped", "Unanswered", "import_document"]

IMPORTED_NAME = "imported"  # the annotator of work that names none
_DENSE_FIELDS = ("dp_masks", "dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_vertex", "ref_model", "dp_unanswered")
_ENTRY_FIELDS = ("id", "image_id", "category_id", "iscrowd", "bbox", "area", "segmentation", "annotator", "status")
_SAME_IOU = 0.5  # of the boxes of two entries with the same id


class Unanswered(msgspec.Struct):
    """A point without an answer, as `dp_unanswered` has it: pixels of the photo."""

    x: float
    y: float
    part: PartId
    reason: Annotated[str, msgspec.Meta(pattern=r"^[^\0]*\Z")] | None = None


class ImportedComment(msgspec.Struct):
    """A reviewer's comment: on the point at x, y, or on the whole person."""

    author: Text
    text: Annotated[str, msgspec.Meta(max_length=2000, pattern=r"^[^\0]*[^\s\0][^\0]*\Z")]
    at: Annotated[float, msgspec.Meta(ge=0, le=1e11)] = 0.0
    x: float | None = None
    y: float | None = None


class Skipped(msgspec.Struct):
    """A skipped person, as `dp_skipped` has it."""

    image_id: int
    bbox: tuple[Pixels, Pixels, Pixels, Pixels]
    reason: Reason
    annotator: Text = IMPORTED_NAME


@dataclass
class _Imported:
    """A person of a file. state: of finished work; None: there is no work, only what a task starts with."""

    box: dict[str, float]
    prefill: dict
    annotator: str = IMPORTED_NAME
    state: str | None = None
    comments: list[ImportedComment] = field(default_factory=list)
    reason: str | None = None


def import_document(
    store: Store,
    document: Any,
    to_points: Callable,
    name: str = "the file",
    *,
    done: bool = False,
    update: bool = False,
) -> dict:
    """Add the people of a COCO-DensePose document, with parts and points for their future tasks to start with.

    to_points: i, u, v -> SurfacePoints. done: annotated people are taken as work of their `annotator`, in their
    `status` ("accepted" if they have none), with `comments`; skipped people too. update: known people get what the file
    has. Returns how many people are new (people), known and stay (known), known and changed (updated), known and stay
    as work on them began (begun), how many have their work (done), and problems, sentences. ValueError, one sentence,
    if it is no such document.
    """
    coco = CocoDensePose(document, name)
    with store.reading() as connection:
        by_name = {row.name: row for row in connection.execute(sql.select(photos))}
    counts = dict.fromkeys(("people", "known", "updated", "begun", "done"), 0)
    problems: list[str] = []
    skipped = _skipped_of(document, problems) if done else {}
    for image_id, image in coco.images.items():
        photo = find_photo(by_name, image)
        if photo is None:
            problems.append(f"image {image_id}: {image.get('file_name')!r:.200} is not among the photos.")
            continue
        found = list(_people_of_image(coco, image_id, photo, to_points, problems))
        found += _skipped_people(skipped.get(image_id, []), photo, problems)
        with store.writing() as connection:
            for one in found:
                counts[_import_one(connection, store, photo, one, done, update)] += 1
                counts["done"] += done and one.state is not None
    return {**counts, "problems": problems}


# --- reading the file ------------------------------------------------------------------------------------------------


def _people_of_image(
    coco: CocoDensePose, image_id: int, photo: Row, to_points: Callable, problems: list[str]
) -> Iterator[_Imported]:
    """Yield the people of an image; a sentence for each invalid entry goes to problems."""
    for annotation_id in coco.annotation_ids(image_id):
        entry = coco.annotations[annotation_id]
        if entry.get("iscrowd"):
            continue
        try:
            person = coco.person(annotation_id)
            box = clip_box([round(float(edge), 2) for edge in person.box_xyxy], photo.width, photo.height)
            asked = _answered(person, to_points) + _unanswered(entry, annotation_id, photo)
            written = _comments(entry, annotation_id)
        except ValueError as error:
            problems.append(str(error))
            continue
        masks = {part: decode_mask(code) for part, code in enumerate(entry.get("dp_masks") or [], start=1) if code}
        painted = {str(part): encode_mask(mask)["counts"] for part, mask in masks.items() if mask.any()}
        is_ours = isinstance(entry.get("comments"), list)
        left_out = (*_DENSE_FIELDS, *_ENTRY_FIELDS, *(("comments",) if is_ours else ()))
        others = {name: value for name, value in entry.items() if name not in left_out}
        prefill = {"parts": painted, "points": asked, "entry": others, "source": annotation_id}
        yield _Imported(box, prefill, _name_of(entry.get("annotator")), _state_of(entry, asked), written)


def _name_of(value: object) -> str:
    is_name = isinstance(value, str) and 0 < len(value) <= 60 and value.isprintable()
    return value if is_name else IMPORTED_NAME  # type: ignore[return-value]


def _state_of(entry: dict, asked: list[dict]) -> str | None:
    """The state that the entry's work is in; open where a point has neither an answer nor a reason."""
    if not any("face" in point for point in asked):
        return None
    status = entry.get("status")
    state = status if status in (*EXPORTED, *UNFINISHED) else "accepted"
    is_complete = all("face" in point or point["reason"] for point in asked)
    return state if is_complete else "open"


def _answered(person: DenseAnnotation, to_points: Callable) -> list[dict]:
    """The annotated points as rows of the table `points`."""
    usable = person.i > 0
    answers: SurfacePoints = to_points(person.i[usable], person.u[usable], person.v[usable])
    part, xy = CHART_TO_PART[person.i[usable]], np.round(person.point_xy[usable], 2)
    rows = []
    for k in range(len(answers)):
        weights = {f"weight_{corner}": float(answers.barycentric[k, corner]) for corner in range(3)}
        place = {"part": int(part[k]), "x": float(xy[k, 0]), "y": float(xy[k, 1])}
        rows.append({**place, "face": int(answers.face[k]), **weights})
    return rows


def _unanswered(entry: dict, annotation_id: int, photo: Row) -> list[dict]:
    """The points of `dp_unanswered` as rows of the table `points`. ValueError if they are invalid."""
    asked = _converted(entry.get("dp_unanswered"), list[Unanswered], f"annotation {annotation_id}: dp_unanswered")
    if not all(0 <= point.x <= photo.width and 0 <= point.y <= photo.height for point in asked):
        raise ValueError(f"annotation {annotation_id}: a point of dp_unanswered lies outside the photo.")
    return [
        {"part": point.part, "x": point.x, "y": point.y, "reason": (point.reason or "").strip()[:200] or None}
        for point in asked
    ]


def _comments(entry: dict, annotation_id: int) -> list[ImportedComment]:
    """The comments of an exported entry; other files may mean something else by the word, unless it is a list."""
    value = entry.get("comments")
    if not isinstance(value, list):
        return []
    return _converted(value, list[ImportedComment], f"annotation {annotation_id}: comments")


def _skipped_of(document: dict, problems: list[str]) -> dict[int, list[Skipped]]:
    """The skipped people by image."""
    try:
        rows = _converted(document.get("dp_skipped"), list[Skipped], "dp_skipped")
    except ValueError as error:
        problems.append(str(error))
        return {}
    of_image: dict[int, list[Skipped]] = {}
    for row in rows:
        of_image.setdefault(row.image_id, []).append(row)
    return of_image


def _converted(value: object, kind: Any, what: str) -> Any:
    """Convert a part of the file, [] for none. ValueError, one sentence, if it does not fit."""
    try:
        return msgspec.convert([] if value is None else value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{what} is invalid: {error}.") from None


def _skipped_people(rows: list[Skipped], photo: Row, problems: list[str]) -> Iterator[_Imported]:
    for row in rows:
        x, y, width, height = row.bbox
        try:
            box = clip_box([x, y, x + width, y + height], photo.width, photo.height)
        except ValueError as error:
            problems.append(f"dp_skipped: {error}")
            continue
        yield _Imported(box, {}, _name_of(row.annotator), "skipped", reason=row.reason)


# --- writing it to the store -----------------------------------------------------------------------------------------


def _import_one(connection: Connection, store: Store, photo: Row, one: _Imported, done: bool, update: bool) -> str:
    """Add or update a person; return what was done: people (new), known, updated, begun."""
    known = _known_person(connection, photo, one)
    if known is None:
        values = {**one.box, **({"prefill": one.prefill} if one.prefill else {})}
        person_id = insert_row(connection, people, photo_id=photo.id, is_gold=False, times_submitted=0, **values)
        if done:
            _write_work(connection, store, person_id, one)
        return "people"
    of_person = sql.select(tasks).where(tasks.c.person_id == known.id)
    work = connection.execute(of_person).all()
    if not update:
        if done and not work:
            _write_work(connection, store, known.id, one)
        return "known"
    if any(_was_changed(connection, task.id) for task in work):
        return "begun"
    if one.prefill:
        values = {**one.box, "prefill": one.prefill}
        connection.execute(people.update().where(people.c.id == known.id).values(**values))
    if done:
        _write_work(connection, store, known.id, one)
    return "updated"


def _known_person(connection: Connection, photo: Row, one: _Imported) -> Row | None:
    of_photo = sql.select(people).where(people.c.photo_id == photo.id, people.c.is_gold.is_(False))
    rows = connection.execute(of_photo.order_by(people.c.id)).all()
    for row in rows:
        if all(getattr(row, edge) == value for edge, value in one.box.items()):
            return row
    source = one.prefill.get("source")
    for row in rows:
        if source is not None and (row.prefill or {}).get("source") == source and _iou(row, one.box) >= _SAME_IOU:
            return row
    return None


def _iou(row: Row, box: dict[str, float]) -> float:
    width = min(row.x1, box["x1"]) - max(row.x0, box["x0"])
    height = min(row.y1, box["y1"]) - max(row.y0, box["y0"])
    shared = max(0.0, width) * max(0.0, height)
    areas = (row.x1 - row.x0) * (row.y1 - row.y0) + (box["x1"] - box["x0"]) * (box["y1"] - box["y0"])
    return shared / (areas - shared)


def _was_changed(connection: Connection, task_id: int) -> bool:
    """Whether anybody did anything to the task but import it."""
    by_others = sql.select(events.c.id).where(events.c.task_id == task_id, events.c.kind != "import")
    return connection.scalar(by_others.limit(1)) is not None


def _write_work(connection: Connection, store: Store, person_id: int, one: _Imported) -> None:
    """Make the imported work the task of its annotator; replace it if it was imported before."""
    if one.state is None:
        return
    annotator_id = _annotator_id(connection, store, one.annotator)
    is_this = sql.and_(tasks.c.person_id == person_id, tasks.c.annotator_id == annotator_id)
    known = connection.execute(sql.select(tasks).where(is_this)).one_or_none()
    is_submitted = one.state in (*EXPORTED, "sent_back")
    values: dict[str, Any] = {**one.box, "status": one.state, "stage": "points", "skip_reason": one.reason}
    values |= {"version": known.version + 1 if known else 1, "touched_at": store.clock()}
    values |= {"submitted_at": store.clock() if is_submitted else None}
    if known is None:
        task_id = insert_row(connection, tasks, person_id=person_id, annotator_id=annotator_id, **values)
    else:
        task_id = known.id
        update_task(connection, task_id, values)
        for table in (comments, predictions, points, parts):
            connection.execute(table.delete().where(table.c.task_id == task_id))
    insert_parts(connection, task_id, {int(part): text for part, text in one.prefill.get("parts", {}).items()})
    by = {"answered_by": annotator_id}
    insert_points(connection, task_id, [{**row, **by} for row in one.prefill.get("points", [])])
    _write_comments(connection, store, task_id, one.comments)
    submitted = sql.select(sql.func.count()).where(tasks.c.person_id == person_id, tasks.c.submitted_at.is_not(None))
    times = {"times_submitted": connection.execute(submitted).scalar_one()}
    connection.execute(people.update().where(people.c.id == person_id).values(**times))
    log(connection, store, None, task_id, "import", detail={"status": one.state})


def _write_comments(connection: Connection, store: Store, task_id: int, written: list[ImportedComment]) -> None:
    if not written:
        return
    by_place = {(point.x, point.y): point.id for point in task_points(connection, task_id)}
    for one in written:
        author = _annotator_id(connection, store, _name_of(one.author))
        point_id = None if one.x is None or one.y is None else by_place.get((one.x, one.y))
        values = {"task_id": task_id, "point_id": point_id, "author_id": author, "text": one.text, "at": one.at}
        connection.execute(comments.insert().values(**values))


def _annotator_id(connection: Connection, store: Store, name: str) -> int:
    """The annotator of a name; one who cannot sign in is made if there is none."""
    known = connection.scalar(sql.select(annotators.c.id).where(annotators.c.name == name))
    if known is not None:
        return known
    values = {"name": name, "role": "annotator", "made_at": store.clock(), "active": False}
    return insert_row(connection, annotators, **values)
