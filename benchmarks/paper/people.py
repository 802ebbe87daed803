"""The rendered sets: images, annotations, changed ones too, and the encoder's features of images, regions and crops.

Letters: N images, K people of an image, R regions, M points.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from opendensepose.data.coco import read_annotations
from opendensepose.data.photos import read_photo
from opendensepose.instance import DenseAnnotation
from opendensepose.models.fcn.teacher import Teacher, crop_region, crop_targets
from opendensepose.models.targets import DenseLabels, Targets
from opendensepose.render import render_dataset
from opendensepose.training.annotated.images import annotated_sample, to_targets
from paper.features import CELLS, CHANNELS, STRIDES, FrozenEncoder, as_tensor, cached, pooled
from paper.networks import TEACHER_SIDE

SIZE_HW, PEOPLE = (480, 640), (1, 5)
SEEDS = {"train": 1, "test": 2, "select": 3}
VARIANTS = 4  # boxes of a person to learn from: the true one and three near it
LEAST_IOU = 0.7
SHIFT, STRETCH = 0.12, 0.18  # of a box's sides, uniform, in each direction
CROP_VARIANTS, CROP_JITTER = 2, 1.35  # of a person for the teacher; regions are up to so many times as large or small


@dataclass(frozen=True)
class Annotators:
    """What the annotations of a set are like. share: of the points that are kept. noise: standard deviation of the
    error of U and of V. seed: of both."""

    share: float = 1.0
    noise: float = 0.0
    seed: int = 0

    def __call__(self, person: DenseAnnotation) -> DenseAnnotation:
        """The person as these annotators would have left them."""
        if (self.share, self.noise) == (1.0, 0.0):
            return person
        rng = np.random.default_rng([self.seed, person.annotation_id])
        number = len(person.i)
        kept = np.sort(rng.permutation(number)[: max(1, round(self.share * number))]) if number else slice(None)
        error = rng.normal(0, self.noise, (2, number))
        u, v = (
            np.clip(one + more, 0, 1)[kept].astype(np.float32)
            for one, more in zip((person.u, person.v), error, strict=True)
        )
        return replace(person, point_xy=person.point_xy[kept], i=person.i[kept], u=u, v=v)


class RenderedSet:
    """Images 1 to `count` of a rendered set, version 1 of the renderer, whose pictures need nothing fetched."""

    def __init__(self, name: str, out: Path, count: int, encoder: FrozenEncoder):
        self.folder, self.cache, self.encoder = out / name, out / f"{name}_features", encoder
        render_dataset(
            self.folder, count=count, seed=SEEDS[name], size_hw=SIZE_HW, people_range=PEOPLE, version=1,
            show_progress=False,
        )  # fmt: skip
        self.ids = list(range(1, count + 1))

    @cached_property
    def every(self) -> dict[int, list[DenseAnnotation]]:
        """The people of each image; decoding their masks takes a minute."""
        document = read_annotations(self.folder / "annotations.json")
        return {image_id: document.people(image_id) for image_id in self.ids}

    def image(self, image_id: int) -> np.ndarray:
        """(H, W, 3) uint8."""
        return read_photo(self.folder / "images" / f"{image_id:012d}.jpg")

    def people(self, image_id: int) -> list[DenseAnnotation]:
        return self.every[image_id]

    def targets(self, annotators: Annotators, dense: Callable[[int], DenseLabels] | None = None) -> list[Targets]:
        """What is learned from each image. dense: the dense labels of an image, kept as float16."""
        found = []
        for image_id in self.ids:
            people = [annotators(one) for one in self.people(image_id)]
            sample = annotated_sample(np.zeros((1, 1, 3), np.uint8), people)
            target = to_targets(sample)[1]
            if dense is not None:
                i, u, v, person = (torch.from_numpy(one) for one in dense(image_id))
                target = replace(target, dense=DenseLabels(i, u.half(), v.half(), person))
            found.append(target)
        return found

    def truth(self, image_id: int) -> DenseLabels:
        """The renderer's labels; persons numbered as the annotations are."""
        with np.load(self.folder / "dense" / f"{image_id}.npz") as labels:
            i, u, v, person = (labels[name] for name in ("I", "U", "V", "instance"))
        row = np.zeros(256, np.uint8)
        for k, one in enumerate(self.people(image_id), start=1):
            row[one.annotation_id % 100] = k  # see render._PEOPLE_PER_IMAGE_ID
        return DenseLabels(i * (row[person] > 0), u, v, row[person])

    @cached_property
    def levels(self) -> list[np.ndarray]:
        """Features (N, C, h, w) of the images at each stride."""
        paths = [self.cache / f"stride{stride}.npy" for stride in STRIDES]
        if not all(path.exists() for path in paths):
            found: list[list[np.ndarray]] = [[] for _ in STRIDES]
            for image_id in self.ids:
                for one, level in zip(found, self.encoder(_batch(self.image(image_id))), strict=True):
                    one.append(level.half().numpy())
            for path, one in zip(paths, found, strict=True):
                cached(path, (len(one), *one[0].shape[1:]), lambda one=one: one)
        return [np.load(path, mmap_mode="r") for path in paths]

    @cached_property
    def boxes(self) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """All annotated people: boxes (R, 4), row of the image and row of the image's people (R,)."""
        every = [
            (one.box_xyxy, n, k)
            for n, image_id in enumerate(self.ids)
            for k, one in enumerate(self.people(image_id))
            if one.is_annotated
        ]
        boxes, image, person = zip(*every, strict=True)
        return torch.from_numpy(np.array(boxes, np.float32)), np.array(image), np.array(person)

    @cached_property
    def variants(self) -> Tensor:
        """Boxes to learn from (R, VARIANTS, 4), the first of each the true one."""
        rng = np.random.default_rng(SEEDS["train"])
        return torch.stack([torch.stack([box, *_near(box, rng, VARIANTS - 1)]) for box in self.boxes[0]])

    def pooled_people(self, boxes: Tensor, name: str) -> np.ndarray:
        """Pooled features (R V, 536, P, P) of V boxes (R, V, 4) of each person, those of one after another."""
        return self.pooled_boxes(boxes.flatten(0, 1), np.repeat(self.boxes[1], boxes.shape[1]), name)

    def pooled_boxes(self, boxes: Tensor, image: np.ndarray, name: str) -> np.ndarray:
        """Pooled features (R, 536, P, P) of boxes (R, 4) of images (R,) in ascending order."""

        def blocks() -> Iterator[np.ndarray]:
            for n in np.unique(image):
                levels = [as_tensor(level[n : n + 1]) for level in self.levels]
                yield pooled(levels, boxes[image == n]).half().numpy()

        shape = (len(boxes), sum(CHANNELS), CELLS, CELLS)
        return cached(self.cache / f"{name}.npy", shape, blocks)

    @cached_property
    def crop_regions(self) -> Tensor:
        """What the teacher sees of each person (R, CROP_VARIANTS, 4), the first at the usual scale."""
        rng = np.random.default_rng(SEEDS["train"])
        factors = CROP_JITTER ** rng.uniform(-1, 1, (len(self.boxes[0]), CROP_VARIANTS))
        factors[:, 0] = 1
        return torch.stack(
            [
                torch.stack([crop_region(box, factor) for factor in of_box])
                for box, of_box in zip(self.boxes[0], factors.tolist(), strict=True)
            ]
        )

    def crops(self, teacher: Teacher) -> list[np.ndarray]:
        """Features (R CROP_VARIANTS, C, h, w) of what a teacher sees of each person, at each stride."""
        folder = self.cache / ("crops_with_background" if teacher.background else "crops")
        paths = [folder / f"stride{stride}.npy" for stride in STRIDES]
        if not all(path.exists() for path in paths):
            found: list[list[np.ndarray]] = [[] for _ in STRIDES]
            masks = [one.parts for one in self.targets(Annotators())]
            for box, n, k, regions in zip(*self.boxes, self.crop_regions, strict=True):
                photo = _batch(self.image(self.ids[n]))[0]
                crops = [teacher.crop(photo, one, masks[n][k], box, TEACHER_SIDE) for one in regions]
                for one, level in zip(found, self.encoder(torch.stack(crops)), strict=True):
                    one.append(level.half().numpy())
            for path, one in zip(paths, found, strict=True):
                cached(path, (sum(map(len, one)), *one[0].shape[1:]), lambda one=one: one)
        return [np.load(path, mmap_mode="r") for path in paths]

    def crop_targets(self, targets: list[Targets]) -> list[Targets]:
        """What is known of each of the teacher's crops."""
        _, image, person = self.boxes
        return [
            crop_targets(targets[n], k, region, TEACHER_SIDE)
            for n, k, regions in zip(image, person, self.crop_regions, strict=True)
            for region in regions
        ]


def _batch(image_rgb: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(image_rgb)).permute(2, 0, 1)[None]


def _near(box: Tensor, rng: np.random.Generator, count: int) -> Iterator[Tensor]:
    """Boxes near one, with an IoU of at least LEAST_IOU, inside the image."""
    limit = torch.tensor([SIZE_HW[1], SIZE_HW[0]] * 2, dtype=torch.float32)
    side = box[2:] - box[:2]
    while count:
        shift = torch.from_numpy(rng.uniform(-SHIFT, SHIFT, 2).astype(np.float32)) * side
        half = torch.from_numpy(np.exp(rng.uniform(-STRETCH, STRETCH, 2)).astype(np.float32)) * side / 2
        centre = (box[:2] + box[2:]) / 2 + shift
        found = torch.minimum(torch.cat([centre - half, centre + half]).clamp(min=0), limit)
        if box_iou(found[None], box[None]) >= LEAST_IOU:
            count -= 1
            yield found


def window_of(targets: Targets, low: tuple[int, int], side: int) -> Targets:
    """The targets of a square window whose first pixel is low x, y; people are not cut, what lies outside teaches
    nothing."""
    offset = torch.tensor(low, dtype=torch.float32)
    dense = targets.dense
    if dense is not None:
        dense = DenseLabels(*(one[low[1] : low[1] + side, low[0] : low[0] + side] for one in dense))
        dense = dense._replace(u=dense.u.float(), v=dense.v.float())
    keypoints = targets.keypoints.clone()
    keypoints[..., :2] -= offset
    return replace(
        targets,
        boxes=targets.boxes - offset.repeat(2),
        keypoints=keypoints,
        point_xy=targets.point_xy - offset,
        ignored=targets.ignored - offset.repeat(2),
        dense=dense,
    )
