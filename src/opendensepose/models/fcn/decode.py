"""Photo -> people with DensePose-FCN: c* = arg max P(c), then U and V of c*, and a way to tell people apart.

Letters: H x W photo size, h x w cells at stride 4 of the photo as the network sees it.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from opendensepose.instance import Instance, place_in_photo
from opendensepose.iuv import IUV, empty_iuv
from opendensepose.models.cells import linear_weights
from opendensepose.models.fold_norms import fold_norms
from opendensepose.models.image_batch import network_size, scale_photo
from opendensepose.models.outputs import NUM_CLASSES
from opendensepose.surface import CHART_TO_PART

__all__ = ["STRIDE", "ChartMaps", "PreparedFCN", "average_scales", "decode_maps", "faster_copy", "resampled"]

STRIDE = 4  # of the network's maps
MIN_PERSON_FRACTION = 0.001  # of the photo: smaller components of the foreground are dropped
MAX_FLOATS = 24_000_000  # of one intermediate array; larger photos are decoded in strips of rows
MAX_PEOPLE = 100


class ChartMaps(NamedTuple):
    """A network's output for one image, averaged over scales; the image's edges are the maps' edges."""

    probability: Tensor  # (25, h, w): background and 24 charts
    u: Tensor  # (25, h, w)
    v: Tensor  # (25, h, w)


def faster_copy(network: nn.Module) -> nn.Module:
    """Copy an FCN for prediction only: the same function, faster."""
    return fold_norms(copy.deepcopy(network).eval()).requires_grad_(False).to(memory_format=torch.channels_last)


class PreparedFCN:
    """An FCN as a `PreparedNetwork`. It labels pixels and does not tell people apart: what is one person is decided by
    connected components or by the given boxes."""

    def __init__(self, network: nn.Module):
        self.model, self.min_score = faster_copy(network), network.min_score

    @torch.inference_mode()
    def find(self, images_rgb: Sequence[np.ndarray], min_score: float) -> list[list[Instance]]:
        """Find people, see `PreparedNetwork.find`. Each connected component of the foreground is one, its score the
        mean probability of its charts."""
        people = []
        for labels, confidence in self._decoded(images_rgb):
            found = [one for one in _components(labels, confidence) if one.score >= min_score]
            found.sort(key=lambda one: -one.score)
            people.append([_instance(labels, confidence, *one) for one in found[:MAX_PEOPLE]])
        return people

    @torch.inference_mode()
    def label(self, images_rgb: Sequence[np.ndarray], boxes_xyxy: Sequence[np.ndarray]) -> list[list[Instance]]:
        """Label given boxes, see `PreparedNetwork.label`. Each takes the labelled pixels inside it; its score is 1."""
        decoded = zip(self._decoded(images_rgb), boxes_xyxy, strict=True)
        return [[_instance(*labels, box, 1.0) for box in boxes] for labels, boxes in decoded]

    def _decoded(self, images_rgb: Sequence[np.ndarray]) -> Iterator[tuple[IUV, np.ndarray]]:
        """Yield the labels and their confidence (H, W) of each photo."""
        model = self.model
        maps: dict[int, ChartMaps] = {}
        sizes_hw = [network_size(image_rgb.shape[:2], model.short_side, model.long_side) for image_rgb in images_rgb]
        for hw in dict.fromkeys(sizes_hw):
            equal = [k for k, size_hw in enumerate(sizes_hw) if size_hw == hw]
            averaged = average_scales(model, [images_rgb[k] for k in equal], hw, model.scales)
            maps |= zip(equal, averaged, strict=True)
        return (decode_maps(maps.pop(k), image_rgb.shape[:2]) for k, image_rgb in enumerate(images_rgb))


class _Component(NamedTuple):
    """A connected component of the foreground."""

    box: np.ndarray  # (4,) float32 xyxy, whole pixels
    score: float
    mask: np.ndarray  # bool, over the box


def _components(labels: IUV, confidence: np.ndarray) -> Iterator[_Component]:
    """Yield each connected component of the foreground that is not too small."""
    count, label, stats, _ = cv2.connectedComponentsWithStats((labels.i > 0).astype(np.uint8), connectivity=8)
    for k in range(1, count):
        x, y, width, height, area = (int(number) for number in stats[k])
        if area >= MIN_PERSON_FRACTION * label.size:
            window = np.s_[y : y + height, x : x + width]
            mask = label[window] == k
            score = min(1.0, float(confidence[window][mask].mean()))
            yield _Component(np.array([x, y, x + width, y + height], np.float32), score, mask)


def _instance(
    labels: IUV, confidence: np.ndarray, box: np.ndarray, score: float, mask: np.ndarray | bool = True
) -> Instance:
    """Take the labels of all pixels that a box touches, or those in a mask over it, as one person's."""
    x0, y0, x1, y1 = (int(edge) for edge in (*np.floor(box[:2]), *np.ceil(box[2:])))
    window = np.s_[y0:y1, x0:x1]
    labelled = IUV(labels.i[window], labels.u[window], labels.v[window])
    return place_in_photo(labelled, confidence[window], (x0, y0), labels.size_hw, box, score, mask)


def average_scales(
    model: nn.Module, images_rgb: Sequence[np.ndarray], network_hw: tuple[int, int], scales: Sequence[float]
) -> list[ChartMaps]:
    """Average the probabilities, U and V that the network predicts of each photo at several multiples of network_hw;
    at stride 4 of network_hw."""
    cells_hw = [-(-side // STRIDE) for side in network_hw]
    device = next(model.parameters()).device
    totals: list[ChartMaps] = []
    for scale in scales:
        height, width = (max(STRIDE, round(scale * side)) for side in network_hw)
        output = model([scale_photo(image_rgb, (height, width)).to(device) for image_rgb in images_rgb])
        of_images = [[part[n : n + 1] for part in output] for n in range(len(images_rgb))]
        maps = [resampled(one, (height, width), cells_hw) for one in of_images]
        totals = [_sum(*pair) for pair in zip(totals, maps, strict=True)] if totals else maps
    return [ChartMaps(*(part / len(scales) for part in total)) for total in totals]


def _sum(maps: ChartMaps, others: ChartMaps) -> ChartMaps:
    return ChartMaps(*(a + b for a, b in zip(maps, others, strict=True)))


def resampled(output: Sequence[Tensor], size_hw: tuple[int, int], cells_hw: Sequence[int]) -> ChartMaps:
    """Resample logits, U and V (1, 25, ., .) of an image of size_hw, padded at the right and the bottom, to maps of
    cells_hw without the padding; logits become probabilities."""
    logits, u, v = output
    rows, columns = (
        (torch.arange(cells, device=u.device) + 0.5) / cells * (size / (STRIDE * there))
        for cells, size, there in zip(cells_hw, size_hw, u.shape[-2:], strict=True)
    )
    down, across = linear_weights(rows, u.shape[-2]), linear_weights(columns, u.shape[-1])
    return ChartMaps(*(down @ (maps[0].float() @ across.T) for maps in (logits.softmax(1), u, v)))


def decode_maps(maps: ChartMaps, size_hw: tuple[int, int], parts: Tensor | None = None) -> tuple[IUV, np.ndarray]:
    """Return the labels of H x W pixels and their confidence (H, W) float32: I is the likeliest of the 25 classes, U
    and V those of I, confidence its probability, 0 on background.

    parts (H, W) int64 0..14: at a pixel of a known part only that part's charts are candidates, and outside all parts
    is background. Memory: the labels, and arrays of MAX_FLOATS.
    """
    height, width = size_hw
    rows, columns = (
        linear_weights((torch.arange(n, device=maps.u.device) + 0.5) / n, cells)
        for n, cells in zip(size_hw, maps.u.shape[-2:], strict=True)
    )
    labels, confidence = empty_iuv(size_hw), np.zeros(size_hw, np.float32)
    strip = max(1, MAX_FLOATS // (NUM_CLASSES * width))
    for y in range(0, height, strip):
        strip_parts = None if parts is None else parts[y : y + strip]
        decoded = _decode_strip(maps, rows[y : y + strip], columns, strip_parts)
        for whole, part in zip((labels.i, labels.u, labels.v, confidence), decoded, strict=True):
            whole[y : y + strip] = part.cpu().numpy()
    return labels, confidence


def _decode_strip(
    maps: ChartMaps, rows: Tensor, columns: Tensor, parts: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Decode the y rows of pixels that `rows` (y, h) interpolates: I uint8, U, V and confidence, each (y, W)."""
    read = torch.nonzero(rows.any(dim=0)).flatten()  # rows of cells that the strip reads
    cells = slice(int(read[0]), int(read[-1]) + 1)
    rows = rows[:, cells]
    probability = rows @ (maps.probability[:, cells] @ columns.T)  # (25, y, W)
    if parts is not None:
        chart_to_part = torch.as_tensor(CHART_TO_PART.astype("int64"), device=parts.device)
        probability = probability.masked_fill(chart_to_part[:, None, None] != parts[None], -1.0)
    best, i = probability.max(dim=0)
    del probability  # as large as what comes next
    u, v = (
        (rows @ (one[:, cells] @ columns.T)).gather(0, i[None])[0].clamp(0, 1) * (i > 0) for one in (maps.u, maps.v)
    )
    return i.to(torch.uint8), u, v, best.clamp(0, 1) * (i > 0)
