"""A task as the page gets it: JSON objects of tasks and points, and the picture of what is annotated so far."""

from collections.abc import Callable, Sequence

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.surface.cameras import PlaceInView
from opendensepose.annotate.surface.contradictions import Contradiction
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.work.review import task_comments
from opendensepose.annotate.work.store import Store, annotators, people, photos, tasks
from opendensepose.annotate.work.task_content import answered_points, box_xyxy_of, part_counts, part_map, task_points
from opendensepose.annotate.work.tasks import ACTIVE, User, readable_task
from opendensepose.part_grid import GRID
from opendensepose.surface import SurfacePoints

__all__ = ["draw_task_preview", "saved_point_json", "task_json"]

_MOST_OTHERS = 50  # of one photo


def task_json(store: Store, surface: SurfaceService, user: User, task_id: int) -> dict:
    """Return everything about a task that the user may read."""
    with store.reading() as connection:
        task = readable_task(connection, user, task_id)
        photo = connection.execute(sql.select(photos).where(photos.c.id == task.photo_id)).one()
        name = connection.scalar(sql.select(annotators.c.name).where(annotators.c.id == task.annotator_id))
        counts = part_counts(connection, task_id)
        points = task_points(connection, task_id)
        comments = task_comments(connection, task_id)
        others = _others_json(connection, user, task)
    is_own = task.annotator_id == user.id and task.status in ("open", "sent_back")
    is_fixed = task.fixer_id == user.id and task.status == "submitted"
    return {
        "id": task.id,
        "person_id": task.person_id,
        "annotator_id": task.annotator_id,
        "photo_id": task.photo_id,
        "photo": photo.name,
        "width": photo.width,
        "height": photo.height,
        "box_xyxy": [task.x0, task.y0, task.x1, task.y1],
        "status": task.status,
        "editable": is_own or is_fixed,
        "skip_reason": task.skip_reason,
        "annotator": name,
        "version": task.version,
        "lease_expires_at": task.lease_expires_at,
        "stage": task.stage,
        "comments": comments,
        "parts": {str(part): {"counts": text, "size": [GRID, GRID]} for part, text in counts.items()},
        "points": _points_json(surface, points),
        "others": others,
    }


def _others_json(connection: Connection, user: User, task: Row) -> list[dict]:
    """The other people of the photo: {box_xyxy, parts}, the masks of the user's own work or of submitted work."""
    of_photo = sql.select(people).where(people.c.photo_id == task.photo_id, people.c.id != task.person_id)
    others = connection.execute(of_photo.order_by(people.c.id).limit(_MOST_OTHERS)).all()
    is_shown = sql.or_(tasks.c.annotator_id == user.id, tasks.c.status.in_(ACTIVE))
    of_others = sql.select(tasks).where(tasks.c.person_id.in_([one.id for one in others]), is_shown)
    shown = {one.person_id: one for one in connection.execute(of_others.order_by(tasks.c.id))} if others else {}
    lines = []
    for person in others:
        work = shown.get(person.id, person)
        counts = part_counts(connection, work.id) if person.id in shown else {}
        lines.append({"person_id": person.id, "box_xyxy": box_xyxy_of(work).tolist(), "parts": counts})
    return lines


def _select(surface_points: SurfacePoints, which: list[int]) -> SurfacePoints:
    return SurfacePoints(surface_points.face[which], surface_points.barycentric[which])


def _points_json(surface: SurfaceService, points: list[Row]) -> list[dict]:
    done, answers = answered_points(points)
    places: dict[int, list[PlaceInView]] = {}
    for part in {point.part for point in done}:
        own = [k for k, point in enumerate(done) if point.part == part]
        for k, seen in zip(own, surface.visible_places(part, _select(answers, own)), strict=True):
            places[done[k].id] = seen
    i, u, v = surface.to_iuv(answers) if done else ((), (), ())
    labels = {point.id: (int(i[k]), float(u[k]), float(v[k])) for k, point in enumerate(done)}
    warnings: dict[int, str] = {}
    for found in _contradictions(surface, done, answers):
        for k in found.points:
            warnings.setdefault(done[k].id, found.text)
    return [
        _point_json(point, labels.get(point.id), places.get(point.id, []), warnings.get(point.id)) for point in points
    ]


def _point_json(point: Row, iuv: tuple | None, places: list[PlaceInView], warning: str | None) -> dict:
    answer = None
    if iuv is not None:
        answer = dict(zip("iuv", iuv, strict=True)) | {"view": point.view, "x": point.view_x, "y": point.view_y}
        if point.view is None and places:  # from an imported file: the first view that shows it stands for a click
            answer |= places[0]._asdict()
    return {
        "id": point.id,
        "part": point.part,
        "x": point.x,
        "y": point.y,
        "answer": answer,
        "reason": point.reason,
        "shown": [place._asdict() for place in places],
        "warning": warning,
    }


def _contradictions(surface: SurfaceService, done: list[Row], answers: SurfacePoints) -> Sequence[Contradiction]:
    if len(done) < 2:
        return ()
    part = np.array([point.part for point in done], np.uint8)
    return surface.find_contradictions(part, _photo_xy(done), answers)


def _photo_xy(points: list[Row]) -> np.ndarray:
    """(P, 2) float64 pixels of the photo."""
    return np.array([(point.x, point.y) for point in points], np.float64).reshape(-1, 2)


def saved_point_json(
    store: Store, surface: SurfaceService, task_id: int, point_id: int, points: list[Row] | None = None
) -> dict:
    """Return the response to a saved point: {point, warnings: [{points: ids, text}]}.

    points: the task's, after the save; read here if None.
    """
    if points is None:
        with store.reading() as connection:
            points = task_points(connection, task_id)
    done, answers = answered_points(points)
    point = next(one for one in points if one.id == point_id)
    iuv, places = None, []
    own = [k for k, one in enumerate(done) if one.id == point_id]
    if own:
        answer = _select(answers, own)
        (places,) = surface.visible_places(point.part, answer)
        iuv = tuple(values[0].item() for values in surface.to_iuv(answer))
    found = _contradictions(surface, done, answers)
    warnings = [{"points": [done[k].id for k in one.points], "text": one.text} for one in found]
    own_warning = next((one.text for one in found if any(k in one.points for k in own)), None)
    return {"point": _point_json(point, iuv, places, own_warning), "warnings": warnings}


def draw_task_preview(
    store: Store, surface: SurfaceService, user: User, task_id: int, photo_rgb: Callable, fill: bool
) -> np.ndarray:
    """Draw the annotated points over the box's crop (h, w, 3) uint8. photo_rgb: photo id -> (H, W, 3) uint8."""
    with store.reading() as connection:
        task = readable_task(connection, user, task_id)
        counts = part_counts(connection, task_id)
        done, answers = answered_points(task_points(connection, task_id))
    box = box_xyxy_of(task)
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:]).astype(int)
    crop = photo_rgb(task.photo_id)[y0:y1, x0:x1]
    i, u, v = surface.to_iuv(answers)
    return surface.draw_preview(crop, box, part_map(counts), _photo_xy(done), i, u, v, fill)
