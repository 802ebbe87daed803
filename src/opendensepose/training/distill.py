"""Dense labels for a training set: a teacher fills in what the annotated points leave open. The `distill` verb.

Every file is written whole or not at all, and the same command goes on after an interruption.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch

from opendensepose.atomic_write import atomic_write
from opendensepose.data import find_image, photo_folders, read_annotations, read_photo
from opendensepose.data.coco import CocoDensePose
from opendensepose.instance import DenseAnnotation
from opendensepose.models.checkpoints.checkpoint import load_checkpoint, weights_path
from opendensepose.models.fcn.teacher import KnownPoints, Teacher, inpaint

__all__ = ["Distilled", "dense_labels", "distill"]

ABOUT = "about.json"  # which teacher made the labels of a folder
FOLDER = "dense_targets"


@dataclass(frozen=True)
class Distilled:
    """What became of a training set."""

    folder: Path
    num_images: int  # with dense labels, those of earlier runs included
    num_people: int  # filled in now


def distill(
    teacher: str | Path,
    data: str | Path,
    out_dir: str | Path | None = None,
    device: str | None = None,
    mirrored: bool = True,
    anchored: bool = True,
    on_image: Callable[[int, int], None] | None = None,
) -> Distilled:
    """Write dense labels <image_id>.npz for each image with annotated people: I uint8, U, V float32, instance uint8,
    (H, W) each.

    teacher: checkpoint of a Teacher. data: folder with annotations.json and images/, or the annotation file. out_dir:
    dense_targets beside the annotations if not said. mirrored, anchored: see `dense_labels`. on_image(number done,
    number of all) is called after each image.
    ValueError or OSError, one sentence: not a teacher, nobody annotated, an image that cannot be read, a folder that
    holds another teacher's labels.
    """
    file = Path(data) / "annotations.json" if Path(data).is_dir() else Path(data)
    weights = weights_path(teacher)
    model = load_checkpoint(weights, device or ("cuda" if torch.cuda.is_available() else "cpu")).model
    if not isinstance(model, Teacher):
        raise ValueError(f"{teacher} is a {type(model).__name__}: dense labels are made by a teacher.")
    annotations = read_annotations(file)
    image_ids = [k for k in annotations.images if _annotated(annotations, k)]
    if not image_ids:
        raise ValueError(f"{file} has no annotated person, with points and part masks, to fill in.")
    out_dir = file.parent / FOLDER if out_dir is None else Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    _agree_on_teacher(out_dir, weights, {"scales": list(model.scales), "mirrored": mirrored, "anchored": anchored})
    num_people = 0
    for number, image_id in enumerate(image_ids, start=1):
        path = out_dir / f"{image_id}.npz"
        if not path.exists():
            name = str(annotations.images[image_id].get("file_name", image_id))
            image_rgb = read_photo(find_image(photo_folders(file), name))
            people = [one for one in annotations.people(image_id) if not one.iscrowd]
            content = _packed(dense_labels(model, image_rgb, people, mirrored, anchored))
            atomic_write(path, content)
            num_people += sum(one.is_annotated for one in people)
        if on_image:
            on_image(number, len(image_ids))
    return Distilled(out_dir, len(image_ids), num_people)


def dense_labels(
    model: Teacher,
    image_rgb: np.ndarray,
    people: list[DenseAnnotation],
    mirrored: bool = True,
    anchored: bool = True,
) -> dict[str, np.ndarray]:
    """I, U, V and instance (k for the k-th of the people, from 1) of an image, by the names of the file.

    The teacher's labels inside the part masks, anchored: made to agree with the annotated points around; at a pixel of
    several people those of the more probable chart. Over them the annotated points, each on its pixel.
    """
    hw = image_rgb.shape[:2]
    dtypes = {"I": np.uint8, "U": np.float32, "V": np.float32, "instance": np.uint8}
    labels = {name: np.zeros(hw, dtype) for name, dtype in dtypes.items()}
    best = np.zeros(hw, np.float32)
    annotated = [(k, one) for k, one in enumerate(people[:255], start=1) if one.is_annotated]
    for k, person in annotated:
        known = person.i > 0
        points = KnownPoints(person.point_xy[known], person.i[known], person.u[known], person.v[known])
        more = (mirrored, points if anchored else None)
        iuv, probability, (x0, y0) = inpaint(model, image_rgb, person.box_xyxy, person.mask, *more)
        here = np.s_[y0 : y0 + iuv.size_hw[0], x0 : x0 + iuv.size_hw[1]]
        wins = (iuv.i > 0) & (probability >= best[here])
        for name, value in (("I", iuv.i), ("U", iuv.u), ("V", iuv.v)):
            labels[name][here][wins] = value[wins]
        labels["instance"][here][wins] = k
        best[here][wins] = probability[wins]
    for k, person in annotated:
        column, row = person.point_xy.astype(int).T
        kept = (person.i > 0) & (column >= 0) & (column < hw[1]) & (row >= 0) & (row < hw[0])
        for name, value in (("I", person.i), ("U", person.u), ("V", person.v)):
            labels[name][row[kept], column[kept]] = value[kept]
        labels["instance"][row[kept], column[kept]] = k
    return labels


def _annotated(annotations: CocoDensePose, image_id: int) -> bool:
    return any(person.is_annotated for person in annotations.people(image_id))


def _agree_on_teacher(folder: Path, weights: Path, how: dict) -> None:
    """Notes in a new folder who made its labels, and how; of a folder begun before, refuses to mix others in."""
    about = {"teacher": weights.name, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(), **how}
    path = folder / ABOUT
    if not path.exists():
        atomic_write(path, json.dumps(about).encode())
    elif json.loads(path.read_text()) != about:
        raise ValueError(f"{folder} holds labels that another teacher began, see {path}: choose another folder.")


def _packed(labels: dict[str, Any]) -> bytes:
    file = BytesIO()
    np.savez_compressed(file, **labels)
    return file.getvalue()
