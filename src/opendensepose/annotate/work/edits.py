"""Changes of a task: its box, part masks, points and answers. Each is one transaction, told apart by a version.

A save names the version it was made on; if the task has moved on, nothing is changed and the save is refused with 409.
A repeated save, known by its request id, is answered as before and not done again.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.refusals import Refused
from opendensepose.annotate.work.store import Store, events, parts, photos, points, tasks
from opendensepose.annotate.work.task_content import (
    ANSWER_COLUMNS,
    box_xyxy_of,
    part_codes,
    part_map,
    put_parts,
    task_points,
)
from opendensepose.annotate.work.tasks import (
    Rules,
    User,
    check_box,
    check_editable,
    check_version,
    hold,
    log,
    readable_task,
)
from opendensepose.data.masks import part_mask_runs
from opendensepose.part_grid import GRID, part_at
from opendensepose.surface import NUM_PARTS

__all__ = [
    "REASONS",
    "answer_point",
    "edit",
    "move_point",
    "sample_points",
    "set_box",
    "set_parts",
]

REASONS = ("not visible", "can't tell", "not the body", "other person")
_MAX_REASON = 200  # characters


def edit(
    store: Store,
    rules: Rules,
    user: User,
    task_id: int,
    kind: str,
    change: Callable[[Connection, Row], tuple[dict, dict]],
    *,
    version: object,
    request_id: str | None = None,
) -> dict:
    """Runs change(connection, task) -> (for the log, response) and returns the response with the new version."""
    if type(version) is not int:
        raise Refused("version should be the number of the task's version that the change was made on.")
    with store.writing() as connection:
        task = readable_task(connection, user, task_id, lock=True)
        before = _answer_given(connection, user, task_id, kind, request_id)
        if before is not None:
            return before
        check_editable(task, user)
        until = hold(connection, store, rules, task)
        check_version(task, version)
        detail, response = change(connection, task)
        response = {"version": version + 1, **response}
        moved_on = {"version": version + 1, "lease_expires_at": until, "touched_at": store.clock()}
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**moved_on))
        log(connection, store, user, task_id, kind, detail=detail, request_id=request_id, response=response)
    return response


def _answer_given(connection: Connection, user: User, task_id: int, kind: str, request_id: str | None) -> dict | None:
    if request_id is None:
        return None
    known = sql.select(events).where(events.c.annotator_id == user.id, events.c.request_id == request_id)
    event = connection.execute(known).one_or_none()
    if event is None:
        return None
    if (event.task_id, event.kind) != (task_id, kind):
        raise Refused("X-Request-Id was used for another change: make a new one for each.", 422)
    return event.response


# --- box and parts ---------------------------------------------------------------------------------------------------


def set_box(store: Store, rules: Rules, user: User, task_id: int, box_xyxy: object, **which) -> dict:
    """Another box. Refused once there are part masks, which live on a grid over the box."""

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        photo = connection.execute(sql.select(photos).where(photos.c.id == task.photo_id)).one()
        box = check_box(box_xyxy, photo.width, photo.height)
        if connection.scalar(sql.select(sql.func.count()).where(parts.c.task_id == task_id)):
            raise Refused("The parts are painted on a grid over the box: clear them before you change it.", 422)
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(**box))
        return {"before": [task.x0, task.y0, task.x1, task.y1], "after": list(box.values())}, {}

    return edit(store, rules, user, task_id, "box", change, **which)


def set_parts(store: Store, rules: Rules, user: User, task_id: int, codes: object, **which) -> dict:
    """Part masks, {part: COCO's compressed counts on the grid}; an empty text clears one."""
    checked = _checked_codes(codes)

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        before = part_codes(connection, task_id)
        mine = parts.c.task_id == task_id
        connection.execute(parts.delete().where(mine, parts.c.part.in_(checked)))
        put_parts(connection, task_id, checked)
        if task.stage != "parts":
            connection.execute(tasks.update().where(tasks.c.id == task_id).values(stage="parts"))
        return {"before": {part: before.get(part, "") for part in checked}, "after": checked}, {}

    return edit(store, rules, user, task_id, "parts", change, **which)


def _checked_codes(codes: object) -> dict[int, str]:
    if not isinstance(codes, dict):
        raise Refused("parts should be an object of part numbers and masks' counts.")
    checked = {}
    for name, counts in codes.items():
        if name not in {str(part) for part in range(1, NUM_PARTS + 1)} or not isinstance(counts, str):
            raise Refused(f"parts should be numbers from 1 to {NUM_PARTS} with the counts as text, got {name!r:.40}.")
        if counts:
            try:
                runs = part_mask_runs({"size": [GRID, GRID], "counts": counts}, int(name))
            except ValueError as error:
                raise Refused(f"{error}.") from None
            counts = counts if runs[1::2].sum() else ""
        checked[int(name)] = counts
    return checked


# --- points ----------------------------------------------------------------------------------------------------------


def sample_points(store: Store, rules: Rules, user: User, task_id: int, points_to_ask: Callable, **which) -> dict:
    """Asks for the points of the masks, points_to_ask(parts, box_xyxy, size_hw) -> part (P,), xy (P, 2). A point that
    was answered before stays as it is where its part is still painted; the new point nearest to it is not asked."""

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        codes = part_codes(connection, task_id)
        if not codes:
            raise Refused("There are no parts yet: paint them before you ask for points.", 422)
        photo = connection.execute(sql.select(photos).where(photos.c.id == task.photo_id)).one()
        grid, box = part_map(codes), box_xyxy_of(task)
        part, xy = points_to_ask(grid, box, (photo.height, photo.width))
        old = task_points(connection, task_id)
        kept = [point for point in old if _is_done(point) and part_at(grid, box, (point.x, point.y)) == point.part]
        order = _merged(part, xy, kept)
        lost = [dict(point._mapping) for point in old if _is_done(point) and point not in kept]
        stay = {point.id for point in kept}
        connection.execute(points.delete().where(points.c.task_id == task_id, points.c.id.not_in(stay)))
        for rank, place in enumerate(order):
            if place.point is not None:
                connection.execute(points.update().where(points.c.id == place.point.id).values(rank=rank))
            else:
                values = {"task_id": task_id, "rank": rank, "part": place.part, "x": place.x, "y": place.y}
                connection.execute(points.insert().values(**values))
        connection.execute(tasks.update().where(tasks.c.id == task_id).values(stage="points"))
        return {"asked": len(order), "kept": len(kept), "lost": lost}, {}

    return edit(store, rules, user, task_id, "points", change, **which)


def _is_done(point: Row) -> bool:
    return point.face is not None or point.reason is not None


class _Place(NamedTuple):
    """Where a point is asked, in pixels of the photo, and the point if it was asked there before."""

    point: Row | None
    part: int
    x: float
    y: float


def _merged(part: np.ndarray, xy: np.ndarray, kept: list[Row]) -> list[_Place]:
    """The points to ask, each old one in the place of the nearest new one of its part, or at the end."""
    order = [_Place(None, int(k), float(x), float(y)) for k, (x, y) in zip(part, xy, strict=True)]
    rest = []
    for point in kept:
        free = [k for k, new in enumerate(order) if new.point is None and new.part == point.part]
        place = _Place(point, point.part, point.x, point.y)
        if free:
            nearest = min(free, key=lambda k: (order[k].x - point.x) ** 2 + (order[k].y - point.y) ** 2)
            order[nearest] = place
        else:
            rest.append(place)
    return order + rest


class _Asked:
    """A task's points as a change finds them, with what it changes in one of them: read once, since every click pays
    for each way to the database."""

    def __init__(self, point_id: int):
        self.point_id = point_id
        self.points: list[Row | SimpleNamespace] | None = None  # None: not read, for a save that was done before

    def read(self, connection: Connection, task_id: int) -> Row:
        """The one point."""
        self.points = task_points(connection, task_id)
        (point,) = [one for one in self.points if one.id == self.point_id] or [None]
        if point is None:
            raise Refused(f"There is no point {self.point_id} on this person.", 404)
        return point

    def change(self, connection: Connection, values: dict) -> None:
        connection.execute(points.update().where(points.c.id == self.point_id).values(**values))
        self.points = [
            SimpleNamespace(**(dict(one._mapping) | values)) if one.id == self.point_id else one for one in self.points
        ]


def answer_point(
    store: Store, rules: Rules, user: User, task_id: int, point_id: int, answer: dict, point_at: Callable, **which
) -> tuple[dict, list | None]:
    """{"click": {view, x, y}}, {"reason": text} or {"clear": true}. point_at(part, view, x, y) -> SurfacePoints.

    Returns the response and the task's points as they are then; None if the save had been done before.
    """
    checked, asked = _checked_answer(answer), _Asked(point_id)

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        point = asked.read(connection, task_id)
        before = {name: getattr(point, name) for name in ANSWER_COLUMNS if getattr(point, name) is not None}
        values = dict.fromkeys(ANSWER_COLUMNS) | _answer_values(checked, point.part, point_at)
        if values["face"] is not None or values["reason"] is not None:
            values["answered_by"] = user.id
        asked.change(connection, values)
        after = {name: value for name, value in values.items() if value is not None}
        return {"point": point_id, "part": point.part, "before": before, "after": after}, {}

    response = edit(store, rules, user, task_id, "answer", change, **which)
    return response, asked.points


def _checked_answer(answer: dict) -> dict:
    """{"clear": True}, {"reason": text} or {"view": int, "x": float, "y": float}."""
    said = [name for name in ("click", "reason", "clear") if answer.get(name)]
    if len(said) != 1:
        raise Refused("say one of click, reason and clear.")
    if said == ["clear"]:
        return {"clear": True}
    if said == ["reason"]:
        reason = answer["reason"]
        if not isinstance(reason, str) or not reason.strip() or len(reason) > _MAX_REASON:
            raise Refused(f"reason should be text of at most {_MAX_REASON} characters.")
        return {"reason": reason.strip()}
    click = answer["click"]
    view, x, y = (click.get(name) for name in ("view", "x", "y")) if isinstance(click, dict) else (None, None, None)
    if type(view) is not int or not 0 <= view <= 5 or not _is_place(x) or not _is_place(y):
        raise Refused("click should have view, 0 to 5, and x and y in pixels of its picture.")
    return {"view": view, "x": float(x), "y": float(y)}


def _answer_values(answer: dict, part: int, point_at: Callable) -> dict:
    """The columns that a checked answer fills."""
    if "view" not in answer:
        return {"reason": answer["reason"]} if "reason" in answer else {}
    view, x, y = answer["view"], answer["x"], answer["y"]
    try:
        found = point_at(part, view, x, y)
    except ValueError as error:
        raise Refused(str(error), 422) from None
    weights = {f"weight_{k}": float(found.barycentric[0, k]) for k in range(3)}
    return {"face": int(found.face[0]), **weights, "view": view, "view_x": x, "view_y": y}


def _is_place(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e6


def move_point(
    store: Store, rules: Rules, user: User, task_id: int, point_id: int, x: object, y: object, **which
) -> tuple[dict, list | None]:
    """Asks a point at another place of the photo, within its part's mask; it goes to a pixel's centre. Returns what
    `answer_point` does."""
    if not (_is_place(x) and _is_place(y)):
        raise Refused("x and y should be numbers, in pixels of the photo.")
    place, asked = {"x": float(np.floor(x) + 0.5), "y": float(np.floor(y) + 0.5)}, _Asked(point_id)

    def change(connection: Connection, task: Row) -> tuple[dict, dict]:
        point = asked.read(connection, task_id)
        grid = part_map(part_codes(connection, task_id))
        if part_at(grid, box_xyxy_of(task), (place["x"], place["y"])) != point.part:
            raise Refused("A point stays on its part: the place is not painted with it.", 422)
        asked.change(connection, place)
        return {"point": point_id, "before": [point.x, point.y], "after": [place["x"], place["y"]]}, {}

    response = edit(store, rules, user, task_id, "place", change, **which)
    return response, asked.points
