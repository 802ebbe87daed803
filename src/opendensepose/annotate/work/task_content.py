"""The content of a task in the database: its box, part masks, and points with their answers.

Functions here read and write rows and check no permission: see `tasks` and `edits` for who may change what.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sql
from msgspec import Struct, ValidationError, convert
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.fields import Counts, Id, PartId, Pixels, Reason
from opendensepose.annotate.work.store import parts, points
from opendensepose.data.masks import decode_part_masks
from opendensepose.part_grid import GRID
from opendensepose.surface import NUM_PARTS, SurfacePoints

__all__ = [
    "ANSWER_COLUMNS",
    "Prefill",
    "PrefilledPoint",
    "answered_points",
    "box_xyxy_of",
    "clip_box",
    "insert_parts",
    "insert_points",
    "part_counts",
    "part_map",
    "part_masks",
    "prefill_of",
    "task_points",
]

ANSWER_COLUMNS = ("face", "weight_0", "weight_1", "weight_2", "view", "view_x", "view_y", "reason", "answered_by")
_MIN_SIDE_PX = 4  # of a person's box
_POINTS = sql.select(points).where(points.c.task_id == sql.bindparam("task_id")).order_by(points.c.rank, points.c.id)


class PrefilledPoint(Struct):
    """A point of an imported file: its pixel of the photo, and the surface point or the reason why there is none."""

    part: PartId
    x: Pixels
    y: Pixels
    face: Id | None = None
    weight_0: float | None = None
    weight_1: float | None = None
    weight_2: float | None = None
    reason: Reason | None = None


class Prefill(Struct):
    """What a task of an imported person starts with."""

    parts: dict[PartId, Counts] = {}
    points: list[PrefilledPoint] = []


def prefill_of(person: Row) -> Prefill:
    """Read what was imported for a person; nothing of it if it is not sound, as older versions checked less."""
    try:
        return convert(person.prefill or {}, Prefill, strict=False)
    except ValidationError:
        return Prefill()


def box_xyxy_of(task: Row) -> np.ndarray:
    """Return the task's box (4,) float64, pixels of the photo."""
    return np.array([task.x0, task.y0, task.x1, task.y1], np.float64)


def clip_box(box_xyxy: Iterable[float], width: int, height: int) -> dict[str, float]:
    """Clip a box to a photo and round it to hundredths of a pixel; return the columns x0, y0, x1, y1.

    RequestError if less than 4 x 4 pixels of it lie within the photo.
    """
    clipped = [round(min(max(edge, 0), side), 2) for edge, side in zip(box_xyxy, [width, height] * 2, strict=True)]
    x0, y0, x1, y1 = map(float, clipped)
    if not (x1 - x0 >= _MIN_SIDE_PX and y1 - y0 >= _MIN_SIDE_PX):
        raise RequestError("The box must cover at least 4 x 4 pixels of the photo; draw a larger one.", 422)
    return {"x0": x0, "y0": y0, "x1": x1, "y1": y1}


def part_counts(connection: Connection, task_id: int) -> dict[int, str]:
    """Read the part masks: COCO's compressed run lengths by part."""
    query = sql.select(parts.c.part, parts.c.counts).where(parts.c.task_id == task_id).order_by(parts.c.part)
    return {part: counts for part, counts in connection.execute(query)}


def part_masks(counts: dict[int, str]) -> list[dict | list]:
    """Return the masks as COCO-DensePose's `dp_masks`: 14 run-length codes, [] for a part without a mask."""
    return [
        {"size": [GRID, GRID], "counts": counts[part]} if counts.get(part) else [] for part in range(1, NUM_PARTS + 1)
    ]


def part_map(counts: dict[int, str]) -> np.ndarray:
    """Decode the masks to one map (256, 256) uint8 on the grid over the box: 0 background, 1..14 the part."""
    return decode_part_masks(part_masks(counts))


def insert_parts(connection: Connection, task_id: int, counts: dict[int, str]) -> None:
    """Insert part masks, compressed run lengths by part; empty ones are left out."""
    rows = [{"task_id": task_id, "part": part, "counts": text} for part, text in counts.items() if text]
    if rows:
        connection.execute(parts.insert(), rows)


def insert_points(connection: Connection, task_id: int, rows: list[dict]) -> None:
    """Insert points in the order of presentation; each has part, x, y and may have the answer's columns."""
    names = ("part", "x", "y", *ANSWER_COLUMNS)
    if rows:
        numbered = [
            {"task_id": task_id, "rank": rank, **{name: row.get(name) for name in names}}
            for rank, row in enumerate(rows)
        ]
        connection.execute(points.insert(), numbered)


def task_points(connection: Connection, task_id: int) -> list[Row]:
    """Read the points in the order of presentation."""
    return list(connection.execute(_POINTS, {"task_id": task_id}))


def answered_points(rows: Sequence[Any]) -> tuple[list[Any], SurfacePoints]:
    """Select the points that have a surface point as their answer; return them and these surface points."""
    done = [point for point in rows if point.face is not None]
    weights = [(point.weight_0, point.weight_1, point.weight_2) for point in done]
    faces = np.array([point.face for point in done], np.int32)
    return done, SurfacePoints(faces, np.array(weights, np.float32).reshape(-1, 3))
