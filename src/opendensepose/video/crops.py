"""Crops of a frame -> the network's raw output for each, whichever network it is.

DensePoseLite labels crops, their mirror images, or both. Other networks label boxes; their labels are put on a grid of
cells, so that all that follows is one for all.
Letters: N crops, h x w cells of charts, h/2 x w/2 of U and V, as of DensePoseLite's output.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import cv2
import numpy as np

from opendensepose.instance import Instance
from opendensepose.models.densepose_lite.crops import BOX_PADDING, Box, crop_and_resize, crop_box
from opendensepose.models.densepose_lite.decode import LOG_PERSON_WEIGHT, mean_output, turn_back
from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.models.densepose_lite.prepared import PreparedDensePoseLite
from opendensepose.models.prediction import PreparedNetwork
from opendensepose.surface import NUM_CHARTS
from opendensepose.video.motion import cell_centres

__all__ = ["CropLabeller", "Views", "output_of_labels"]

Views = Literal["plain", "mirrored", "both"]

CROP_HW = (208, 160)  # of networks that do not say
SURE = 6.0  # logit of a label
NEARBY = 5  # cells: U and V of a chart are spread as far around it, as networks predict them there too


class CropLabeller:
    """Labels crops with a prepared network. crop_hw: height and width of the pictures that it wants of them."""

    def __init__(self, network: PreparedNetwork):
        self.network = network
        self.detector = network if isinstance(network, PreparedDensePoseLite) else None
        self.runtime = self.detector.runtime if self.detector else None
        self.crop_hw: tuple[int, int] = self.runtime.crop_hw if self.runtime else CROP_HW
        self.grid_hw = self.crop_hw[0] // 2, self.crop_hw[1] // 2

    def detect(self, image_rgb: np.ndarray, min_score: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Find boxes (N, 4) in which people may be, and their heat (N,), without labelling them; None if the network
        cannot."""
        return None if self.detector is None else self.detector.detect([image_rgb], min_score)[0]

    def crop_around(self, box_xyxy: np.ndarray) -> Box:
        """Return the crop in which the network expects a person of this box."""
        return crop_box(box_xyxy, self.crop_hw[1] / self.crop_hw[0])

    def picture(self, image_rgb: np.ndarray, crop: Box) -> np.ndarray:
        """Cut a crop out of a frame and scale it to crop_hw."""
        return crop_and_resize(image_rgb, crop, self.crop_hw)

    def label(
        self,
        image_rgb: np.ndarray,
        crops: Sequence[Box],
        pictures: Sequence[np.ndarray],
        views: Sequence[Views] | None = None,
    ) -> list[DenseOutput | None]:
        """Label crops of a frame, of which the pictures are given; None where nobody is seen.

        views: how DensePoseLite sees each, as it is, mirrored, or, if not said, both, whose outputs are averaged.
        """
        if not crops:
            return []
        if self.runtime is None:
            return self._label_boxes(image_rgb, crops)
        views = views or ["both"] * len(crops)
        plain = [k for k, view in enumerate(views) if view != "mirrored"]
        mirrored = [k for k, view in enumerate(views) if view != "plain"]
        looks = [pictures[k] for k in plain] + [pictures[k][:, ::-1] for k in mirrored]
        output = self.runtime.label(np.stack(looks))
        of_plain, of_mirrored = zip(*(np.split(maps, [len(plain)]) for maps in output), strict=True)
        labelled = dict(zip(plain, _each(DenseOutput(*of_plain)), strict=True))
        for k, one in zip(mirrored, _each(turn_back(DenseOutput(*of_mirrored))), strict=True):
            labelled[k] = mean_output(labelled[k], one) if k in labelled else one
        return [labelled[k] for k in range(len(crops))]

    def _label_boxes(self, image_rgb: np.ndarray, crops: Sequence[Box]) -> list[DenseOutput | None]:
        height, width = image_rgb.shape[:2]
        boxes = np.array([_box_in(crop) for crop in crops], np.float32)
        boxes = np.clip(boxes, 0, np.array([width, height] * 2, np.float32))
        inside = np.flatnonzero((boxes[:, 2:] - boxes[:, :2] >= 2).all(1))
        outputs: list[DenseOutput | None] = [None] * len(crops)
        for person in self.network.label([image_rgb], [boxes[inside]])[0] if len(inside) else []:
            of_crop = int(np.abs(boxes - person.box_xyxy).max(1).argmin())
            outputs[of_crop] = output_of_labels(person, crops[of_crop], self.grid_hw)
        return outputs


def _each(output: DenseOutput) -> Iterator[DenseOutput]:
    """Yield the output of each crop, without batch axis."""
    return (DenseOutput(*one) for one in zip(*output, strict=True))


def _box_in(crop: Box) -> tuple[float, float, float, float]:
    """The box inside the padding of a crop."""
    x0, y0, x1, y1 = crop
    share = BOX_PADDING / (1 + 2 * BOX_PADDING)
    x, y = share * (x1 - x0), share * (y1 - y0)
    return x0 + x, y0 + y, x1 - x, y1 - y


def output_of_labels(person: Instance, crop: Box, grid_hw: tuple[int, int]) -> DenseOutput:
    """Put a person's labels on the grid of a crop, as a network's raw output would say them."""
    x0, y0, x1, y1 = crop
    h, w = grid_hw
    scale, corner = np.array([(x1 - x0) / w, (y1 - y0) / h], np.float32), np.array([x0, y0], np.float32)
    xy = cell_centres(h, w) * scale + corner - 0.5
    maps = person.iuv.i, person.iuv.u, person.iuv.v, person.confidence
    i, u, v, confidence = (cv2.remap(one, xy, None, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) for one in maps)
    logits = np.zeros((NUM_CHARTS + 1, h, w), np.float32)
    np.put_along_axis(logits, i[None].astype(int), SURE, axis=0)
    logits[1:] -= LOG_PERSON_WEIGHT  # which decoding adds
    u_of_charts, v_of_charts = np.zeros((2, NUM_CHARTS, h // 2, w // 2), np.float32)
    for chart in np.unique(i[i > 0]):
        u_of_charts[chart - 1], v_of_charts[chart - 1] = _spread(i == chart, u, v)
    quality = np.array(person.score**2, np.float32)  # as `Predictor` makes a score of it
    return DenseOutput(logits, u_of_charts, v_of_charts, _logit(confidence), _logit(quality))


def _spread(mask: np.ndarray, *maps: np.ndarray) -> np.ndarray:
    """Maps (h, w) at half the size, within the mask, and the means of what is near around it: (maps, h/2, w/2)."""
    size_wh = mask.shape[1] // 2, mask.shape[0] // 2
    share = cv2.resize(mask.astype(np.float32), size_wh, interpolation=cv2.INTER_AREA)
    near = cv2.blur(share, (NEARBY, NEARBY))
    spread = []
    for one in maps:
        of_mask = cv2.resize(one * mask, size_wh, interpolation=cv2.INTER_AREA)
        around = cv2.blur(of_mask, (NEARBY, NEARBY)) / np.maximum(near, 1e-6)
        spread.append(np.where(share > 0, of_mask / np.maximum(share, 1e-6), around))
    return np.stack(spread)


def _logit(probability: np.ndarray) -> np.ndarray:
    probability = np.clip(probability, 1e-3, 1 - 1e-3)
    return np.log(probability / (1 - probability)).astype(np.float32)
