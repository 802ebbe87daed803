"""Dense labels to learn from: a teacher's, or those of the nearest annotated points.

Letters: H x W pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch

from opendensepose.atomic_write import atomic_write
from opendensepose.instance import DenseAnnotation
from opendensepose.models.fcn.teacher import Teacher
from opendensepose.models.targets import DenseLabels
from opendensepose.part_grid import parts_of_pixels
from opendensepose.surface import CHART_TO_PART
from opendensepose.training.distill import dense_labels
from paper.features import FrozenEncoder
from paper.learn import CROPS, crop_losses, learn
from paper.networks import SCALES, teacher_network
from paper.people import SIZE_HW, Annotators, RenderedSet

ARRAYS = ("I", "U", "V", "instance")

Maker = Callable[[int], dict[str, np.ndarray]]


@dataclass(frozen=True)
class TeacherLine:
    """How a teacher is made. background: left in; anchored, mirrored: of `dense_labels`."""

    scales: tuple[float, ...] = SCALES
    background: bool = False
    anchored: bool = False
    mirrored: bool = False

    @property
    def learned(self) -> "TeacherLine":
        """One that learns the same."""
        return TeacherLine(background=self.background)


TEACHERS = {
    "teacher": TeacherLine(),
    "teacher_one_scale": TeacherLine(scales=(1.0,)),
    "teacher_background": TeacherLine(background=True),
    "teacher_anchored": TeacherLine(anchored=True),
}


def teacher_maker(
    name: str, encoder: FrozenEncoder, data: RenderedSet, annotators: Annotators, images: int, steps: int, rate: float,
    seed: int, weights: Path,
) -> Maker:  # fmt: skip
    """What makes a teacher's labels of an image. It learns from the first so many images, unless its file of weights is
    there already."""
    how = TEACHERS[name]
    torch.manual_seed(seed)
    teacher: Teacher = teacher_network(encoder, how.scales, how.background)
    if weights.exists():
        teacher.load_state_dict(torch.load(weights, weights_only=True))
    else:
        losses, count = crop_losses(teacher, data, data.targets(annotators), images)
        learn(teacher, losses, count, CROPS, steps, rate, seed)
        weights.parent.mkdir(parents=True, exist_ok=True)
        torch.save(teacher.state_dict(), weights)
    teacher.eval()

    def make(image_id: int) -> dict[str, np.ndarray]:
        people = [annotators(one) for one in data.people(image_id)]
        return dense_labels(teacher, data.image(image_id), people, how.mirrored, how.anchored)

    return make


def nearest_maker(data: RenderedSet, annotators: Annotators) -> Maker:
    """What makes the nearest points' labels of an image."""
    return lambda image_id: dict(
        zip(ARRAYS, nearest_labels([annotators(one) for one in data.people(image_id)], SIZE_HW), strict=True)
    )


def write_labels(folder: Path, image_ids: Sequence[int], maker: Callable[[], Maker]) -> bool:
    """Write the labels <image id>.npz of those images that have none yet; return whether there were such."""
    missing = [image_id for image_id in image_ids if not (folder / f"{image_id}.npz").exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        make = maker()
        for image_id in missing:
            file = BytesIO()
            np.savez_compressed(file, **make(image_id))
            atomic_write(folder / f"{image_id}.npz", file.getvalue())
    return bool(missing)


def read_labels(folder: Path, images: int, image_id: int) -> DenseLabels:
    """Dense labels of an image; none beyond the first so many."""
    if image_id > images:
        i, person = np.zeros((2, *SIZE_HW), np.uint8)
        u, v = np.zeros((2, *SIZE_HW), np.float32)
        return DenseLabels(i, u, v, person)
    with np.load(folder / f"{image_id}.npz") as labels:
        return DenseLabels(*(labels[name] for name in ARRAYS))


def balanced(labels: DenseLabels, seed: int = 0) -> DenseLabels:
    """Leave out pixels at random so that no part of a person has more of them than the person's median part: annotators
    give each part nearly as many points, however large it is, and it is at points that networks are measured."""
    number = 15 * labels.person.astype(int) + CHART_TO_PART[labels.i]  # of person and part
    count = np.bincount(number.ravel(), minlength=15 * 256).reshape(256, 15)
    count[:, 0] = 0
    most = np.array([np.median(one[one > 0]) if one.any() else 0 for one in count])
    share = np.minimum(1, most[:, None] / np.maximum(count, 1)).ravel()
    kept = np.random.default_rng(seed).random(labels.i.shape) < share[number]
    return labels._replace(i=labels.i * kept)


def nearest_labels(people: list[DenseAnnotation], size_hw: tuple[int, int]) -> DenseLabels:
    """Dense labels in which each pixel of a part mask has the I, U, V of the nearest annotated point of its part."""
    i, person = np.zeros((2, *size_hw), np.uint8)
    u, v = np.zeros((2, *size_hw), np.float32)
    for k, one in enumerate(people, start=1):
        if not one.is_annotated:
            continue
        parts = parts_of_pixels(one.mask, one.box_xyxy, size_hw)
        row, column = np.nonzero(parts)
        x, y = one.point_xy.T
        away = np.hypot(column[:, None] + 0.5 - x, row[:, None] + 0.5 - y).astype(np.float32)
        away[CHART_TO_PART[one.i][None] != parts[row, column][:, None]] = np.inf
        best = away.argmin(1)
        known = np.isfinite(away[np.arange(len(best)), best])
        row, column, best = row[known], column[known], best[known]
        i[row, column], u[row, column], v[row, column], person[row, column] = one.i[best], one.u[best], one.v[best], k
    return DenseLabels(i, u, v, person)
