"""Edits of a task: its box, part masks, points and answers. Each is one transaction and has a version.

A save names the version it was made on. If the task has changed since, the save is refused with 409. A repeated save,
recognised by its request id, gets the same response again and is not done twice.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Annotated, Any, NamedTuple

import numpy as np
import sqlalchemy as sql
from msgspec import Meta, Struct
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.fields import Pixels, Reason
from opendensepose.annotate.work.predictions import current_predictions, proposed_answer
from opendensepose.annotate.work.store import Store, events, parts, photos, points
from opendensepose.annotate.work.task_content import (
    ANSWER_COLUMNS,
    box_xyxy_of,
    clip_box,
    insert_parts,
    part_counts,
    part_map,
    task_points,
)
from opendensepose.annotate.work.tasks import (
    Rules,
    User,
    check_editable,
    check_version,
    extend_lease,
    log,
    readable_task,
    update_task,
)
from opendensepose.data.masks import part_mask_runs
from opendensepose.part_grid import GRID, part_at

__all__ = [
    "REASONS",
    "Answer",
    "Click",
    "SavedPoint",
    "answer_point",
    "edit",
    "move_point",
    "resample_points",
    "set_box",
    "set_parts",
]

_ID_OF_ANOTHER = "This X-Request-Id belongs to another change; make a new one for each change."
_CHANGED_POINT = points.update().where(points.c.id == sql.bindparam("point_id"))  # once made: see `tasks`
REASONS = ("not visible", "can't tell", "not the body", "other person")


class Click(Struct):
    """A click on a view of the point's part: the view's number, and pixels of its picture."""

    view: Annotated[int, Meta(ge=0, le=5)]
    x: Pixels
    y: Pixels


class Answer(Struct):
    """The answer to a point: a click, or accept to take the model's proposal, or the reason why there is none, or clear
    to withdraw it."""

    click: Click | None = None
    accept: bool = False
    reason: Reason | None = None
    clear: bool = False

    def __post_init__(self) -> None:
        if (self.click is not None) + self.accept + (self.reason is not None) + self.clear != 1:
            raise ValueError("an answer must be exactly one of click, accept, reason and clear")


class SavedPoint(NamedTuple):
    """The response to the change of a point, and all points of the task afterwards, with what the model says of them,
    see `current_predictions`."""

    response: dict
    points: Sequence[Any]
    known: dict[int, Row]


def edit(
    store: Store,
    rules: Rules,
    user: User,
    task_id: int,
    kind: str,
    change: Callable[[Connection, Row], tuple[dict, dict]],
    *,
    version: int,
    request_id: str | None = None,
) -> dict:
    """Run change(connection, task) -> (detail for the log, response); return the response with the new version."""
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        if version != task.version:  # every change counts the version up: a repeated one comes with an older version
            repeated = _response_given(connection, user, task_id, kind, request_id)
            if repeated is not None:
                return repeated
        check_editable(task, user)
        until = extend_lease(connection, store, rules, task)
        check_version(task, version)
        detail, response = change(connection, task)
        response = {"version": version + 1, **response}
        values = {"version": version + 1, "lease_expires_at": until, "touched_at": store.clock()}
        update_task(connection, task_id, values)
        try:
            log(connection, store, user, task_id, kind, detail=detail, request_id=request_id, response=response)
        except sql.exc.IntegrityError:
            raise RequestError(_ID_OF_ANOTHER, 422) from None
    return response


def _response_given(connection: Connection, user: User, task_id: int, kind: str, request_id: str | None) -> dict | None:
    if request_id is None:
        return None
    known = sql.select(events).where(events.c.annotator_id == user.id, events.c.request_id == request_id)
    event = connection.execute(known).one_or_none()
    if event is None:
        return None
    if (event.task_id, event.kind) != (task_id, kind):
        raise RequestError(_ID_OF_ANOTHER, 422)
    return event.response


# --- box and parts ---------------------------------------------------------------------------------------------------


def set_box(store: Store, rules: Rules, user: User, task_id: int, box_xyxy: tuple[float, ...], **save: Any) -> dict:
    """Replace the box. RequestError 422 if there are part masks, whose grid lies over the box. save: as `edit` has."""

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        photo = connection.execute(sql.select(photos).where(photos.c.id == task.photo_id)).one()
        box = clip_box(box_xyxy, photo.width, photo.height)
        if connection.scalar(sql.select(sql.func.count()).where(parts.c.task_id == task_id)):
            raise RequestError("The parts are painted on a grid over the box: clear them before you change it.", 422)
        update_task(connection, task_id, box)
        return {"before": [task.x0, task.y0, task.x1, task.y1], "after": list(box.values())}, {}

    return edit(store, rules, user, task_id, "box", change, **save)


def set_parts(store: Store, rules: Rules, user: User, task_id: int, counts: dict[int, str], **save: Any) -> dict:
    """Replace part masks: COCO's compressed run lengths on the grid by part; an empty text clears one."""
    checked = {part: _checked_counts(part, text) for part, text in counts.items()}

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        before = part_counts(connection, task_id)
        connection.execute(parts.delete().where(parts.c.task_id == task_id, parts.c.part.in_(checked)))
        insert_parts(connection, task_id, checked)
        if task.stage != "parts":
            update_task(connection, task_id, {"stage": "parts"})
        return {"before": {part: before.get(part, "") for part in checked}, "after": checked}, {}

    return edit(store, rules, user, task_id, "parts", change, **save)


def _checked_counts(part: int, counts: str) -> str:
    """Return the run lengths, "" for an empty mask. RequestError if they do not fit the grid."""
    if not counts:
        return ""
    try:
        runs = part_mask_runs({"size": [GRID, GRID], "counts": counts}, part)
    except ValueError as error:
        raise RequestError(f"{error}.") from None
    return counts if runs[1::2].sum() else ""


# --- points ----------------------------------------------------------------------------------------------------------


def resample_points(store: Store, rules: Rules, user: User, task_id: int, sample_points: Callable, **save: Any) -> dict:
    """Ask for new points on the masks, sampled by sample_points(parts, box_xyxy, size_hw) -> part (P,), xy (P, 2).

    An answered point whose part is still painted there is kept and replaces the nearest new point of its part.
    """

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        counts = part_counts(connection, task_id)
        if not counts:
            raise RequestError("There are no parts yet: paint them before you ask for points.", 422)
        photo = connection.execute(sql.select(photos).where(photos.c.id == task.photo_id)).one()
        grid, box = part_map(counts), box_xyxy_of(task)
        part, xy = sample_points(grid, box, (photo.height, photo.width))
        done = [
            point for point in task_points(connection, task_id) if point.face is not None or point.reason is not None
        ]
        kept = [point for point in done if part_at(grid, box, (point.x, point.y)) == point.part]
        merged = _merged(part, xy, kept)
        lost = [dict(point._mapping) for point in done if point not in kept]
        kept_ids = {point.id for point in kept}
        connection.execute(points.delete().where(points.c.task_id == task_id, points.c.id.not_in(kept_ids)))
        for rank, point in enumerate(merged):
            if point.kept_id is not None:
                connection.execute(points.update().where(points.c.id == point.kept_id).values(rank=rank))
            else:
                values = {"task_id": task_id, "rank": rank, "part": point.part, "x": point.x, "y": point.y}
                connection.execute(points.insert().values(**values))
        update_task(connection, task_id, {"stage": "points"})
        return {"asked": len(merged), "kept": len(kept), "lost": lost}, {}

    return edit(store, rules, user, task_id, "points", change, **save)


class _MergedPoint(NamedTuple):
    """A point to answer, in pixels of the photo; kept_id: its id if it was kept."""

    part: int
    x: float
    y: float
    kept_id: int | None = None


def _merged(part: np.ndarray, xy: np.ndarray, kept: list[Row]) -> list[_MergedPoint]:
    """Replace, for each kept point, the nearest new one of its part; append it if there is none."""
    merged = [_MergedPoint(int(k), float(x), float(y)) for k, (x, y) in zip(part, xy, strict=True)]
    rest = []
    for old in kept:
        point = _MergedPoint(old.part, old.x, old.y, old.id)
        free = [k for k, new in enumerate(merged) if new.kept_id is None and new.part == old.part]
        if free:
            nearest = min(free, key=lambda k: (merged[k].x - old.x) ** 2 + (merged[k].y - old.y) ** 2)
            merged[nearest] = point
        else:
            rest.append(point)
    return merged + rest


def answer_point(
    store: Store, rules: Rules, user: User, task_id: int, point_id: int, answer: Answer, point_at: Callable, **save: Any
) -> SavedPoint:
    """Answer a point; point_at(part, view, x, y) -> SurfacePoints. RequestError 422 if a click misses the part or there
    is no proposal to accept."""

    def change_point(connection: Connection, task: Row, point: Row) -> tuple[dict, dict]:
        before = {name: getattr(point, name) for name in ANSWER_COLUMNS if getattr(point, name) is not None}
        given = proposed_answer(connection, point) if answer.accept else _answer_values(answer, point.part, point_at)
        values = dict.fromkeys(ANSWER_COLUMNS) | given
        if not answer.clear:
            values["answered_by"] = user.id
        after = {name: value for name, value in values.items() if value is not None}
        return values, {"part": point.part, "before": before, "after": after}

    return _edit_point(store, rules, user, task_id, point_id, "answer", change_point, **save)


def _answer_values(answer: Answer, part: int, point_at: Callable) -> dict:
    """The columns that an answer fills."""
    if answer.click is None:
        return {"reason": answer.reason and answer.reason.strip()}
    view, x, y = answer.click.view, answer.click.x, answer.click.y
    try:
        found = point_at(part, view, x, y)
    except ValueError as error:
        raise RequestError(str(error), 422) from None
    weights = {f"weight_{k}": float(found.barycentric[0, k]) for k in range(3)}
    return {"face": int(found.face[0]), **weights, "view": view, "view_x": x, "view_y": y}


def move_point(
    store: Store, rules: Rules, user: User, task_id: int, point_id: int, x: float, y: float, **save: Any
) -> SavedPoint:
    """Move a point to the pixel at x, y of the photo. RequestError 422 if the pixel is not of the point's part."""
    place = {"x": float(np.floor(x) + 0.5), "y": float(np.floor(y) + 0.5)}

    def change_point(connection: Connection, task: Row, point: Row) -> tuple[dict, dict]:
        grid = part_map(part_counts(connection, task_id))
        if part_at(grid, box_xyxy_of(task), (place["x"], place["y"])) != point.part:
            raise RequestError("A point must stay on its part; move it to a pixel that is painted with this part.", 422)
        return place, {"before": [point.x, point.y], "after": [place["x"], place["y"]]}

    return _edit_point(store, rules, user, task_id, point_id, "place", change_point, **save)


def _edit_point(
    store: Store, rules: Rules, user: User, task_id: int, point_id: int, kind: str, change_point: Callable, **save: Any
) -> SavedPoint:
    """Run change_point(connection, task, point) -> (columns, detail for the log) as one edit.

    The task's points are read once and returned as they are afterwards: every click pays for each query.
    """
    after: Sequence[Any] | None = None
    known: dict[int, Row] = {}

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        nonlocal after, known
        before = task_points(connection, task_id)
        point = next((one for one in before if one.id == point_id), None)
        if point is None:
            raise RequestError(f"There is no point {point_id} on this person.", 404)
        values, detail = change_point(connection, task, point)
        connection.execute(_CHANGED_POINT, {"point_id": point_id, **values})
        changed = SimpleNamespace(**(dict(point._mapping) | values))
        after = [changed if one.id == point_id else one for one in before]
        known = current_predictions(connection, after)
        return {"point": point_id, **detail}, {}

    response = edit(store, rules, user, task_id, kind, change, **save)
    if after is None:  # a repeated save
        with store.reading() as connection:
            after = task_points(connection, task_id)
            known = current_predictions(connection, after)
    return SavedPoint(response, after, known)
