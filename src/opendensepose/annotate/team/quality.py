"""How well and how fast people annotate: errors on gold people, agreement between annotators, time per point.

Error: the geodesic distance between the annotated surface point and the true one (DensePose, Güler et al. 2018, section
3). Answers that a reviewer changed do not count as the annotator's. What was measured is kept, and measured again only
when the task has changed.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.team.progress import progress
from opendensepose.annotate.work.exchange import EXPORTED
from opendensepose.annotate.work.gold import read_truth
from opendensepose.annotate.work.store import Store, annotators, events, gold, people, photos, predictions, tasks
from opendensepose.annotate.work.task_content import answered_points, box_xyxy_of, part_counts, part_map, task_points
from opendensepose.evaluation.annotators import (
    AnnotatedTruth,
    AnnotatorErrors,
    annotator_errors,
    annotator_numbers,
    joined,
)
from opendensepose.evaluation.errors import LabelDistances, Labels, between_labels
from opendensepose.instance import DenseAnnotation

__all__ = ["Measured", "agreement", "gold_errors", "quality_document", "seconds_per_point"]

_LONGEST_PAUSE = 120.0  # seconds: a longer time between two answers is a pause
_MOST_EVENTS = 200_000  # the newest lines of the log are enough for the time per point
_MOST_TIMES = 20_000  # of one annotator
_MAX_GAP = 0.03  # of the box's diagonal, between two annotators' points that are compared
_MOST_PAIRS = 500


@dataclass
class Measured:
    """What was measured before, by task and version, and how far the log was read."""

    errors: dict[tuple[int, int], list[AnnotatorErrors]] = field(default_factory=dict)
    pairs: dict[tuple[int, int, int, int], dict] = field(default_factory=dict)
    times: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=_MOST_TIMES)))
    last: dict[tuple[int, int], float] = field(default_factory=dict)  # annotator and task: their last answer
    last_event: int = 0


def gold_errors(
    store: Store, to_iuv: Callable, distances: LabelDistances, measured: Measured, proposals: bool | None = None
) -> dict[str, AnnotatorErrors]:
    """Measure everybody who has submitted gold people, by name.

    proposals: count only people that came with proposals (True) or without (False).
    """
    came_with = sql.select(predictions.c.point_id).where(predictions.c.task_id == tasks.c.id, predictions.c.is_shown)
    query = (
        sql.select(tasks, people.c.photo_id, annotators.c.name)
        .join(people, tasks.c.person_id == people.c.id)
        .join(annotators, tasks.c.annotator_id == annotators.c.id)
        .where(tasks.c.status.in_(EXPORTED), people.c.is_gold)
        .order_by(tasks.c.id)
    )
    if proposals is not None:
        query = query.where(came_with.exists() if proposals else ~came_with.exists())
    with store.reading() as connection:
        rows = connection.execute(query).all()
    of_name: dict[str, list[AnnotatorErrors]] = defaultdict(list)
    for task in rows:
        key = task.id, task.version
        if key not in measured.errors:
            with store.reading() as connection:
                own = _own_answers(connection, task, to_iuv)
                of_photo = sql.select(gold.c.truth).where(gold.c.photo_id == task.photo_id)
                truth = connection.execute(of_photo).scalar_one()
            people_of_task = [AnnotatedTruth(task.name, own, read_truth(truth))] if len(own.i) else []
            measured.errors[key] = annotator_errors(people_of_task, distances)
        of_name[task.name] += measured.errors[key]
    return {name: joined(errors) for name, errors in of_name.items() if errors}


def _own_answers(connection: Connection, task: Row, to_iuv: Callable) -> DenseAnnotation:
    own = [point for point in task_points(connection, task.id) if point.answered_by == task.annotator_id]
    done, answers = answered_points(own)
    i, u, v = to_iuv(answers)
    box = box_xyxy_of(task).astype(np.float32)
    return DenseAnnotation(
        annotation_id=task.id,
        image_id=0,
        box_xyxy=box,
        point_xy=np.array([(point.x, point.y) for point in done], np.float64).reshape(-1, 2),
        i=np.asarray(i, np.uint8),
        u=np.asarray(u, np.float32),
        v=np.asarray(v, np.float32),
        mask=None,
        area=float((box[2] - box[0]) * (box[3] - box[1])),
        iscrowd=False,
        vertex=None,
        keypoints=None,
    )


def agreement(store: Store, to_iuv: Callable, distances: LabelDistances, measured: Measured) -> list[dict]:
    """Compare each two annotators of one person.

    Returns photo, person, annotators, mask_iou of the whole body, part_agreement (of the cells painted by both, the
    share with the same part), and points and distance_cm: of the points that are near each other in the photo, the
    number and the mean distance between the answers on the body.
    """
    query = (
        sql.select(tasks, annotators.c.name, photos.c.name.label("photo"))
        .join(people, tasks.c.person_id == people.c.id)
        .join(photos, people.c.photo_id == photos.c.id)
        .join(annotators, tasks.c.annotator_id == annotators.c.id)
        .where(tasks.c.status.in_(EXPORTED), people.c.is_gold.is_(False))
        .order_by(tasks.c.person_id.desc(), tasks.c.id)
    )
    found: list[dict] = []
    of_person = defaultdict(list)
    with store.reading() as connection:
        for task in connection.execute(query).all():
            of_person[task.person_id].append(task)
        for group in of_person.values():
            for first, second in combinations(group, 2):
                if len(found) >= _MOST_PAIRS:
                    return found
                key = first.id, first.version, second.id, second.version
                if key not in measured.pairs:
                    measured.pairs[key] = _compared(connection, first, second, to_iuv, distances)
                found.append(measured.pairs[key])
    return found


def _compared(connection: Connection, first: Row, second: Row, to_iuv: Callable, distances: LabelDistances) -> dict:
    grids = [part_map(part_counts(connection, task.id)) for task in (first, second)]
    both, either = (grids[0] > 0) & (grids[1] > 0), (grids[0] > 0) | (grids[1] > 0)
    answers = [_own_answers(connection, task, to_iuv) for task in (first, second)]
    distance_m = np.zeros(0)
    if all(len(one.i) for one in answers):
        apart = np.linalg.norm(answers[0].point_xy[:, None] - answers[1].point_xy[None], axis=2)
        nearest = apart.argmin(1)
        reach = _MAX_GAP * np.hypot(first.x1 - first.x0, first.y1 - first.y0)
        a = np.flatnonzero(apart.min(1) <= reach)
        if len(a):
            pairs = zip(answers, (a, nearest[a]), strict=True)
            distance_m = between_labels(distances, *(Labels(one.i[k], one.u[k], one.v[k]) for one, k in pairs))
    return {
        "photo": first.photo,
        "person": first.person_id,
        "annotators": [first.name, second.name],
        "mask_iou": _share(both, either),
        "part_agreement": _share(both & (grids[0] == grids[1]), both),
        "points": len(distance_m),
        "distance_cm": round(100 * float(np.mean(distance_m)), 2) if len(distance_m) else None,
    }


def _share(part: np.ndarray, whole: np.ndarray) -> float | None:
    return round(float(part.sum() / whole.sum()), 4) if whole.any() else None


def seconds_per_point(store: Store, measured: Measured) -> dict[str, float]:
    """Return the median time from one answer to the next on the same person, by annotator, without pauses."""
    newest = sql.select(sql.func.coalesce(sql.func.max(events.c.id), 0))
    with store.reading() as connection:
        since = max(measured.last_event, connection.execute(newest).scalar_one() - _MOST_EVENTS)
        query = (
            sql.select(events.c.id, events.c.annotator_id, events.c.task_id, events.c.at, annotators.c.name)
            .join(annotators, events.c.annotator_id == annotators.c.id)
            .where(events.c.kind == "answer", events.c.id > since)
            .order_by(events.c.id)
        )
        for event_id, annotator_id, task_id, at, name in connection.execute(query):
            earlier = measured.last.get((annotator_id, task_id))
            if earlier is not None and 0 <= at - earlier <= _LONGEST_PAUSE:
                measured.times[name].append(at - earlier)
            measured.last[annotator_id, task_id] = at
            measured.last_event = event_id
    return {name: round(float(np.median(values)), 2) for name, values in measured.times.items()}


def quality_document(
    store: Store,
    to_iuv: Callable,
    distances: LabelDistances | None,
    measured: Measured | None = None,
    annotators_per_person: int = 1,
) -> dict:
    """Collect what the manager's page shows; without distances there are no errors in cm."""
    measured = measured or Measured()
    of_kind = {
        kind: {
            name: annotator_numbers(one)
            for name, one in (gold_errors(store, to_iuv, distances, measured, kind) if distances else {}).items()
        }
        for kind in (None, True, False)
    }
    times = seconds_per_point(store, measured)
    done = sql.select(annotators.c.name, sql.func.count()).select_from(
        tasks.join(annotators, tasks.c.annotator_id == annotators.c.id)
    )
    with store.reading() as connection:
        of_name = done.where(tasks.c.status.in_(EXPORTED)).group_by(annotators.c.name)
        counts = {name: number for name, number in connection.execute(of_name)}
        names = list(connection.scalars(sql.select(annotators.c.name).order_by(annotators.c.name)))
    lines = []
    for name in names:
        of_gold = of_kind[None].get(name, {})
        parts = of_gold.get("parts", {})
        line = {
            "name": name,
            "people": counts.get(name, 0),
            "points": of_gold.get("points", 0),
            "seconds_per_point": times.get(name),
            "error_cm": _number(of_gold.get("mean_cm")),
            "median_cm": _number(of_gold.get("median_cm")),
            "with_proposals_cm": _number(of_kind[True].get(name, {}).get("mean_cm")),
            "without_proposals_cm": _number(of_kind[False].get(name, {}).get("mean_cm")),
            "off_body": of_gold.get("off_body", 0),
            "gold_people": of_gold.get("people", 0),
            "per_part": {part: _number(value["mean_cm"]) for part, value in parts.items()},
        }
        lines.append(line)
    agreed = agreement(store, to_iuv, distances, measured) if distances else []
    return {"annotators": lines, "agreement": agreed, "progress": progress(store, annotators_per_person)}


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 2)
