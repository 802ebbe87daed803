"""Measures of many images, each scored once by one of many workers: `evaluate` with `--ray`, or of shards.

What is measured of an image, and how all are joined, is `evaluation.measures`' own: the figures do not depend on who
scored which image.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from opendensepose.data import read_annotations
from opendensepose.evaluate.inputs import AnnotatedPeople, Predictions, annotated_images, open_predictions
from opendensepose.evaluate.measure_files import Evaluation, load_distances
from opendensepose.evaluation.errors import LabelDistances
from opendensepose.evaluation.gps import NORMALISERS
from opendensepose.evaluation.measures import join_scores, score_images
from opendensepose.evaluation.people import DetectedPerson, box_xywh
from opendensepose.iuv import IUV
from opendensepose.scale.addresses import base_name, is_remote, join, local_copy, names_in
from opendensepose.scale.rows import Row
from opendensepose.scale.run import run_tasks
from opendensepose.scale.shards import PHOTOS, read_photo_names, read_shard
from opendensepose.scale.tasks import Done, Reports, Task, TaskFailed, Worker

__all__ = ["EvaluationJob", "ShardPredictions", "evaluate_many"]

IMAGES_OF_A_TASK = 200


class ShardPredictions:
    """The people in shards that `scale.predict_shards` wrote: a photo's name is the image's whose file_name has its
    stem. ValueError if no photo is of an image of the annotations, or two are of one."""

    def __init__(self, out: str, truth: AnnotatedPeople):
        self.out, self.truth = out, truth
        self.shard_of: dict[str, str] = {}
        for name in sorted(names_in(join(out, PHOTOS))):
            for photo in read_photo_names(join(join(out, PHOTOS), name)):
                stem = Path(base_name(photo)).stem
                if stem in self.shard_of:
                    raise ValueError(f"{out} has two photos {stem}: which one is the annotated image is not known.")
                self.shard_of[stem] = name
        stems = [self._stem(image_id) for image_id in truth.file.images]
        missing = sum(stem not in self.shard_of for stem in stems)
        if missing == len(stems):
            raise ValueError(f"{out} has no photo that {truth.file.name} names, so nothing can be measured.")
        self.remarks = []
        if missing:
            self.remarks.append(f"{missing} of {len(stems)} images have no row in {out}: all their people are missed.")
        self._opened: tuple[str, dict[str, Row]] = ("", {})

    def _stem(self, image_id: int) -> str:
        return Path(str(self.truth.file.images[image_id].get("file_name", image_id))).stem

    def people_in(self, image_id: int) -> list[DetectedPerson]:
        stem, size_hw = self._stem(image_id), self.truth.size_hw(image_id)
        if stem not in self.shard_of:
            return []
        row = self._rows(self.shard_of[stem])[stem]
        if tuple(row["size_hw"]) != size_hw:
            raise ValueError(f"{row['photo']} has {tuple(row['size_hw'])} pixels, but the annotated image {size_hw}.")
        people, num_people = [], len(row["corners_xy"])
        # As in files of photos: where a model has no confidence, it is 1 everywhere.
        is_known = any((row[f"labels_{k}"][3][row[f"labels_{k}"][0] > 0] < 255).any() for k in range(num_people))
        for k, corner_xy in enumerate(row["corners_xy"]):
            labels = row[f"labels_{k}"]
            u, v, confidence = labels[1:].astype(np.float32) / 255
            people.append(
                DetectedPerson(
                    box_xywh(row["boxes_xyxy"][k]),
                    float(row["scores"][k]),
                    IUV(labels[0], u, v),
                    np.array(corner_xy),
                    confidence=confidence if is_known else None,
                )
            )
        return people

    def _rows(self, shard: str) -> dict[str, Row]:
        """The rows of a shard by stem; the last one is kept."""
        if self._opened[0] != shard:
            rows = read_shard(join(join(self.out, PHOTOS), shard))
            self._opened = shard, {Path(base_name(row["photo"])).stem: row for row in rows}
        return self._opened[1]


@dataclass(frozen=True)
class EvaluationJob:
    """Scores the images whose ids are a task's items."""

    predictions: str
    annotations: str
    assets: str | None
    normalisers: tuple[str, ...]

    def start(self) -> Worker:
        truth, predicted = open_both(self.predictions, self.annotations)
        return partial(self._work, truth, predicted, load_distances(self.assets))

    def _work(
        self, truth: AnnotatedPeople, predicted: Predictions, distances: LabelDistances, task: Task
    ) -> Iterator[int | Done]:
        reports = Reports(task)
        if reports.is_due():
            yield 0
        images = annotated_images(truth, predicted, task.items)
        yield Done(len(task.items), result=(distances.surface, score_images(images, distances, self.normalisers)))


def open_both(predictions: str, annotations: str) -> tuple[AnnotatedPeople, Predictions]:
    """Read an annotation file and predictions: what `evaluate.open_predictions` opens, or shards, at any address.

    FileNotFoundError or ValueError, one sentence, if either is not there or not what it should be.
    """
    with ExitStack() as stack:
        truth = AnnotatedPeople(read_annotations(stack.enter_context(local_copy(annotations))))
        if names_in(join(predictions, PHOTOS)):
            return truth, ShardPredictions(predictions, truth)
        if not is_remote(predictions):
            return truth, open_predictions(Path(predictions), truth)
        return truth, open_predictions(stack.enter_context(local_copy(predictions)), truth)


def evaluate_many(
    predictions: str,
    annotations: str,
    *,
    normaliser: str | None = None,
    assets: str | None = None,
    workers: int | None = None,
    ray: str | None = None,
    on_image: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure as `evaluate.evaluate_files` does, on this machine or a cluster; predictions may be shards too.

    predictions, annotations: addresses that every worker can read. workers, ray: see `run_tasks`. ValueError also if a
    part of the images could not be measured.
    """
    if normaliser is not None and normaliser not in NORMALISERS:
        raise ValueError(f"the normaliser must be one of {', '.join(NORMALISERS)}, got {normaliser!r}.")
    normalisers = (normaliser,) if normaliser else tuple(NORMALISERS)
    truth, predicted = open_both(predictions, annotations)
    ids = list(truth.file.images)
    starts = range(0, len(ids), IMAGES_OF_A_TASK)
    tasks = [Task(k, ids[start : start + IMAGES_OF_A_TASK]) for k, start in enumerate(starts)]
    parts, num_done, surface = {}, 0, ""
    job = EvaluationJob(predictions, annotations, assets, normalisers)
    for task, end in run_tasks(job, tasks, workers=workers, ray=ray):
        if isinstance(end, TaskFailed):
            raise ValueError(f"images {task.items[0]} to {task.items[-1]} could not be measured: {end.sentence}")
        surface, parts[task.number] = end.result
        num_done += end.num_items
        if on_image:
            on_image(num_done, len(ids))
    measures = join_scores([parts[number] for number in sorted(parts)], surface, normalisers)
    return Evaluation(measures, truth, predicted)
