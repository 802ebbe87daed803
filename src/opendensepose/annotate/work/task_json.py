"""A task as the page gets it: JSON objects of tasks and points, and the picture of what is annotated so far."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.checks.contradictions import Contradiction
from opendensepose.annotate.surface.cameras import PlaceInView
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.work.predictions import current_predictions, witness_of
from opendensepose.annotate.work.review import task_comments
from opendensepose.annotate.work.store import Store, annotators, people, photos, tasks
from opendensepose.annotate.work.task_content import answered_points, box_xyxy_of, part_counts, part_map, task_points
from opendensepose.annotate.work.tasks import ACTIVE, User, readable_task
from opendensepose.part_grid import GRID
from opendensepose.surface import SurfacePoints

__all__ = ["draw_task_preview", "points_json", "saved_point_json", "task_json"]

_MOST_OTHERS = 50  # of one photo


def task_json(store: Store, surface: SurfaceService, user: User, task_id: int) -> dict:
    """Return everything about a task that the user may read."""
    with store.reading() as connection:
        task = readable_task(connection, user, task_id)
        photo = connection.execute(sql.select(photos).where(photos.c.id == task.photo_id)).one()
        name = connection.scalar(sql.select(annotators.c.name).where(annotators.c.id == task.annotator_id))
        counts = part_counts(connection, task_id)
        points = task_points(connection, task_id)
        known = current_predictions(connection, points)
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
        "points": points_json(surface, points, known),
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


class _Shown(NamedTuple):
    """A surface point as the page shows it: I, U, V, and its places in the views of its part."""

    iuv: tuple[int, float, float]
    places: list[PlaceInView]


def points_json(surface: SurfaceService, points: Sequence[Any], known: dict[int, Row]) -> list[dict]:
    """Return all points of a task. known: what the model says of them, see `current_predictions`."""
    done, answers = answered_points(points)
    answer = _shown(surface, [point.part for point in done], answers)
    proposing = [point for point in points if point.id in known and known[point.id].is_shown]
    said = witness_of(proposing, known)
    proposing = [point for point, is_known in zip(proposing, said.is_known, strict=True) if is_known]
    proposal = _shown(surface, [point.part for point in proposing], said.points)
    answer_of = {point.id: one for point, one in zip(done, answer, strict=True)}
    proposal_of = {point.id: one for point, one in zip(proposing, proposal, strict=True)}
    warnings: dict[int, str] = {}
    for found in _contradictions(surface, done, answers, known):
        for k in found.points:
            warnings.setdefault(done[k].id, found.text)
    return [
        _point_json(point, answer_of.get(point.id), warnings.get(point.id), proposal_of.get(point.id), known)
        for point in points
    ]


def _shown(surface: SurfaceService, part: Sequence[int], surface_points: SurfacePoints) -> list[_Shown]:
    """Prepare the points (P,) of parts (P,) for the page; the views of a part are searched once."""
    places: dict[int, list[PlaceInView]] = {}
    for number in set(part):
        own = [k for k, one in enumerate(part) if one == number]
        places |= dict(zip(own, surface.visible_places(number, _select(surface_points, own)), strict=True))
    i, u, v = surface.to_iuv(surface_points) if len(part) else ((), (), ())
    return [_Shown((int(i[k]), float(u[k]), float(v[k])), places[k]) for k in range(len(part))]


def _point_json(
    point: Row, shown: _Shown | None, warning: str | None, proposal: _Shown | None, known: dict[int, Row]
) -> dict:
    answer = None
    if shown is not None:
        answer = dict(zip("iuv", shown.iuv, strict=True)) | {"view": point.view, "x": point.view_x, "y": point.view_y}
        # imported or accepted: the first view that shows it stands for a click; else where the clicked view shows it
        # now, as views may have been drawn otherwise when it was clicked
        clicked = [place for place in shown.places if point.view in (None, place.view)]
        if clicked:
            answer |= clicked[0]._asdict()
    offered = None
    if proposal is not None and proposal.places:  # what no view shows cannot be judged
        offered = dict(zip("iuv", proposal.iuv, strict=True)) | _places_json(proposal)
    return {
        "id": point.id,
        "part": point.part,
        "x": point.x,
        "y": point.y,
        "answer": answer,
        "reason": point.reason,
        "shown": [] if shown is None else _places_json(shown)["shown"],
        "warning": warning,
        "proposal": offered,
        "accepted": shown is not None and _is_accepted(point, known.get(point.id)),
    }


def _places_json(shown: _Shown) -> dict:
    return {"shown": [place._asdict() for place in shown.places]}


def _is_accepted(point: Row, said: Row | None) -> bool:
    """Whether the answer is the proposal as it was."""
    names = ("face", "weight_0", "weight_1", "weight_2")
    same = said is not None and all(getattr(point, name) == getattr(said, name) for name in names)
    return point.view is None and same and bool(said is not None and said.is_shown)


def _contradictions(
    surface: SurfaceService, done: Sequence[Any], answers: SurfacePoints, known: dict[int, Row]
) -> Sequence[Contradiction]:
    if len(done) < 2:
        return ()
    part = np.array([point.part for point in done], np.uint8)
    return surface.find_contradictions(part, _photo_xy(done), answers, witness_of(done, known))


def _photo_xy(points: Sequence[Any]) -> np.ndarray:
    """(P, 2) float64 pixels of the photo."""
    return np.array([(point.x, point.y) for point in points], np.float64).reshape(-1, 2)


def saved_point_json(surface: SurfaceService, point_id: int, points: Sequence[Any], known: dict[int, Row]) -> dict:
    """Return the response to a saved point: {point, warnings: [{points: ids, text}]}.

    points: all of the task, after the save. known: what the model says of them, see `current_predictions`.
    """
    done, answers = answered_points(points)
    point = next(one for one in points if one.id == point_id)
    own = [k for k, one in enumerate(done) if one.id == point_id]
    shown = _shown(surface, [point.part], _select(answers, own))[0] if own else None
    proposal = None
    if point_id in known and known[point_id].is_shown and known[point_id].face is not None:
        (proposal,) = _shown(surface, [point.part], witness_of([point], known).points)
    found = _contradictions(surface, done, answers, known)
    warnings = [{"points": [done[k].id for k in one.points], "text": one.text} for one in found]
    own_warning = next((one.text for one in found if any(k in one.points for k in own)), None)
    return {"point": _point_json(point, shown, own_warning, proposal, known), "warnings": warnings}


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
