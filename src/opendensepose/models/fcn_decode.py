"""Photo -> people with DensePose-FCN: c* = arg max P(c), then U and V of c*, and a way to tell people apart.

Letters: H x W photo size, h x w cells at stride 4 of the photo as the network sees it.
"""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.models.decode import linear_weights
from opendensepose.models.fcn import FCN, STRIDE
from opendensepose.models.rcnn_decode import network_size, scale_photo
from opendensepose.models.resnet import fold_norms
from opendensepose.surface import CHART_TO_PART, MIRROR_CHART, mirror_iuv

__all__ = ["ChartMaps", "average_scales", "decode_maps", "find_people", "prepared", "resampled", "turned"]

MIN_PERSON_FRACTION = 0.001  # of the photo: smaller pieces of foreground are dropped
MAX_FLOATS = 24_000_000  # of one intermediate array; larger photos are decoded in strips of rows
MAX_PEOPLE = 100


class ChartMaps(NamedTuple):
    """What is told all over one image, whose edges are the maps' edges."""

    probability: Tensor  # (25, h, w): background and 24 charts
    u: Tensor  # (25, h, w)
    v: Tensor  # (25, h, w)


def prepared(model: FCN) -> FCN:
    """A copy of the network for prediction only: the same function, faster."""
    return fold_norms(copy.deepcopy(model).eval()).requires_grad_(False).to(memory_format=torch.channels_last)


def find_people(
    model: FCN, image_rgb: np.ndarray, boxes: np.ndarray | None = None, min_score: float = 0.5
) -> list[Instance]:
    """People in a photo (H, W, 3) uint8 RGB, the surest first. The network labels pixels, not people: each connected
    piece of foreground is one, its score the mean probability of its charts. boxes (N, 4) xyxy, true ones or of a
    detector: each takes the labelled pixels inside it, with a score of 1, in their order."""
    i, u, v, confidence = decode_maps(average_scales(model, image_rgb, model.scales), image_rgb.shape[:2])
    people = []
    for mine, box, score in _pieces(i, confidence) if boxes is None else _boxed(i, boxes):
        maps = (np.where(mine, part, part.dtype.type(0)) for part in (i, u, v))
        people.append(Instance(box, score, IUV(*maps), np.where(mine, confidence, np.float32(0))))
    if boxes is not None:
        return people
    people = [person for person in people if person.score >= min_score]
    return sorted(people, key=lambda person: -person.score)[:MAX_PEOPLE]


def _pieces(i: np.ndarray, confidence: np.ndarray):
    """Mask, box and score of each connected piece of foreground that is not too small."""
    count, label, stats, _ = cv2.connectedComponentsWithStats((i > 0).astype(np.uint8), connectivity=8)
    for k in range(1, count):
        x, y, width, height, area = (int(number) for number in stats[k])
        if area >= MIN_PERSON_FRACTION * i.size:
            mine = label == k
            yield mine, np.float32([x, y, x + width, y + height]), min(1.0, float(confidence[mine].mean()))


def _boxed(i: np.ndarray, boxes: np.ndarray):
    """Mask, box and score of each given box."""
    for box in np.asarray(boxes, np.float32):
        mine = np.zeros(i.shape, bool)
        x0, y0, x1, y1 = (int(edge) for edge in (*np.floor(box[:2]), *np.ceil(box[2:])))
        mine[y0:y1, x0:x1] = i[y0:y1, x0:x1] > 0
        yield mine, box, 1.0


def average_scales(model: FCN, image_rgb: np.ndarray, scales: Sequence[float]) -> ChartMaps:
    """The mean of the probabilities, U and V that the network tells of a photo at several sizes, at stride 4 of the
    size that it is made for."""
    size_hw = network_size(image_rgb.shape[:2], model.short_side, model.long_side)
    cells_hw = [-(-side // STRIDE) for side in size_hw]
    total = None
    for scale in scales:
        hw = tuple(max(STRIDE, round(scale * side)) for side in size_hw)
        image = scale_photo(image_rgb, hw).to(next(model.parameters()).device)
        maps = resampled(model([image]), hw, cells_hw)
        total = maps if total is None else ChartMaps(*(a + b for a, b in zip(total, maps, strict=True)))
    return ChartMaps(*(part / len(scales) for part in total))


def resampled(output: Sequence[Tensor], size_hw: tuple[int, int], cells_hw: Sequence[int]) -> ChartMaps:
    """Logits, U and V (1, 25, ., .) of an image of size_hw, padded at the right and the bottom, as maps of cells_hw
    without the padding."""
    logits, u, v = output
    rows, columns = (
        (torch.arange(cells, device=u.device) + 0.5) / cells * (size / (STRIDE * there))
        for cells, size, there in zip(cells_hw, size_hw, u.shape[-2:], strict=True)
    )
    down, across = linear_weights(rows, u.shape[-2]), linear_weights(columns, u.shape[-1])
    return ChartMaps(*(down @ (maps[0].float() @ across.T) for maps in (logits.softmax(1), u, v)))


def turned(maps: ChartMaps) -> ChartMaps:
    """What was told of a mirrored image, for the image itself, by the mirror rule."""
    charts, zeros = np.arange(25, dtype=np.uint8), np.zeros(25, np.float32)
    _, *at_0 = mirror_iuv(charts, zeros, zeros)  # 1 where the rule turns U (V) round
    order = torch.as_tensor(MIRROR_CHART.astype("int64"), device=maps.u.device)

    def back(one: Tensor, turn: np.ndarray) -> Tensor:
        turn = torch.as_tensor(turn, device=one.device)[:, None, None]
        return (turn + (1 - 2 * turn) * one.flip(-1))[order]

    return ChartMaps(maps.probability.flip(-1)[order], back(maps.u, at_0[0]), back(maps.v, at_0[1]))


def decode_maps(
    maps: ChartMaps, size_hw: tuple[int, int], parts: Tensor | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """I uint8, U, V and confidence float32 at H x W pixels: I is the likeliest of the 25 classes, U and V those of I,
    confidence its probability. parts (H, W) int64 0..14: at a pixel of a known part only that part's charts are
    candidates, and outside all parts is background."""
    strip = max(1, MAX_FLOATS // (25 * size_hw[1]))
    rows, columns = (
        linear_weights((torch.arange(n, device=maps.u.device) + 0.5) / n, cells)
        for n, cells in zip(size_hw, maps.u.shape[-2:], strict=True)
    )
    of_strips = []
    for y in range(0, size_hw[0], strip):
        part = None if parts is None else parts[y : y + strip]
        of_strips.append(_decode_strip(maps, rows[y : y + strip], columns, part))
    return tuple(torch.cat(part).cpu().numpy() for part in zip(*of_strips, strict=True))


def _decode_strip(maps: ChartMaps, rows: Tensor, columns: Tensor, parts: Tensor | None) -> tuple[Tensor, ...]:
    probability = rows @ (maps.probability @ columns.T)  # (25, y, W)
    if parts is not None:
        chart_to_part = torch.as_tensor(CHART_TO_PART.astype("int64"), device=parts.device)
        probability = probability.masked_fill(chart_to_part[:, None, None] != parts[None], -1.0)
    best, i = probability.max(dim=0)
    u, v = ((rows @ (one @ columns.T)).gather(0, i[None])[0].clamp(0, 1) * (i > 0) for one in (maps.u, maps.v))
    return i.to(torch.uint8), u, v, best.clamp(0, 1) * (i > 0)
