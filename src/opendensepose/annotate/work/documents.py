"""A task as the page sees it: JSON objects of tasks and points, the surface points shown in all views."""

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Row

from opendensepose.annotate.surface.cameras import PlaceInView
from opendensepose.annotate.surface.service import SurfaceSide
from opendensepose.annotate.work.review import task_comments
from opendensepose.annotate.work.store import Store, annotators, photos
from opendensepose.annotate.work.task_content import box_xyxy_of, part_codes, part_map, task_points
from opendensepose.annotate.work.tasks import User, readable_task
from opendensepose.part_grid import GRID
from opendensepose.surface import SurfacePoints

__all__ = ["answered", "point_answer", "preview_of", "task_document", "task_line"]


def task_line(row: Row) -> dict:
    """One row of the list of tasks."""
    return {
        "id": row.id,
        "photo_id": row.photo_id,
        "photo": row.photo,
        "width": row.width,
        "height": row.height,
        "box_xyxy": [row.x0, row.y0, row.x1, row.y1],
        "status": row.status,
        "annotator": row.annotator,
    }


def task_document(store: Store, surface: SurfaceSide, user: User, task_id: int) -> dict:
    """Everything about a task that the user may read."""
    with store.reading() as connection:
        task = readable_task(connection, user, task_id)
        photo = connection.execute(sql.select(photos).where(photos.c.id == task.photo_id)).one()
        name = connection.scalar(sql.select(annotators.c.name).where(annotators.c.id == task.annotator_id))
        codes = part_codes(connection, task_id)
        asked = task_points(connection, task_id)
        said = task_comments(connection, task_id)
    is_open = task.annotator_id == user.id and task.status in ("open", "sent_back")
    is_fixed = task.fixer_id == user.id and task.status == "submitted"
    return {
        "id": task.id,
        "photo_id": task.photo_id,
        "photo": photo.name,
        "width": photo.width,
        "height": photo.height,
        "box_xyxy": [task.x0, task.y0, task.x1, task.y1],
        "status": task.status,
        "editable": is_open or is_fixed,
        "annotator": name,
        "version": task.version,
        "lease_expires_at": task.lease_expires_at,
        "stage": task.stage,
        "comments": said,
        "parts": {str(part): {"counts": counts, "size": [GRID, GRID]} for part, counts in codes.items()},
        "points": _point_documents(surface, asked),
    }


def answered(asked: list[Row]) -> tuple[list[Row], SurfacePoints]:
    """The points that have an answer, and their answers."""
    with_face = [point for point in asked if point.face is not None]
    weights = [(point.weight_0, point.weight_1, point.weight_2) for point in with_face]
    faces = np.array([point.face for point in with_face], np.int32)
    return with_face, SurfacePoints(faces, np.array(weights, np.float32).reshape(-1, 3))


def _subset(surface_points: SurfacePoints, which: list[int]) -> SurfacePoints:
    return SurfacePoints(surface_points.face[which], surface_points.barycentric[which])


def _point_documents(surface: SurfaceSide, asked: list[Row]) -> list[dict]:
    done, where = answered(asked)
    shown: dict[int, list[PlaceInView]] = {}
    for part in {point.part for point in done}:
        mine = [k for k, point in enumerate(done) if point.part == part]
        for k, places in zip(mine, surface.shown(part, _subset(where, mine)), strict=True):
            shown[done[k].id] = places
    i, u, v = surface.uv_of(where) if done else ((), (), ())
    labels = {point.id: (int(i[k]), float(u[k]), float(v[k])) for k, point in enumerate(done)}
    warnings = _warnings(surface, done, where)
    return [
        _point_document(point, labels.get(point.id), shown.get(point.id, []), warnings.get(point.id)) for point in asked
    ]


def _point_document(point: Row, label: tuple | None, shown: list[PlaceInView], warning: str | None) -> dict:
    answer = None
    if label is not None:
        answer = dict(zip("iuv", label, strict=True)) | {"view": point.view, "x": point.view_x, "y": point.view_y}
        if point.view is None and shown:  # from an imported file: where it is seen stands for a click
            answer |= shown[0]._asdict()
    return {
        "id": point.id,
        "part": point.part,
        "x": point.x,
        "y": point.y,
        "answer": answer,
        "reason": point.reason,
        "shown": [place._asdict() for place in shown],
        "warning": warning,
    }


def _warnings(surface: SurfaceSide, done: list[Row], where: SurfacePoints) -> dict[int, str]:
    """What contradicts what, by point id."""
    if len(done) < 2:
        return {}
    part = np.array([point.part for point in done], np.uint8)
    xy = np.array([(point.x, point.y) for point in done], np.float64)
    found: dict[int, str] = {}
    for contradiction in surface.find_contradictions(part, xy, where):
        for k in contradiction.points:
            found.setdefault(done[k].id, contradiction.text)
    return found


def point_answer(
    store: Store, surface: SurfaceSide, task_id: int, point_id: int, asked: list[Row] | None = None
) -> dict:
    """What a save of a point is answered with: {point, warnings: [{points: ids, text}]}. asked: the task's points,
    read here where they are not known."""
    if asked is None:
        with store.reading() as connection:
            asked = task_points(connection, task_id)
    done, where = answered(asked)
    (point,) = [one for one in asked if one.id == point_id]
    label, shown = None, []
    mine = [k for k, one in enumerate(done) if one.id == point_id]
    if mine:
        own = _subset(where, mine)
        (shown,) = surface.shown(point.part, own)
        label = tuple(value.item() for value in (array[0] for array in surface.uv_of(own)))
    part = np.array([one.part for one in done], np.uint8)
    xy = np.array([(one.x, one.y) for one in done], np.float64).reshape(-1, 2)
    found = surface.find_contradictions(part, xy, where) if len(done) > 1 else ()
    warnings = [{"points": [done[k].id for k in one.points], "text": one.text} for one in found]
    own_warning = next((one["text"] for one in warnings if point_id in one["points"]), None)
    return {"point": _point_document(point, label, shown, own_warning), "warnings": warnings}


def preview_of(store: Store, surface: SurfaceSide, user: User, task_id: int, photo_rgb, fill: bool) -> np.ndarray:
    """The IUV picture (h, w, 3) uint8 over the box's crop. photo_rgb: photo id -> (H, W, 3) uint8."""
    with store.reading() as connection:
        task = readable_task(connection, user, task_id)
        codes = part_codes(connection, task_id)
        asked = task_points(connection, task_id)
    done, where = answered(asked)
    box = box_xyxy_of(task)
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:]).astype(int)
    crop = photo_rgb(task.photo_id)[y0:y1, x0:x1]
    xy = np.array([(point.x, point.y) for point in done], np.float64).reshape(-1, 2)
    i, u, v = (
        surface.uv_of(where) if done else (np.zeros(0, np.uint8), np.zeros(0, np.float32), np.zeros(0, np.float32))
    )
    return surface.draw_preview(crop, box, part_map(codes), xy, i, u, v, fill)
