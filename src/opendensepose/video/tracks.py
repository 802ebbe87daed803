"""Following people: which found person is which track, and which crop shows a track's person in the next frame.

Letters: T tracks, N found people, h x w cells of a crop.
"""

from dataclasses import dataclass

import numpy as np

from opendensepose.models.densepose_lite.crops import Box
from opendensepose.video.motion import cell_centres
from opendensepose.video.steady import Estimate

__all__ = ["Track", "box_ious", "box_of_cells", "is_framed", "match_boxes", "moved_cells"]

LEAST_IOU = 0.3  # of a found box and the track's: less is somebody else
OFF_CENTRE = 0.06  # of a crop's height: a person who is farther from where the network expects it gets another crop


@dataclass
class Track:
    """A person who is followed.

    track_id: 1, 2, ..., kept for the whole clip. box_xyxy: (4,) float32 where the person is, or is expected. score: of
    the last frame. certainty: what the label's score is multiplied by, as the detector was this sure. misses: searches
    in a row that did not find the person. unseen: frames since the labels were lost. estimate: of the labels, None
    before the first.
    """

    track_id: int
    box_xyxy: np.ndarray
    score: float
    certainty: float
    misses: int = 0
    unseen: int = 0
    estimate: Estimate | None = None


def box_ious(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (T, 4) and (N, 4): (T, N)."""
    boxes, others = (np.asarray(part, np.float64).reshape(-1, 4) for part in (boxes, others))
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = (high - low).clip(min=0).prod(-1)
    areas = [(part[:, 2:] - part[:, :2]).prod(-1) for part in (boxes, others)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)


def match_boxes(boxes: np.ndarray, others: np.ndarray, least_iou: float = LEAST_IOU) -> list[tuple[int, int]]:
    """Pair boxes (T, 4) with others (N, 4), each used once, the pair with the largest overlap first."""
    ious = box_ious(boxes, others)
    pairs: list[tuple[int, int]] = []
    while ious.size and ious.max() >= max(least_iou, 1e-9):
        row, column = (int(k) for k in np.unravel_index(ious.argmax(), ious.shape))
        pairs.append((row, column))
        ious[row], ious[:, column] = -1, -1
    return pairs


def box_of_cells(person: np.ndarray, crop: Box) -> np.ndarray | None:
    """Return the box (4,) float32 in the frame around a person's cells, (h, w) bool of a crop; None if there are
    hardly any."""
    rows, columns = np.flatnonzero(person.sum(1) > 1), np.flatnonzero(person.sum(0) > 1)
    if not len(rows) or not len(columns):
        return None
    x0, y0, x1, y1 = crop
    cells = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    size = np.array([(x1 - x0) / person.shape[1], (y1 - y0) / person.shape[0]] * 2)
    return (np.array([x0, y0] * 2) + cells * size).astype(np.float32)


def moved_cells(person: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Return the cells of a person, (h, w) bool, after a motion: flow (h, w, 2), in cells, to where each cell was."""
    height, width = person.shape
    column, row = np.moveaxis(np.floor(cell_centres(height, width) + flow).astype(int), -1, 0)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return person[row.clip(0, height - 1), column.clip(0, width - 1)] & inside


def is_framed(crop: Box, wanted: Box) -> bool:
    """Whether a crop shows a person about as the one that is wanted for it: keeping it keeps its labels steady."""
    return bool(np.abs(np.subtract(crop, wanted)).max() <= OFF_CENTRE * (crop[3] - crop[1]))
