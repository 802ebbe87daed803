"""The released evaluator's arithmetic, arranged as detectron2 arranges it: the baseline of `evaluate_speed.py`.

Three passes over all images, one for GPS, one for GPSm, one for mask IoU. In each, for every pair of a detection and a
person: both sides' points are snapped to vertices by a table of distances to all vertices of the chart, and the matrix
of distances is read point by point. For GPSm and IoU, masks are stretched by scipy, drawn into arrays of the image's
size and encoded as run-length codes. Matching and summing are pycocotools' loops.

The assets are in memory before. Ignored regions, segmentations and people without points are left to the plain
algorithm in tests/evaluation/released_evaluator.py, which tests compare with ours; here is only what costs time.
"""

import base64
import contextlib
import json
from collections import defaultdict
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as rle
from pycocotools.cocoeval import COCOeval
from scipy.ndimage import zoom
from scipy.spatial.distance import cdist

# torso, hands, feet, upper legs, lower legs, upper arms, lower arms, head: metres
_GROUPS = ((0.351, 2), (0.107, 2), (0.126, 2), (0.237, 4), (0.173, 4), (0.142, 4), (0.128, 4), (0.150, 2))
PART_M = np.concatenate([[np.nan], *[[metres] * charts for metres, charts in _GROUPS]])


class Baseline(COCOeval):
    """One pass. kind: "gps", "gpsm" or "iou"; body: the assets, an `OfficialDistances`, whose arrays are used."""

    def __init__(self, annotations: dict, results: list[dict], body, kind: str):
        super().__init__(iouType="bbox")
        self.body, self.kind = body, kind
        self.sizes = {image["id"]: (image["height"], image["width"]) for image in annotations["images"]}
        self.params.imgIds, self.params.catIds = sorted(self.sizes), [1]
        self.params.maxDets, self.params.areaRngLbl = [20], ["all", "medium", "large"]
        self.params.areaRng = [[0, 1e10], [32**2, 96**2], [96**2, 1e10]]
        self.annotations, self.results = annotations["annotations"], results

    def _prepare(self) -> None:
        self._gts, self._dts = defaultdict(list), defaultdict(list)
        self.evalImgs, self.eval = [], {}
        for person in self.annotations:
            self._gts[person["image_id"], 1].append({**person, "ignore": 0})
        for k, found in enumerate(self.results, start=1):
            area = found["bbox"][2] * found["bbox"][3]
            self._dts[found["image_id"], 1].append({**found, "id": k, "area": area})

    def computeIoU(self, imgId: int, catId: int):
        people, found = self._gts[imgId, catId], self._dts[imgId, catId]
        found = [found[k] for k in np.argsort([-one["score"] for one in found], kind="mergesort")][:20]
        if not people or not found:
            return []
        gps = np.array([[self._gps(one, person) for person in people] for one in found])  # in all three passes
        self.boxes = rle.iou([one["bbox"] for one in found], [one["bbox"] for one in people], [0] * len(people))
        if self.kind == "gps":
            return gps
        masks = [self._encoded(one["labels"][..., 0] > 0, one["bbox"], imgId) for one in found]
        iou = rle.iou(masks, [self._person_mask(person, imgId) for person in people], [0] * len(people))
        return np.sqrt(gps * iou) if self.kind == "gpsm" else iou

    def _gps(self, found: dict, person: dict) -> float:
        (x, y, w, h), (dx, dy, dw, dh) = person["bbox"], found["bbox"]
        column = (np.array(person["dp_x"]) * w / 255 + x - dx).astype(int)
        row = (np.array(person["dp_y"]) * h / 255 + y - dy).astype(int)
        outside = (column < 0) | (row < 0) | (column >= int(dw)) | (row >= int(dh))
        if outside.all():
            return 0.0
        column[outside] = row[outside] = 0
        labels = found["labels"][row, column]
        chart = np.where(outside, 0, labels[:, 0])
        true = self._rows(*(np.array(person[f"dp_{name}"]) for name in "IUV"))
        said = self._rows(chart, labels[:, 1] / 255, labels[:, 2] / 255)
        metres = []
        for one, other in zip(true, said, strict=True):
            if other < 0:
                metres.append(np.inf)
            elif one == other:
                metres.append(0)
            else:
                low, high = (one, other) if one < other else (other, one)
                metres.append(self.body.half[int(high * (high - 1) / 2 + low)])
        scale = PART_M[np.array(person["dp_I"]).astype(int)]
        return float(np.exp(-(np.array(metres) ** 2) / (2 * scale**2)).mean())

    def _rows(self, chart: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The matrix's rows of the vertices nearest in UV; -1 without a label."""
        rows = np.full(len(chart), -1)
        for k in range(1, 25):
            mine = chart == k
            if mine.any():
                apart = cdist(self.body.uv[k], np.stack([u[mine], v[mine]], 1))
                rows[mine] = self.body.matrix_row[self.body.vertices[k][apart.argmin(0)]]
        return rows

    def _person_mask(self, person: dict, image_id: int) -> dict:
        grid = np.zeros((256, 256))
        for k, code in enumerate(person["dp_masks"], start=1):
            if code:
                grid[rle.decode(code) > 0] = k
        _, _, w, h = person["bbox"]
        stretched = zoom(np.minimum(grid, 1), (max(h, 1) / 256, max(w, 1) / 256), order=1, prefilter=False)
        return self._encoded(stretched > 0.5, person["bbox"], image_id)

    def _encoded(self, mask: np.ndarray, box: list, image_id: int) -> dict:
        height, width = self.sizes[image_id]
        whole = np.zeros((height, width), np.uint8, order="F")
        x, y = int(box[0]), int(box[1])
        left, right = max(x, 0), min(int(box[0] + box[2]), width, x + mask.shape[1])
        top, bottom = max(y, 0), min(int(box[1] + box[3]), height, y + mask.shape[0])
        whole[top:bottom, left:right] = mask[top - y : bottom - y, left - x : right - x]
        return rle.encode(whole)

    def evaluateImg(self, imgId: int, catId: int, aRng: list, maxDet: int) -> dict | None:
        result = super().evaluateImg(imgId, catId, aRng, maxDet)
        if result is not None and all(result["gtIgnore"]):
            result["dtIgnore"] = np.ones_like(result["dtIgnore"], bool)
        return result


def read(annotations: Path, results: Path) -> tuple[dict, list[dict]]:
    """Both files, every crop decoded."""
    document, entries = json.loads(annotations.read_bytes()), json.loads(results.read_bytes())
    for entry in entries:
        entry["labels"] = np.asarray(Image.open(BytesIO(base64.b64decode(entry["uv_data"]))))
    return document, entries


def figures(document: dict, entries: list[dict], body) -> dict[str, float]:
    """AP over all thresholds of "gps", "gpsm" and "iou"."""
    found = {}
    for kind in ("gps", "gpsm", "iou"):
        baseline = Baseline(document, entries, body, kind)
        with contextlib.redirect_stdout(StringIO()):
            baseline.evaluate()
            baseline.accumulate()
        found[kind] = float(baseline.eval["precision"][:, :, 0, 0, 0].mean())
    return found
