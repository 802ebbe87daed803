"""What the model says of a task's points: a witness against wrong answers, and for some people proposals to accept.

The annotators of a share of the people, gold ones among them, get proposals: the errors of gold people with and without
proposals tell how much these bias the answers.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.checks.model_labels import ModelAnswers, PersonLabels
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import Store, predictions
from opendensepose.annotate.work.task_content import box_xyxy_of, task_points
from opendensepose.annotate.work.tasks import Rules, User, readable_task
from opendensepose.surface import SurfacePoints

__all__ = ["current_predictions", "has_proposals", "predict_points", "proposed_answer", "witness_of"]

_WEIGHTS = ("weight_0", "weight_1", "weight_2")
_PREDICTIONS = sql.select(predictions).where(predictions.c.task_id == sql.bindparam("task_id"))


def predict_points(store: Store, rules: Rules, user: User, task_id: int, label: Callable) -> None:
    """Store what the model says of the points that are new or were moved.

    label: task -> PersonLabels, None if the model sees nobody; it may take seconds and runs outside of transactions.
    """
    with store.reading() as connection:
        task = readable_task(connection, user, task_id)
        points = task_points(connection, task_id)
        known = current_predictions(connection, points)
    missing = [point for point in points if point.id not in known]
    if not missing:
        return
    rows = [
        {"point_id": point.id, "task_id": task_id, "x": point.x, "y": point.y, **answer}
        for point, answer in zip(missing, _answers(label(task), missing, box_xyxy_of(task)), strict=True)
    ]
    # What is submitted before the model was asked was answered without proposals.
    is_shown = task.status in ("open", "sent_back") and draws_proposals(rules, task_id)
    with store.writing() as connection:
        readable_task(connection, user, task_id, lock=True)
        if has_proposals(connection, task_id) is not None:  # decided once, whatever the rate is now
            is_shown = bool(has_proposals(connection, task_id))
        ids = [row["point_id"] for row in rows]
        connection.execute(predictions.delete().where(predictions.c.point_id.in_(ids)))
        connection.execute(predictions.insert(), [row | {"is_shown": is_shown} for row in rows])


def draws_proposals(rules: Rules, task_id: int) -> bool:
    """Whether a task comes with proposals: drawn by its number, so that it is the same after a restart."""
    return random.Random(f"proposals {task_id}").random() < rules.proposal_rate


def _answers(labels: PersonLabels | None, points: Sequence[Row], box_xyxy: np.ndarray) -> list[dict]:
    """The columns of the model's answers; empty where it has none."""
    rows: list[dict[str, Any]] = [dict.fromkeys(("face", *_WEIGHTS, "confidence")) for _ in points]
    if labels is None:
        return rows
    part = np.array([point.part for point in points], np.uint8)
    xy = np.array([(point.x, point.y) for point in points], np.float64)
    said = labels.answers(part, xy, box_xyxy)
    for k, index in enumerate(np.flatnonzero(said.is_known)):
        weights = dict(zip(_WEIGHTS, said.points.barycentric[k].tolist(), strict=True))
        rows[index] = {"face": int(said.points.face[k]), **weights, "confidence": float(said.confidence[k])}
    return rows


def current_predictions(connection: Connection, points: Sequence[Any]) -> dict[int, Row]:
    """Read the predictions of a task's points by point id, without those of pixels that a point has left."""
    if not points:
        return {}
    rows = connection.execute(_PREDICTIONS, {"task_id": points[0].task_id}).all()
    place = {point.id: (point.x, point.y) for point in points} if rows else {}
    return {row.point_id: row for row in rows if place.get(row.point_id) == (row.x, row.y)}


def has_proposals(connection: Connection, task_id: int) -> bool | None:
    """Whether a task came with proposals; None if the model was not asked yet."""
    query = sql.select(predictions.c.is_shown).where(predictions.c.task_id == task_id).limit(1)
    return connection.scalar(query)


def witness_of(points: Sequence[Any], known: dict[int, Row]) -> ModelAnswers:
    """Return what the model says of these points. known: see `current_predictions`."""
    rows = [known[point.id] for point in points if point.id in known and known[point.id].face is not None]
    said = {row.point_id for row in rows}
    weights = np.array([[getattr(row, name) for name in _WEIGHTS] for row in rows], np.float32).reshape(-1, 3)
    return ModelAnswers(
        np.array([point.id in said for point in points], bool),
        SurfacePoints(np.array([row.face for row in rows], np.int32), weights),
        np.array([row.confidence for row in rows], np.float64),
    )


def proposed_answer(connection: Connection, point: Row) -> dict:
    """Return the columns of the answer that accepts a point's proposal. RequestError 422 if there is none."""
    row = current_predictions(connection, [point]).get(point.id)
    if row is None or row.face is None or not row.is_shown:
        raise RequestError("There is no proposal for this point: click it in a view.", 422)
    return {name: getattr(row, name) for name in ("face", *_WEIGHTS)}
