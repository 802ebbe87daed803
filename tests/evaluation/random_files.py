"""Random annotation and results files that hold what real files hold: see CASES."""

import base64
from io import BytesIO

import numpy as np
from PIL import Image
from pycocotools import mask as rle

from opendensepose.data.masks import encode_mask

SIZE_HW = (120, 140)
CASES = {
    "an image without detections", "base64 in lines", "segmentation as polygons", "segmentation as runs",
    "segmentation compressed", "neither masks nor segmentation", "equal scores", "images out of order",
    "a crop larger than its box", "an ignored region", "an empty list of points", "a negative corner",
    "a point on a pixel's edge", "annotation 0", "category 0", "fewer than 14 masks", "more than 14 masks", "a crowd",
    "a person without points",
}  # fmt: skip


class RandomFiles:
    """document and results of a few images; met: the CASES that they hold. Maps agree with the points but for noise."""

    def __init__(self, rng: np.random.Generator, num_images: int = 10):
        self.rng, self.met = rng, set()
        ids = rng.permutation(np.arange(1, num_images + 1) * 7).tolist()
        self.met |= {"images out of order"} if ids != sorted(ids) else set()
        self.document = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "person"}]}
        self.results: list[dict] = []
        for image_id in ids:
            self._add_image(image_id)
        rng.shuffle(self.results)
        scores = [entry["score"] for entry in self.results]
        self.met |= {"equal scores"} if len(set(scores)) < len(scores) else set()

    def _often(self, share: float, case: str) -> bool:
        if self.rng.random() >= share:
            return False
        self.met.add(case)
        return True

    def _add_image(self, image_id: int) -> None:
        image = {"id": image_id, "file_name": f"{image_id}.jpg", "height": SIZE_HW[0], "width": SIZE_HW[1]}
        if has_region := self._often(0.3, "an ignored region"):
            x, y = self.rng.uniform(0, 90, 2).round(1)
            side_x, side_y = self.rng.uniform(20, 60, 2).round(1)
            image |= {
                "ignore_regions_x": [[x, x + side_x, x + side_x, x]],
                "ignore_regions_y": [[y, y, y + side_y, y + side_y]],
            }
        self.document["images"].append(image)
        nobody_found = self._often(0.15, "an image without detections")
        for _ in range(self.rng.integers(1, 4)):
            box, labels = self._box(inside=has_region), self._labels()
            self._add_person(image_id, box, labels)
            for _ in range(0 if nobody_found else self.rng.integers(0, 4)):
                self._add_detection(image_id, box, labels, inside=has_region)

    def _box(self, *, inside: bool) -> np.ndarray:
        """x, y, width, height: whole, in tenths, or with all digits; inside: whole pixels of the image."""
        sides = self.rng.uniform(20, 115, 2)
        low = np.zeros(2) if inside else np.full(2, -6.0)
        high = np.maximum(np.array(SIZE_HW[::-1]) - sides - 1, low)
        box = np.concatenate([self.rng.uniform(low, high), sides])
        box = box.round(self.rng.choice([0, 1, 14]))
        box = np.floor(box) if inside else box
        if ((box[:2] < 0) & (box[:2] % 1 > 0)).any():
            self.met.add("a negative corner")
        return box

    def _labels(self) -> np.ndarray:
        """A function of the place in the box, as a grid (8, 8, 3) of I, 255 U, 255 V."""
        labels = self.rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        labels[..., 0] = self.rng.integers(1, 25, (8, 8))
        labels[..., 0][self.rng.random((8, 8)) < 0.1] = 0
        return labels

    def _add_person(self, image_id: int, box: np.ndarray, labels: np.ndarray) -> None:
        known = len(self.document["annotations"])
        self.met |= {"annotation 0"} if known == 0 else set()
        person = {
            "id": known, "image_id": image_id, "category_id": 1, "bbox": box.tolist(),
            "area": float(np.exp(self.rng.uniform(np.log(400), np.log(20000)))),
        }  # fmt: skip
        if self._often(0.1, "a crowd"):
            person["iscrowd"] = 1
        person |= self._foreground(box, labels)
        if not self._often(0.2, "a person without points"):
            person |= self._points(box, labels)
        self.document["annotations"].append(person)

    def _points(self, box: np.ndarray, labels: np.ndarray) -> dict:
        if self._often(0.1, "an empty list of points"):
            return {f"dp_{name}": [] for name in "xyIUV"}
        cells = np.argwhere(labels[..., 0] > 0)
        row, column = self.rng.permutation(cells)[:25].T
        xy = (np.stack([column, row], 1) + self.rng.random((len(row), 2))) / 8  # of the box
        if self._often(0.5, "a point on a pixel's edge"):
            pixel = (xy * box[2:]).round()
            xy = pixel / box[2:]
        i, u, v = labels[row, column].astype(float).T
        return {
            "dp_x": (xy[:, 0] * 255).tolist(), "dp_y": (xy[:, 1] * 255).tolist(), "dp_I": i.tolist(),
            "dp_U": (u / 255).tolist(), "dp_V": (v / 255).tolist(),
        }  # fmt: skip

    def _foreground(self, box: np.ndarray, labels: np.ndarray) -> dict:
        x, y, width, height = box
        kind = self.rng.integers(0, 8)
        if kind >= 4:  # part masks
            grid = np.kron(labels[..., 0], np.ones((32, 32), np.uint8))
            number = 14
            if self._often(0.2, "fewer than 14 masks"):
                number = 9
            elif self._often(0.2, "more than 14 masks"):
                number = 16
            masks = [encode_mask((grid > 0) & (grid % number == k)) for k in range(number)]
            return {"dp_masks": [code if self.rng.random() < 0.9 else [] for code in masks]}
        corners = [x, y, x + width, y, x + width, y + height * 0.8, x + width / 2, y + height]
        if kind == 0:
            self.met.add("segmentation as polygons")
            return {"segmentation": [corners, [x, y, x + 9, y, x + 9, y + 30.5]]}
        if kind == 3:
            self.met.add("neither masks nor segmentation")
            return [{}, {"segmentation": []}][self.rng.integers(2)]
        mask = rle.decode(rle.frPyObjects([corners], *SIZE_HW))[..., 0]
        code = encode_mask(mask)
        if kind == 1:
            self.met.add("segmentation compressed")
            return {"segmentation": code}
        self.met.add("segmentation as runs")
        flat = mask.ravel(order="F")
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]])))
        runs = np.diff(np.concatenate([[0], edges, [len(flat)]]))
        return {"segmentation": {"size": code["size"], "counts": runs.tolist()}}

    def _add_detection(self, image_id: int, of_box: np.ndarray, labels: np.ndarray, *, inside: bool) -> None:
        box = of_box + self.rng.normal(0, 2, 4).round(self.rng.choice([0, 1, 14]))
        if inside:  # whole pixels of the image
            box = np.clip(box.round(), 0, None)
            box[2:] = np.minimum(box[2:], np.array(SIZE_HW[::-1]) - box[:2])
        box[2:] = np.maximum(box[2:], 2)
        width, height = int(box[2]), int(box[3])
        if not inside and self._often(0.3, "a crop larger than its box"):
            width, height = width + 3, height + 2
        # the labels where the person's box has them, some of them changed
        column = np.clip((np.arange(width) + 0.5 + box[0] - of_box[0]) / of_box[2] * 8, 0, 7).astype(int)
        row = np.clip((np.arange(height) + 0.5 + box[1] - of_box[1]) / of_box[3] * 8, 0, 7).astype(int)
        noisy = labels.copy()
        change = self.rng.random((8, 8)) < self.rng.choice([0.0, 0.1, 0.3, 0.6])
        noisy[change] = self.rng.integers(0, 25, (8, 8, 3))[change]
        png = BytesIO()
        Image.fromarray(noisy[row[:, None], column]).save(png, "PNG")
        in_lines = self._often(0.5, "base64 in lines")
        text = (base64.encodebytes if in_lines else base64.b64encode)(png.getvalue()).decode()
        self.results.append(
            {
                "image_id": image_id, "category_id": 0 if self._often(0.5, "category 0") else 1, "bbox": box.tolist(),
                "score": float(self.rng.integers(1, 12) / 12), "uv_shape": [3, height, width], "uv_data": text,
            }
        )  # fmt: skip
