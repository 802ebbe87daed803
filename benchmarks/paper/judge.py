"""Figures of a trained network on a rendered set: at the true boxes, and on people found.

Letters: R regions, K people.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from opendensepose import Predictor
from opendensepose.evaluate import load_distances
from opendensepose.evaluation.errors import Labels, point_errors
from opendensepose.evaluation.measures import AnnotatedImage, Measures, measure
from opendensepose.evaluation.people import DetectedPerson, annotated_person, box_xywh, detected_person, labels_at
from opendensepose.evaluation.rcp import auc
from opendensepose.models.outputs import ChartOutput
from opendensepose.models.rcnn.cascade import CascadeRCNN
from opendensepose.models.rcnn.decode import decode_region, whole_pixels
from opendensepose.models.targets import DenseLabels
from paper.features import as_tensor
from paper.networks import FrozenFCN
from paper.people import SIZE_HW, RenderedSet

MIN_SCORE = 0.05  # AP counts detections of low confidence too, in their order
REGIONS = 32  # labelled at once
PIXELS = 100  # of a person, at which dense labels and networks are measured
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
            return self._components(network)
        true, image, _ = self.data.boxes
        boxes, found_image, score = self.found
        return {
            "boxes": self._regions(network, true, image, np.ones(len(true)), "true"),
            "found": self._regions(network, boxes, found_image, score, "found"),
        }

    def _components(self, network: FrozenFCN) -> dict[str, list[list[DetectedPerson]]]:
        prepared, (boxes, row, _) = network.prepare(), self.data.boxes
        every: dict[str, list[list[DetectedPerson]]] = {"boxes": [], "found": []}
        for n, image_id in enumerate(self.data.ids):
            image = self.data.image(image_id)
            with torch.inference_mode():
                decoded = list(prepared._decoded([image]))  # once for both: it takes most of the time
            prepared.__dict__["_decoded"] = lambda _, decoded=decoded: decoded
            people = prepared.label([image], [boxes[row == n].numpy()])[0], prepared.find([image], MIN_SCORE)[0]
            del prepared.__dict__["_decoded"]
            for of_set, found in zip(every.values(), people, strict=True):
                of_set.append([detected_person(one.box_xyxy, one.score, one.iuv) for one in found])
        return every

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

    def at_random_pixels(self, network: CascadeRCNN) -> dict[str, float]:
        """Figures at PIXELS random pixels of each person's body at true boxes, not at points, of which annotators give
        small parts nearly as many as large ones, and none near outlines."""
        boxes, image, person = self.data.boxes
        people = iter(zip(image, person, strict=True))
        rng, errors = np.random.default_rng(0), []
        for found in self._regions(network, boxes, image, np.ones(len(boxes)), "true"):
            for detection in found:
                n, k = next(people)
                truth = self.data.truth(self.data.ids[n])
                place = np.argwhere(truth.person == k + 1)
                row, column = place[rng.permutation(len(place))[:PIXELS]].T
                true = Labels(truth.i[row, column], truth.u[row, column], truth.v[row, column])
                said = labels_at(detection, np.stack([column, row], 1) + 0.5)
                errors.append(point_errors(true, said, self.distances))
        error = np.concatenate(errors)
        return {name: auc(error, limit) for name, limit in LIMITS_M.items()} | {"missed": float(np.isinf(error).mean())}

    def measured(self, detections: list[list[DetectedPerson]]) -> Measures:
        """The measures of detections of each image; masks are left out."""

        def images() -> Iterator[AnnotatedImage]:
            for image_id, found in zip(self.data.ids, detections, strict=True):
                people = [annotated_person(replace(one, mask=None), SIZE_HW) for one in self.data.people(image_id)]
                yield AnnotatedImage(image_id, SIZE_HW, people, found)

        return measure(images(), self.distances, normalisers=("kappa",))

    @cached_property
    def people(self) -> np.ndarray:
        """Of each annotated person, in the order of `figures`, (K, 3): number of points, height in pixels, and IoU in
        per cent of the detector's box that fits best."""
        people, rows = self.measured([[] for _ in self.data.ids]).people, []
        boxes, image, _ = self.found
        for one in people:
            own = boxes[image == self.data.ids.index(one.image_id)]
            true = torch.from_numpy(one.box_xyxy[None].astype(np.float32))
            iou = float(box_iou(own, true).max()) if len(own) else 0.0
            rows.append([len(one.error_m), one.box_xyxy[3] - one.box_xyxy[1], 100 * iou])
        return np.array(rows)

    def label_quality(self, labels_of: Callable[[int], DenseLabels], images: int) -> dict[str, float]:
        """How good dense labels (image id -> DenseLabels) are at random pixels of the part masks of the first images,
        against the renderer's."""
        rng, errors, right = np.random.default_rng(0), [], []
        for image_id in self.data.ids[:images]:
            truth, labels = self.data.truth(image_id), labels_of(image_id)
            for k in range(1, truth.person.max() + 1):
                place = np.argwhere((truth.person == k) & (labels.i > 0))
                row, column = place[rng.permutation(len(place))[:PIXELS]].T
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
