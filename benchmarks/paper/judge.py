"""Figures of a trained network on a rendered set: at the true boxes, and on people found.

Letters: R regions, K people.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from opendensepose import Predictor
from opendensepose.evaluate import load_distances
from opendensepose.evaluation.errors import Labels, point_errors
from opendensepose.evaluation.measures import AnnotatedImage, Measures, measure
from opendensepose.evaluation.people import DetectedPerson, annotated_person, box_xywh, detected_person
from opendensepose.evaluation.rcp import auc
from opendensepose.instance import DenseAnnotation
from opendensepose.models.outputs import ChartOutput
from opendensepose.models.rcnn.cascade import CascadeRCNN
from opendensepose.models.rcnn.decode import decode_region, whole_pixels
from opendensepose.models.targets import DenseLabels
from opendensepose.part_grid import parts_of_pixels
from opendensepose.surface import CHART_TO_PART
from paper.features import as_tensor
from paper.networks import FrozenFCN
from paper.people import SIZE_HW, RenderedSet

MIN_SCORE = 0.05  # AP counts detections of low confidence too, in their order
REGIONS = 32  # labelled at once
LABEL_PIXELS = 100  # of a person, at which dense labels are measured
LIMITS_M = {"auc10": 0.1, "auc30": 0.3}


class Judge:
    """Measures networks on a set, of which boxes and pooled features are kept on disk."""

    def __init__(self, data: RenderedSet):
        self.data = data

    @cached_property
    def distances(self):
        return load_distances()

    @cached_property
    def found(self) -> tuple[Tensor, np.ndarray, np.ndarray]:
        """Boxes (R, 4), row of the image and score (R,) of people whom the default model finds: the detector is common
        to all region networks."""
        path = self.data.cache / "found.json"
        if not path.exists():
            predictor = Predictor(min_score=MIN_SCORE)
            rows = []
            for n, image_id in enumerate(self.data.ids):
                for one in predictor(self.data.image(image_id)):
                    rows.append([*one.box_xyxy.tolist(), n, one.score])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(rows))
        rows = np.array(json.loads(path.read_text()))
        return torch.from_numpy(rows[:, :4].astype(np.float32)), rows[:, 4].astype(int), rows[:, 5]

    def figures(self, network: CascadeRCNN | FrozenFCN) -> tuple[dict[str, float], np.ndarray]:
        """Figures by name; and of each annotated person (4, K) float32 the sums over their points of what AUC10, AUC30
        count, at true boxes and on people found."""
        numbers: dict[str, float] = {}
        sums = []
        for name, detections in self.detections(network).items():
            measures = self.measured(detections)
            error_m = measures.error_m
            numbers |= {f"{name}_{key}": auc(error_m, limit) for key, limit in LIMITS_M.items()}
            gps = measures.gps["kappa"].numbers()
            numbers |= {f"{name}_{key}": gps[key] for key in ("ap", "ap50", "ar")}
            numbers[f"{name}_missed"] = float(np.isinf(error_m).mean())
            finite = error_m[np.isfinite(error_m)]
            numbers[f"{name}_auc30_of_labelled"] = auc(finite, 0.3)
            sums += [[np.maximum(0, 1 - one.error_m / a).sum() for one in measures.people] for a in LIMITS_M.values()]
        return numbers, np.array(sums, np.float32)

    def detections(self, network: CascadeRCNN | FrozenFCN) -> dict[str, list[list[DetectedPerson]]]:
        """Of each image, with the true boxes and with people found."""
        if isinstance(network, FrozenFCN):
            prepared = network.prepare()
            images = [self.data.image(image_id) for image_id in self.data.ids]
            boxes, image, _ = self.data.boxes
            at_boxes = [prepared.label([one], [boxes[image == n].numpy()])[0] for n, one in enumerate(images)]
            found = [prepared.find([one], MIN_SCORE)[0] for one in images]
            pairs = {"boxes": at_boxes, "found": found}
            return {
                name: [[detected_person(one.box_xyxy, one.score, one.iuv) for one in people] for people in every]
                for name, every in pairs.items()
            }
        true, image, _ = self.data.boxes
        boxes, found_image, score = self.found
        return {
            "boxes": self._regions(network, true, image, np.ones(len(true)), "true"),
            "found": self._regions(network, boxes, found_image, score, "found"),
        }

    @torch.inference_mode()
    def _regions(
        self, network: CascadeRCNN, boxes: Tensor, image: np.ndarray, score: np.ndarray, name: str
    ) -> list[list[DetectedPerson]]:
        features = self.data.pooled_boxes(boxes, image, name)
        detections: list[list[DetectedPerson]] = [[] for _ in self.data.ids]
        for start in range(0, len(boxes), REGIONS):
            rows = slice(start, start + REGIONS)
            x = network.regions([as_tensor(features[rows])], [boxes[rows]])
            output = network.stages(x, charts_only=True)[-1].charts
            for k, (box, n, sure) in enumerate(zip(boxes[rows].numpy(), image[rows], score[rows], strict=True)):
                x0, y0, width, height = whole_pixels(box)
                one = ChartOutput(*(None if maps is None else maps[k] for maps in output))
                labels, _ = decode_region(one, (height, width))
                detections[n].append(DetectedPerson(box_xywh(box), float(sure), labels, np.array([x0, y0])))
        return detections

    def measured(self, detections: list[list[DetectedPerson]]) -> Measures:
        """The measures of detections of each image; masks are left out."""

        def images() -> Iterator[AnnotatedImage]:
            for image_id, found in zip(self.data.ids, detections, strict=True):
                people = [annotated_person(replace(one, mask=None), SIZE_HW) for one in self.data.people(image_id)]
                yield AnnotatedImage(image_id, SIZE_HW, people, found)

        return measure(images(), self.distances, normalisers=("kappa",))

    @cached_property
    def num_points(self) -> np.ndarray:
        """Of each annotated person (K,), in the order of `figures`."""
        return np.array([len(one.error_m) for one in self.measured([[] for _ in self.data.ids]).people])

    def label_quality(self, labels_of, images: int) -> dict[str, float]:
        """How good dense labels (image id -> DenseLabels) are at random pixels of the part masks of the first images,
        against the renderer's."""
        rng, errors, right = np.random.default_rng(0), [], []
        for image_id in self.data.ids[:images]:
            truth, labels = self.data.truth(image_id), labels_of(image_id)
            for k in range(1, truth.person.max() + 1):
                place = np.argwhere((truth.person == k) & (labels.i > 0))
                row, column = place[rng.permutation(len(place))[:LABEL_PIXELS]].T
                true, said = (
                    Labels(one.i[row, column], one.u[row, column], one.v[row, column]) for one in (truth, labels)
                )
                errors.append(point_errors(true, said, self.distances))
                right.append(true.i == said.i)
        error = np.concatenate(errors)
        return {
            "chart_right": float(np.concatenate(right).mean()),
            "median_cm": 100 * float(np.median(error)),
            "auc10": auc(error, 0.1),
            "auc30": auc(error, 0.3),
        }


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
