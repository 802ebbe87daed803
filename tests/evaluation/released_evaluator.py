"""The released evaluator's algorithm (detectron2's DensePoseCocoEval), written plainly, to compare the measures with.

Loops over images, thresholds, people, detections and points; nothing is computed for many at once. Inputs are the
content of the files. COCO's library draws polygons and run-length codes, and scipy stretches part masks, as there.

QUIRKS names where our measures differ on purpose, as docs/how_to/evaluate.md lists them. Without them the algorithm
does what ours does; with a quirk, what the released one does.
"""

import base64
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from PIL import Image
from pycocotools import mask as rle
from scipy.ndimage import zoom

QUIRKS = {"id 0 is no match", "regions wrap round", "other crops stay", "squares in float32"}
THRESHOLDS = np.linspace(0.5, 0.95, 10).tolist()
RECALLS = np.linspace(0, 1, 101).tolist()  # 35 * 0.01, not 0.35: recalls of people in twentieths tell the two apart
SIZES = {"": (0, 1e10), "_m": (32**2, 96**2), "_l": (96**2, 1e10)}
# torso, hands, feet, upper legs, lower legs, upper arms, lower arms, head
PART_METRES = (0.351, 0.107, 0.126, 0.237, 0.173, 0.142, 0.128, 0.150)
PART_OF_CHART = (0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7)


@dataclass
class Body:
    """The assets: chart (n,), uv (n, 2), number (n,) from 1 of each vertex, and the square matrix of distances."""

    chart: np.ndarray
    uv: np.ndarray
    number: np.ndarray
    matrix: np.ndarray

    def nearest(self, chart: int, u: float, v: float) -> int:
        best, found = np.inf, None
        for vertex in range(len(self.chart)):
            if self.chart[vertex] == chart:
                apart = np.sqrt((self.uv[vertex, 0] - u) ** 2 + (self.uv[vertex, 1] - v) ** 2)
                if apart < best:
                    best, found = apart, vertex
        return found

    def distance(self, one: int, other: int) -> np.floating:
        return self.matrix[self.number[one] - 1, self.number[other] - 1]


@dataclass
class Pairs:
    """One image: its people, its most confident detections, and what each pair has in common: [detection][person]."""

    people: list[dict]
    detections: list[dict]
    gps: list[list[float]] = field(default_factory=list)
    mask: list[list[float]] = field(default_factory=list)
    box: list[list[float]] = field(default_factory=list)


class ReleasedEvaluator:
    """document: of annotations; results: a results file's entries; normaliser: "part" as released, or "kappa"."""

    def __init__(self, document, results, body: Body, *, normaliser="part", quirks=frozenset()):
        assert quirks <= QUIRKS
        self.document, self.body, self.normaliser, self.quirks = document, body, normaliser, quirks
        self.by_image: dict[int, list[dict]] = {}
        for place, entry in enumerate(results, start=1):
            x, y, w, h = entry["bbox"]
            detection = {**entry, "id": place, "area": w * h, "labels": labels_of(entry)}
            self.by_image.setdefault(entry["image_id"], []).append(detection)
        images = sorted(document["images"], key=lambda image: image["id"])
        self.images = [self._pairs(image) for image in images]

    def figures(self, kind: str) -> dict[str, float]:
        """AP and AR of "gps", "gpsm" or "mask"; NaN where there is nobody of the size."""
        found = {}
        for suffix, size in SIZES.items():
            outcomes = [match(*self._for_matching(pairs, kind), size, self.quirks) for pairs in self.images]
            precision, recall = accumulate(outcomes)
            found |= {f"ap{suffix}": mean(sum(precision, [])), f"ar{suffix}": mean(recall)}
            if not suffix:
                for name, t in (("50", 0), ("75", 5)):
                    found |= {f"ap{name}": mean(precision[t]), f"ar{name}": recall[t]}
        return found

    def _for_matching(self, pairs: Pairs, kind: str) -> tuple:
        similarity = pairs.mask if kind == "mask" else pairs.gps
        if kind == "gpsm":
            similarity = [
                [(gps * iou) ** 0.5 for gps, iou in zip(*rows, strict=True)]
                for rows in zip(pairs.gps, pairs.mask, strict=True)
            ]
        return pairs.people, pairs.detections, similarity, pairs.box

    def _pairs(self, image: dict) -> Pairs:
        region = region_of(image)
        people = [
            {**one, "left_out": "dp_x" not in one}
            for one in self.document["annotations"]
            if one["image_id"] == image["id"] and self._box_stays(one, region)
        ]
        detections = [one for one in self.by_image.get(image["id"], []) if self._labels_stay(one, region)]
        pairs = Pairs(people, sorted(detections, key=lambda one: -one["score"])[:20])
        foregrounds = [person_pixels(person, image) for person in people]
        for detection in pairs.detections:
            own = placed_pixels(detection["labels"][..., 0] > 0, detection["bbox"], image)
            pairs.gps.append([0.0 if one["left_out"] else self._gps(detection, one) for one in people])
            pairs.box.append([box_iou(detection["bbox"], one["bbox"], one.get("iscrowd", 0)) for one in people])
            pairs.mask.append(
                [pixel_iou(own, pixels, one.get("iscrowd", 0)) for one, pixels in zip(people, foregrounds, strict=True)]
            )
        return pairs

    def _gps(self, detection: dict, person: dict) -> float:
        (x, y, w, h), (dx, dy, dw, dh) = person["bbox"], detection["bbox"]
        values, any_inside = [], False
        points = zip(*(person[f"dp_{name}"] for name in "xyIUV"), strict=True)
        for px, py, chart, u, v in points:
            column, row = int(px * w / 255 + x - dx), int(py * h / 255 + y - dy)
            inside = 0 <= column < int(dw) and 0 <= row < int(dh)
            any_inside = any_inside or inside
            i, red, blue = (int(value) for value in detection["labels"][row, column]) if inside else (0, 0, 0)
            metres = self._metres((int(chart), u, v), (i, red / 255, blue / 255)) if i else np.inf
            k = 0.255 if self.normaliser == "kappa" else PART_METRES[PART_OF_CHART[int(chart) - 1]]
            values.append(np.exp(-float(self._squared(metres)) / (2 * k**2)))
        return float(np.mean(values)) if any_inside else 0.0

    def _metres(self, true: tuple, said: tuple) -> float:
        return self.body.distance(self.body.nearest(*true), self.body.nearest(*said))

    def _squared(self, metres: float) -> float:
        return np.float32(metres) ** 2 if "squares in float32" in self.quirks else np.float64(metres) ** 2

    def _box_stays(self, person: dict, region) -> bool:
        if region is None:
            return True
        width, height = int(person["bbox"][2]), int(person["bbox"][3])
        return width * height > 0 and self._cut(region, person["bbox"]).sum() / width / height < 0.7

    def _labels_stay(self, detection: dict, region) -> bool:
        if region is None:
            return True
        x, y, w, h = (int(value) for value in detection["bbox"])
        cut = self._cut(region, detection["bbox"])
        if w * h == 0 or not cut.sum():
            return w * h > 0
        labels = detection["labels"][..., 0] > 0
        if "other crops stay" in self.quirks and labels.shape != cut.shape:
            return True
        both = size = 0
        for row, column in np.argwhere(labels):
            inside = 0 <= y + row < region.shape[0] and 0 <= x + column < region.shape[1]
            if inside and row < h and column < w:
                size += 1
                both += region[y + row, x + column]
        return both / size < 0.9 if size else True

    def _cut(self, region, box):
        x, y, w, h = (int(value) for value in box)
        right, bottom = min(x + w, region.shape[1]), min(y + h, region.shape[0])
        if "regions wrap round" not in self.quirks:
            x, y, right, bottom = max(x, 0), max(y, 0), max(right, 0), max(bottom, 0)
        return region[y:bottom, x:right]


def labels_of(entry: dict) -> np.ndarray:
    """The crop (h, w, 3) of a results file's entry."""
    return np.asarray(Image.open(BytesIO(base64.decodebytes(entry["uv_data"].encode()))))


def region_of(image: dict) -> np.ndarray | None:
    """The ignored region (H, W), or None."""
    if not image.get("ignore_regions_x"):
        return None
    polygons = [
        [value for corner in zip(x, y, strict=True) for value in corner]
        for x, y in zip(image["ignore_regions_x"], image["ignore_regions_y"], strict=True)
    ]
    return rle.decode(rle.merge(rle.frPyObjects(polygons, image["height"], image["width"]))) > 0


def person_pixels(person: dict, image: dict) -> set:
    """The annotated foreground's pixels."""
    if "dp_masks" in person:
        grid = np.zeros((256, 256))
        for code in person["dp_masks"][:14]:
            if code:
                grid[rle.decode(code) > 0] = 1
        _, _, w, h = person["bbox"]
        stretched = zoom(grid, (max(h, 1) / 256, max(w, 1) / 256), order=1, prefilter=False)
        return placed_pixels(stretched > 0.5, person["bbox"], image)
    segmentation = person.get("segmentation")
    if not segmentation:
        return set()
    if isinstance(segmentation, list):
        code = rle.merge(rle.frPyObjects(segmentation, image["height"], image["width"]))
    elif isinstance(segmentation["counts"], list):
        code = rle.frPyObjects(segmentation, image["height"], image["width"])
    else:
        code = segmentation
    return {tuple(pixel) for pixel in np.argwhere(rle.decode(code)).tolist()}


def placed_pixels(mask: np.ndarray, box, image: dict) -> set:
    """The pixels of a mask that begins at int(x), int(y) and is cut at int(x + w), int(y + h) and the image."""
    x, y, w, h = box
    pixels = set()
    for row, column in np.argwhere(mask).tolist():
        at_row, at_column = int(y) + row, int(x) + column
        if 0 <= at_row < min(int(y + h), image["height"]) and 0 <= at_column < min(int(x + w), image["width"]):
            pixels.add((at_row, at_column))
    return pixels


def pixel_iou(own: set, other: set, crowd: int) -> float:
    shared = len(own & other)
    return shared / (len(own) if crowd else len(own | other)) if shared else 0.0


def box_iou(own, other, crowd: int) -> float:
    width = min(own[0] + own[2], other[0] + other[2]) - max(own[0], other[0])
    height = min(own[1] + own[3], other[1] + other[3]) - max(own[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared, area = width * height, own[2] * own[3]
    return shared / (area if crowd else area + other[2] * other[3] - shared)


def match(people, detections, similarity, box, size, quirks=frozenset()) -> tuple[list, list, int]:
    """One image: at each threshold for each detection right or not (None: left out); the scores; how many people there
    are to find. people and detections: dicts with id, area, score, left_out, iscrowd."""
    low, high = size
    out = [bool(one["left_out"]) or not low <= one["area"] <= high for one in people]
    crowd = [bool(one.get("iscrowd", 0)) for one in people]
    everybody = range(len(people))
    matched_at, ignored_at, taken_at = [], [], []
    for threshold in THRESHOLDS:
        matched, ignored, taken = {}, [all(out)] * len(detections), set()
        for d in range(len(detections)):
            best, chosen = min(threshold, 1 - 1e-10), None
            for g in sorted(everybody, key=lambda g: out[g]):
                if g in taken and not crowd[g]:
                    continue
                if chosen is not None and not out[chosen] and out[g]:
                    break
                if similarity[d][g] >= best:
                    best, chosen = similarity[d][g], g
            if chosen is not None:
                ignored[d] = out[chosen]
                taken.add(chosen)
                if people[chosen]["id"] or "id 0 is no match" not in quirks:
                    matched[d] = chosen
        matched_at.append(matched)
        ignored_at.append(ignored)
        taken_at.append(taken)
    for d in range(len(detections)):
        free = [g for g in everybody if (g not in taken_at[-1] or crowd[g]) and box[d][g] >= 0.8]
        if d in matched_at[-1] or not free:
            continue
        most = max(box[d][g] for g in free)
        (g,) = [g for g in free if box[d][g] == most][-1:]
        for ignored in ignored_at:
            ignored[d] = out[g]
        if out[g]:
            matched_at[-1][d] = g
            taken_at[-1].add(g)
    right = []
    for matched, ignored in zip(matched_at, ignored_at, strict=True):
        row = []
        for d, one in enumerate(detections):
            other_size = d not in matched and not low <= one["area"] <= high
            row.append(None if ignored[d] or other_size else d in matched)
        right.append(row)
    return right, [one["score"] for one in detections], sum(not one for one in out)


def accumulate(outcomes: list[tuple[list, list, int]]) -> tuple[list[list[float]], list[float]]:
    """Precision at 101 recall points and recall, at each threshold; NaN if there is nobody to find."""
    scores = [score for _, of_image, _ in outcomes for score in of_image]
    order = sorted(range(len(scores)), key=lambda k: -scores[k])
    num_people = sum(one for _, _, one in outcomes)
    precision, recall = [], []
    for t in range(len(THRESHOLDS)):
        of_all = [right for rows, _, _ in outcomes for right in rows[t]]
        hits = counted = 0
        steps = []  # recall and precision after each detection
        for k in order:
            counted += of_all[k] is not None
            hits += of_all[k] is True
            steps.append((hits / num_people if num_people else 0, hits / counted if counted else 0.0))
        at = []
        for least in RECALLS:
            later = [p for reached, p in steps if reached >= least]
            at.append(float("nan") if not num_people else max(later, default=0.0))
        precision.append(at)
        recall.append(float("nan") if not num_people else steps[-1][0] if steps else 0.0)
    return precision, recall


def mean(values: list[float]) -> float:
    return sum(values) / len(values)
