"""Export of annotations as COCO-DensePose files, and import of such files for correction.

Coordinates as in data/coco.py: dp_x = 255 * (x - box_x) / box_w, x at the pixel's centre. Each exported person also has
`annotator` (who made it), `status`, `proposals` (whether the model's answers were proposed), and `dp_unanswered` (the
points without an answer, with the reason).
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from opendensepose.annotate.work.photos import NewPerson, add_people, find_photo
from opendensepose.annotate.work.predictions import has_proposals
from opendensepose.annotate.work.store import Store, annotators, people, photos, tasks
from opendensepose.annotate.work.task_content import (
    answered_points,
    box_xyxy_of,
    clip_box,
    part_counts,
    part_map,
    part_masks,
    task_points,
)
from opendensepose.data import CocoDensePose, category, decode_mask, encode_mask
from opendensepose.instance import DenseAnnotation
from opendensepose.part_grid import parts_of_pixels
from opendensepose.surface import CHART_TO_PART, NUM_PARTS, SurfacePoints, load_surface

__all__ = ["EXPORTED", "MESH", "Unanswered", "export_document", "import_document", "task_annotation"]

EXPORTED = ("submitted", "accepted")
MESH = "opendensepose_body"  # what dp_vertex indexes: the vertices of load_surface()
_DENSE_FIELDS = ("dp_masks", "dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_vertex", "ref_model", "dp_unanswered")
_ENTRY_FIELDS = (
    *("id", "image_id", "category_id", "iscrowd", "bbox", "area", "segmentation"),
    *("annotator", "status", "proposals"),
)
_DIGITS = 6


class Unanswered(msgspec.Struct):
    """A point without an answer, as `dp_unanswered` has it: pixels of the photo."""

    x: float
    y: float
    part: Annotated[int, msgspec.Meta(ge=1, le=NUM_PARTS)]
    reason: str | None = None


# --- export ----------------------------------------------------------------------------------------------------------


def export_document(store: Store, to_iuv: Callable, *, vertex: bool = False, gold: bool = False) -> dict:
    """Return the submitted and accepted work as a COCO-DensePose document; of gold people instead if `gold`.

    to_iuv: SurfacePoints -> i, u, v. vertex: with dp_vertex, the nearest vertex of our surface, as the embeddings
    variant has it. A person annotated by several annotators has an entry of each.
    """
    query = (
        sql.select(tasks, people.c.photo_id, people.c.prefill, annotators.c.name.label("annotator"))
        .join(people, tasks.c.person_id == people.c.id)
        .join(annotators, tasks.c.annotator_id == annotators.c.id)
        .where(tasks.c.status.in_(EXPORTED), people.c.is_gold.is_(gold))
        .order_by(people.c.photo_id, tasks.c.id)
    )
    faces = load_surface().faces if vertex else None
    entries = []
    with store.reading() as connection:
        by_id = {row.id: row for row in connection.execute(sql.select(photos))}
        for task in connection.execute(query).all():
            entries.append(task_annotation(connection, task, by_id[task.photo_id], to_iuv, faces))
    used = {entry["image_id"] for entry in entries}
    images = [
        {"id": photo.id, "file_name": photo.name, "width": photo.width, "height": photo.height}
        for photo in by_id.values()
        if photo.id in used
    ]
    info = {"description": "Annotated with opendensepose annotate"}
    return {"info": info, "licenses": [], "images": images, "annotations": entries, "categories": [category()]}


def task_annotation(connection: Connection, task: Row, photo: Row, to_iuv: Callable, faces: np.ndarray | None) -> dict:
    """Return one entry of `annotations`; other fields of an imported file, such as keypoints, are kept."""
    counts = part_counts(connection, task.id)
    points = task_points(connection, task.id)
    done, answers = answered_points(points)
    x0, y0, width, height = task.x0, task.y0, round(task.x1 - task.x0, 2), round(task.y1 - task.y0, 2)
    body = parts_of_pixels(part_map(counts), box_xyxy_of(task), (photo.height, photo.width)) > 0
    i, u, v = to_iuv(answers)
    entry = dict((task.prefill or {}).get("entry", {})) | {
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
        "proposals": bool(has_proposals(connection, task.id)),
        "dp_unanswered": [
            {"x": point.x, "y": point.y, "part": point.part, "reason": point.reason}
            for point in points
            if point.face is None
        ],
    }
    if faces is not None:
        nearest = answers.barycentric.argmax(1)
        entry |= {"dp_vertex": faces[answers.face, nearest].tolist(), "ref_model": MESH}
    return entry


# --- import ----------------------------------------------------------------------------------------------------------


def import_document(store: Store, document: Any, to_points: Callable, name: str = "the file") -> dict:
    """Add the people of a COCO-DensePose document, with parts and points for their future tasks to start with.

    to_points: i, u, v -> SurfacePoints. Returns {people: how many are new, known: how many have a known box and stay as
    they are, problems: sentences}. ValueError, one sentence, if it is no such document.
    """
    coco = CocoDensePose(document, name)
    with store.reading() as connection:
        by_name = {row.name: row for row in connection.execute(sql.select(photos))}
    count, num_known, problems = 0, 0, []
    for image_id, image in coco.images.items():
        photo = find_photo(by_name, image)
        if photo is None:
            problems.append(f"image {image_id}: {image.get('file_name')!r:.200} is not among the photos.")
            continue
        found = list(_people_of_image(coco, image_id, photo, to_points, problems))
        num_new = add_people(store, photo, found)
        count, num_known = count + num_new, num_known + len(found) - num_new
    return {"people": count, "known": num_known, "problems": problems}


def _people_of_image(
    coco: CocoDensePose, image_id: int, photo: Row, to_points: Callable, problems: list[str]
) -> Iterator[NewPerson]:
    """Yield the people of an image; a sentence for each invalid entry goes to problems."""
    for annotation_id in coco.annotation_ids(image_id):
        entry = coco.annotations[annotation_id]
        if entry.get("iscrowd"):
            continue
        try:
            person = coco.person(annotation_id)
            box = clip_box([round(float(edge), 2) for edge in person.box_xyxy], photo.width, photo.height)
            points = _answered(person, to_points) + _unanswered(entry, annotation_id, photo)
        except ValueError as error:
            problems.append(str(error))
            continue
        masks = {part: decode_mask(code) for part, code in enumerate(entry.get("dp_masks") or [], start=1) if code}
        parts = {str(part): encode_mask(mask)["counts"] for part, mask in masks.items() if mask.any()}
        others = {name: value for name, value in entry.items() if name not in (*_DENSE_FIELDS, *_ENTRY_FIELDS)}
        yield NewPerson(box, {"parts": parts, "points": points, "entry": others})


def _answered(person: DenseAnnotation, to_points: Callable) -> list[dict]:
    """The annotated points as rows of the table `points`."""
    usable = person.i > 0
    answers: SurfacePoints = to_points(person.i[usable], person.u[usable], person.v[usable])
    part, xy = CHART_TO_PART[person.i[usable]], np.round(person.point_xy[usable], 2)
    rows = []
    for k in range(len(answers)):
        weights = {f"weight_{corner}": float(answers.barycentric[k, corner]) for corner in range(3)}
        place = {"part": int(part[k]), "x": float(xy[k, 0]), "y": float(xy[k, 1])}
        rows.append({**place, "face": int(answers.face[k]), **weights})
    return rows


def _unanswered(entry: dict, annotation_id: int, photo: Row) -> list[dict]:
    """The points of `dp_unanswered` as rows of the table `points`. ValueError if they are invalid."""
    try:
        points = msgspec.convert(entry.get("dp_unanswered") or [], list[Unanswered])
    except msgspec.ValidationError as error:
        raise ValueError(f"annotation {annotation_id}: dp_unanswered is invalid: {error}.") from None
    if not all(0 <= point.x <= photo.width and 0 <= point.y <= photo.height for point in points):
        raise ValueError(f"annotation {annotation_id}: a point of dp_unanswered lies outside the photo.")
    return [
        {"part": point.part, "x": point.x, "y": point.y, "reason": point.reason[:200] if point.reason else None}
        for point in points
    ]
