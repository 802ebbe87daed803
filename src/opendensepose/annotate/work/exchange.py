"""Annotations out as COCO-DensePose files, and such files in, for correction.

Coordinates as in data/coco.py: dp_x = 255 * (x - box_x) / box_w, x at the pixel's centre. An export says of each person
also `annotator` (who made it), `status`, and `dp_unanswered` (points without an answer and why).
"""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.documents import answered
from opendensepose.annotate.work.refusals import Refused
from opendensepose.annotate.work.store import Store, annotators, people, photos, tasks
from opendensepose.annotate.work.task_content import box_xyxy_of, part_codes, part_map, part_masks, task_points
from opendensepose.annotate.work.tasks import check_box
from opendensepose.data import CocoDensePose, category, decode_mask, encode_mask
from opendensepose.part_grid import parts_of_pixels
from opendensepose.surface import NUM_PARTS, SurfacePoints

__all__ = ["EXPORTED", "MESH", "export_document", "import_document", "task_annotation"]

EXPORTED = ("submitted", "accepted")
MESH = "opendensepose_body"  # what dp_vertex counts in: the vertices of load_surface()
_OURS = ("dp_masks", "dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_vertex", "ref_model", "dp_unanswered")
_ENTRY = ("id", "image_id", "category_id", "iscrowd", "bbox", "area", "segmentation", "annotator", "status")
_DIGITS = 6


# --- out -------------------------------------------------------------------------------------------------------------


def export_document(
    store: Store, uv_of: Callable, *, vertex: bool = False, gold: bool = False, statuses: tuple = EXPORTED
) -> dict:
    """A COCO-DensePose document of all work that is done; of gold people instead, if gold.

    vertex: with dp_vertex, the nearest vertex of our surface, as the embeddings variant has it. uv_of: SurfacePoints ->
    i, u, v. A person annotated by several has an entry of each.
    """
    query = (
        sql.select(tasks, people.c.photo_id, people.c.prefill, annotators.c.name.label("annotator"))
        .join(people, tasks.c.person_id == people.c.id)
        .join(annotators, tasks.c.annotator_id == annotators.c.id)
        .where(tasks.c.status.in_(statuses), people.c.is_gold.is_(gold))
        .order_by(people.c.photo_id, tasks.c.id)
    )
    faces = _faces() if vertex else None
    entries = []
    with store.reading() as connection:
        by_id = {row.id: row for row in connection.execute(sql.select(photos))}
        for task in connection.execute(query).all():
            entries.append(task_annotation(connection, task, by_id[task.photo_id], uv_of, faces))
    used = {entry["image_id"] for entry in entries}
    images = [
        {"id": photo.id, "file_name": photo.name, "width": photo.width, "height": photo.height}
        for photo in by_id.values()
        if photo.id in used
    ]
    info = {"description": "Annotated with opendensepose annotate"}
    return {"info": info, "licenses": [], "images": images, "annotations": entries, "categories": [category()]}


def _faces() -> np.ndarray:
    from opendensepose.surface import load_surface

    return load_surface().faces


def task_annotation(connection: Connection, task: Row, photo: Row, uv_of: Callable, faces: np.ndarray | None) -> dict:
    """One entry of `annotations`; what an imported file said beside, such as keypoints, is kept."""
    codes = part_codes(connection, task.id)
    asked = task_points(connection, task.id)
    done, where = answered(asked)
    x0, y0, width, height = task.x0, task.y0, round(task.x1 - task.x0, 2), round(task.y1 - task.y0, 2)
    body = parts_of_pixels(part_map(codes), box_xyxy_of(task), (photo.height, photo.width)) > 0
    i, u, v = uv_of(where) if done else ((), (), ())
    entry = dict((task.prefill or {}).get("entry", {})) | {
        "id": task.id,
        "image_id": photo.id,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [x0, y0, width, height],
        "area": int(body.sum()),
        "segmentation": encode_mask(body),
        "dp_masks": part_masks(codes),
        "dp_x": [round(255 * (point.x - x0) / width, _DIGITS) for point in done],
        "dp_y": [round(255 * (point.y - y0) / height, _DIGITS) for point in done],
        "dp_I": [float(value) for value in i],
        "dp_U": [round(float(value), _DIGITS) for value in u],
        "dp_V": [round(float(value), _DIGITS) for value in v],
        "annotator": task.annotator,
        "status": task.status,
        "dp_unanswered": [
            {"x": point.x, "y": point.y, "part": point.part, "reason": point.reason}
            for point in asked
            if point.face is None
        ],
    }
    if faces is not None:
        nearest = where.barycentric.argmax(1)
        entry |= {"dp_vertex": faces[where.face, nearest].tolist(), "ref_model": MESH}
    return entry


# --- in --------------------------------------------------------------------------------------------------------------


def import_document(store: Store, document: object, to_points: Callable, name: str = "the file") -> dict:
    """Takes in the people of a COCO-DensePose document, with parts and points, for whoever is given them next.

    to_points: i, u, v -> SurfacePoints. Returns {people: how many are new, known: how many were there with the same box
    and stay as they are, problems: sentences}. ValueError, one sentence, if it is no such document.
    """
    coco = CocoDensePose(document, name)
    with store.reading() as connection:
        by_name = {row.name: row for row in connection.execute(sql.select(photos))}
    count, known, problems = 0, 0, []
    for image_id, image in coco.images.items():
        photo = by_name.get(PurePosixPath(str(image.get("file_name"))).name)
        if photo is None:
            problems.append(f"image {image_id}: {image.get('file_name')!r:.200} is not among the photos.")
            continue
        rows = list(_prefilled(coco, image_id, photo, to_points, problems))
        with store.writing() as connection:
            at_photo = sql.select(people.c.x0, people.c.y0, people.c.x1, people.c.y1)
            there = {tuple(box) for box in connection.execute(at_photo.where(people.c.photo_id == photo.id))}
            for box, prefill in rows:
                if tuple(box.values()) in there:
                    known += 1
                    continue
                there.add(tuple(box.values()))
                values = {"photo_id": photo.id, "is_gold": False, "times_submitted": 0, "prefill": prefill}
                connection.execute(people.insert().values(**values, **box))
                count += 1
    return {"people": count, "known": known, "problems": problems}


def _prefilled(coco: CocoDensePose, image_id: int, photo: Row, to_points: Callable, problems: list) -> Iterator[tuple]:
    """box, prefill of each person of an image; what is wrong with others goes to problems."""
    for annotation_id in coco.annotation_ids(image_id):
        entry = coco.annotations[annotation_id]
        if entry.get("iscrowd"):
            continue
        try:
            person = coco.person(annotation_id)
            box = check_box([round(float(edge), 2) for edge in person.box_xyxy], photo.width, photo.height)
            asked = _asked_points(person, entry, to_points, photo)
        except ValueError as error:
            problems.append(str(error))
            continue
        parts = {}
        for part, code in enumerate(entry.get("dp_masks") or [], start=1):
            if code and decode_mask(code).any():
                parts[str(part)] = encode_mask(decode_mask(code))["counts"]
        beside = {name: value for name, value in entry.items() if name not in (*_OURS, *_ENTRY)}
        yield box, {"parts": parts, "points": asked, "entry": beside}


def _asked_points(person, entry: dict, to_points: Callable, photo: Row) -> list[dict]:
    from opendensepose.surface import CHART_TO_PART

    usable = person.i > 0
    where: SurfacePoints = to_points(person.i[usable], person.u[usable], person.v[usable])
    xy = np.round(person.point_xy[usable], 2)
    asked = []
    for k in range(len(where)):
        weights = {f"weight_{corner}": float(where.barycentric[k, corner]) for corner in range(3)}
        place = {"part": int(CHART_TO_PART[person.i[usable][k]]), "x": float(xy[k, 0]), "y": float(xy[k, 1])}
        asked.append({**place, "face": int(where.face[k]), **weights})
    for said in entry.get("dp_unanswered") or []:
        asked.append(_unanswered(said, photo))
    return asked


def _unanswered(said: object, photo: Row) -> dict:
    is_point = isinstance(said, dict) and all(type(said.get(name)) in (int, float) for name in ("x", "y"))
    if not is_point or said.get("part") not in range(1, NUM_PARTS + 1):
        raise Refused("dp_unanswered should be a list of {x, y, part, reason}.")
    if not (0 <= said["x"] <= photo.width and 0 <= said["y"] <= photo.height):
        raise Refused("dp_unanswered: a point lies outside the photo.")
    reason = said.get("reason")
    return {"part": said["part"], "x": said["x"], "y": said["y"], "reason": str(reason)[:200] if reason else None}
