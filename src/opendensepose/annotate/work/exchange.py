"""Export of annotations as COCO-DensePose files; `importing` reads them.

Coordinates as in data/coco.py: dp_x = 255 * (x - box_x) / box_w, x at the pixel's centre. Each exported person also has
`annotator` (who made it), `status`, `proposals` (whether the model's answers were proposed, here or in the file it was
imported from), `dp_unanswered` (the points without an answer, with the reason) and `comments` (of reviewers: author,
text, at, and x, y of the point or null). The document's `dp_skipped` lists who was skipped, and why.
"""

from collections.abc import Callable

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.predictions import has_proposals
from opendensepose.annotate.work.review import task_comments
from opendensepose.annotate.work.store import Store, annotators, people, photos, tasks
from opendensepose.annotate.work.task_content import (
    answered_points,
    box_xyxy_of,
    part_counts,
    part_map,
    part_masks,
    task_points,
)
from opendensepose.data import category, encode_mask
from opendensepose.part_grid import parts_of_pixels
from opendensepose.surface import load_surface

__all__ = ["EXPORTED", "MESH", "UNFINISHED", "export_document", "task_annotation"]

EXPORTED = ("submitted", "accepted")
UNFINISHED = ("open", "sent_back")
MESH = "opendensepose_body"  # what dp_vertex indexes: the vertices of load_surface()
_DIGITS = 6


def export_document(
    store: Store, to_iuv: Callable, *, vertex: bool = False, gold: bool = False, unfinished: bool = False
) -> dict:
    """Return the submitted and accepted work as a COCO-DensePose document; of gold people instead if `gold`.

    to_iuv: SurfacePoints -> i, u, v. vertex: with dp_vertex, the nearest vertex of our surface, as the embeddings
    variant has it. unfinished: with open work and work that was sent back. A person annotated by several annotators has
    an entry of each.
    """
    states = EXPORTED + (UNFINISHED if unfinished else ())
    query = (
        sql.select(tasks, people.c.photo_id, people.c.prefill, annotators.c.name.label("annotator"))
        .join(people, tasks.c.person_id == people.c.id)
        .join(annotators, tasks.c.annotator_id == annotators.c.id)
        .where(people.c.is_gold.is_(gold))
        .order_by(people.c.photo_id, tasks.c.id)
    )
    work = query.where(tasks.c.status.in_(states), sql.or_(tasks.c.status != "open", tasks.c.touched_at > 0))
    faces = load_surface().faces if vertex else None
    entries = []
    with store.reading() as connection:
        by_id = {row.id: row for row in connection.execute(sql.select(photos))}
        for task in connection.execute(work).all():
            entries.append(task_annotation(connection, task, by_id[task.photo_id], to_iuv, faces))
        skipped = [_skipped_json(row) for row in connection.execute(query.where(tasks.c.status == "skipped"))]
    used = {entry["image_id"] for entry in (*entries, *skipped)}
    images = [
        {"id": photo.id, "file_name": photo.name, "width": photo.width, "height": photo.height}
        for photo in by_id.values()
        if photo.id in used
    ]
    info = {"description": "Annotated with opendensepose annotate"}
    document = {"info": info, "licenses": [], "images": images, "annotations": entries, "categories": [category()]}
    return document | ({"dp_skipped": skipped} if skipped else {})


def _skipped_json(task: Row) -> dict:
    box = [task.x0, task.y0, round(task.x1 - task.x0, 2), round(task.y1 - task.y0, 2)]
    return {"image_id": task.photo_id, "bbox": box, "annotator": task.annotator, "reason": task.skip_reason}


def task_annotation(connection: Connection, task: Row, photo: Row, to_iuv: Callable, faces: np.ndarray | None) -> dict:
    """Return one entry of `annotations`; other fields of an imported file, such as keypoints, are kept."""
    counts = part_counts(connection, task.id)
    points = task_points(connection, task.id)
    done, answers = answered_points(points)
    x0, y0, width, height = task.x0, task.y0, round(task.x1 - task.x0, 2), round(task.y1 - task.y0, 2)
    body = parts_of_pixels(part_map(counts), box_xyxy_of(task), (photo.height, photo.width)) > 0
    i, u, v = to_iuv(answers)
    kept = dict((task.prefill or {}).get("entry", {}))
    entry = kept | {
        "id": task.id,
        "image_id": photo.id,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [x0, y0, width, height],
        "area": int(body.sum()),
        "segmentation": encode_mask(body),
        "dp_masks": part_masks(counts),
        "dp_x": [round(255 * (point.x - x0) / width, _DIGITS) for point in done],
        "dp_y": [round(255 * (point.y - y0) / height, _DIGITS) for point in done],
        "dp_I": [float(value) for value in i],
        "dp_U": [round(float(value), _DIGITS) for value in u],
        "dp_V": [round(float(value), _DIGITS) for value in v],
        "annotator": task.annotator,
        "status": task.status,
        "proposals": bool(has_proposals(connection, task.id)) or kept.get("proposals") is True,
        "dp_unanswered": [
            {"x": point.x, "y": point.y, "part": point.part, "reason": point.reason}
            for point in points
            if point.face is None
        ],
    }
    comments = task_comments(connection, task.id)
    if comments:
        place = {point.id: (point.x, point.y) for point in points}
        entry["comments"] = [
            dict(zip("xy", place.get(one["point_id"], (None, None)), strict=True))
            | {name: one[name] for name in ("author", "text", "at")}
            for one in comments
        ]
    if faces is not None:
        nearest = answers.barycentric.argmax(1)
        entry |= {"dp_vertex": faces[answers.face, nearest].tolist(), "ref_model": MESH}
    return entry
