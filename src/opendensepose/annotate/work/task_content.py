"""What a task holds, as the database has it: box, part masks, and points with their answers; read and put in as it is.

Which changes are allowed, and by whom, is not asked here: see `edits` and `tasks`.
"""

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.store import parts, points
from opendensepose.data.masks import decode_part_masks
from opendensepose.part_grid import GRID
from opendensepose.surface import NUM_PARTS

__all__ = [
    "ANSWER_COLUMNS",
    "box_xyxy_of",
    "part_codes",
    "part_map",
    "part_masks",
    "put_parts",
    "put_points",
    "task_points",
]

ANSWER_COLUMNS = ("face", "weight_0", "weight_1", "weight_2", "view", "view_x", "view_y", "reason", "answered_by")


def box_xyxy_of(task: Row) -> np.ndarray:
    """(4,) float64 pixels of the photo."""
    return np.array([task.x0, task.y0, task.x1, task.y1], np.float64)


def part_codes(connection: Connection, task_id: int) -> dict[int, str]:
    """Compressed counts by part."""
    query = sql.select(parts.c.part, parts.c.counts).where(parts.c.task_id == task_id).order_by(parts.c.part)
    return {part: counts for part, counts in connection.execute(query)}


def part_masks(codes: dict[int, str]) -> list[dict | list]:
    """The parts as COCO-DensePose's `dp_masks`: 14 run-length codes, [] for a part that is not painted."""
    return [
        {"size": [GRID, GRID], "counts": codes[part]} if codes.get(part) else [] for part in range(1, NUM_PARTS + 1)
    ]


def part_map(codes: dict[int, str]) -> np.ndarray:
    """(256, 256) uint8 parts on the grid over the box, 0 background."""
    return decode_part_masks(part_masks(codes))


def put_parts(connection: Connection, task_id: int, codes: dict[int, str]) -> None:
    """Puts part masks, compressed counts by part; empty counts are left out."""
    rows = [{"task_id": task_id, "part": part, "counts": counts} for part, counts in codes.items() if counts]
    if rows:
        connection.execute(parts.insert(), rows)


def put_points(connection: Connection, task_id: int, asked: list[dict]) -> None:
    """Puts points in the order of asking; each has part, x, y and may have the columns of an answer."""
    rows = [
        {"task_id": task_id, "rank": rank, **{name: point.get(name) for name in ("part", "x", "y", *ANSWER_COLUMNS)}}
        for rank, point in enumerate(asked)
    ]
    if rows:
        connection.execute(points.insert(), rows)


def task_points(connection: Connection, task_id: int) -> list[Row]:
    """In the order of asking."""
    query = sql.select(points).where(points.c.task_id == task_id).order_by(points.c.rank, points.c.id)
    return list(connection.execute(query))
