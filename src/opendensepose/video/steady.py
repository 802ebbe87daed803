"""Steady labels: each pixel's chart, U and V are voted by the last frames, looked up where the motion says it was.

The vote must not lag. So a frame has no vote where the picture says that a pixel did not show this point then (another
colour), and little where its labels differ from the current ones in one direction all over a small area: noise differs
in all directions, but what the flow missed (plain clothes on somebody who turns) in one.
Letters: h x w a window of the frame, K frames of history, the newest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from opendensepose.instance import Instance, place_in_photo
from opendensepose.iuv import IUV
from opendensepose.surface import NUM_CHARTS
from opendensepose.video.motion import Motion, pixel_centres, sample

__all__ = ["HISTORY", "LabelWindow", "crop_labels", "steady_labels"]

HISTORY = 8  # frames that vote, the current one included
SAME_COLOUR = 16  # of 255, in each of red, green, blue: by how much one point may differ between frames
DECAY = 0.95  # what a frame counts relative to the next newer one
SHOWN_WEIGHT = 5.0  # what the label shown last counts: another one must be seen in most of the frames
BACKGROUND_WEIGHT = 0.45  # what background counts; a chart counts its confidence
LEAST_WEIGHT = 0.2  # of a chart, however doubtful
AREA = 0.06  # of the longer side of a person's window: the square over which labels are compared
SAME_UV = 0.03  # mean difference of U, or V, in such a square at which an older frame's vote counts 1/e
SAME_SHARE = 0.2  # the same for the share of the square that the person covers


@dataclass(frozen=True)
class LabelWindow:
    """A person's labels in a window of a frame, background outside.

    corner_xy: its top left pixel. i: (h, w) uint8. values: (h, w, 3) float32, U, V and confidence, 0 on background.
    """

    corner_xy: tuple[int, int]
    i: np.ndarray
    values: np.ndarray

    @property
    def box_xyxy(self) -> np.ndarray:
        """The window (4,) float32 in the frame."""
        x, y = self.corner_xy
        return np.array([x, y, x + self.i.shape[1], y + self.i.shape[0]], np.float32)

    def at(self, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look up i and values of the pixels at positions (a, b, 2) of the frame; 0 outside the window."""
        here = xy - np.array(self.corner_xy, np.float32)
        i, values = (sample(maps, here, nearest=True, border=cv2.BORDER_CONSTANT) for maps in (self.i, self.values))
        return i, values

    def as_instance(self, size_hw: tuple[int, int], box_xyxy: np.ndarray, score: float) -> Instance:
        """Put the window into a frame of size_hw."""
        u, v, confidence = (np.ascontiguousarray(self.values[..., k]) for k in range(3))
        return place_in_photo(IUV(self.i, u, v), confidence, self.corner_xy, size_hw, box_xyxy, score)


def crop_labels(person: Instance) -> LabelWindow:
    """Cut out the window that a person's labels fill, one pixel at least."""
    x, y, width, height = cv2.boundingRect((person.iuv.i > 0).view(np.uint8))
    window = np.s_[y : y + max(1, height), x : x + max(1, width)]
    values = np.stack([maps[window] for maps in (person.iuv.u, person.iuv.v, person.confidence)], axis=-1)
    return LabelWindow((x, y), person.iuv.i[window].copy(), values)


def steady_labels(
    observed: Sequence[LabelWindow], shown: LabelWindow | None, motions: Sequence[Motion], size_hw: tuple[int, int]
) -> LabelWindow:
    """Let the observations of one person vote: those of this frame first, then of the frames before it, K at most.

    motions: of the same frames, each from its frame to the one before. shown: the result for the
    frame before this one.
    """
    if len(observed) == 1:
        return observed[0]
    x0, y0, x1, y1 = _window(observed[:2], size_hw)
    here = pixel_centres(x0, y0, x1, y1)
    xy, colour = here, motions[0].colour_at(here)
    votes = [_vote(observed[0], xy, np.ones(here.shape[:2], bool), 1.0)]
    for k, labels in enumerate(observed[1:], start=1):
        xy = motions[k - 1].earlier(xy)
        seen = (cv2.absdiff(motions[k].colour_at(xy), colour) < SAME_COLOUR).all(-1)
        votes.append(_vote(labels, xy, seen, DECAY**k))
        if k == 1 and shown is not None:
            votes.append(_vote(shown, xy, seen, SHOWN_WEIGHT))
    votes = [votes[0], *(one._replace(weight=one.weight * _agreement(one, votes[0])) for one in votes[1:])]
    return LabelWindow((x0, y0), *_elected(votes))


def _window(labels: Sequence[LabelWindow], size_hw: tuple[int, int], margin: int = 2) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of a window of the frame that holds those of the labels and a margin."""
    corners = np.array([one.corner_xy for one in labels])
    ends = corners + [one.i.shape[::-1] for one in labels]
    (x0, y0), (x1, y1) = corners.min(0) - margin, ends.max(0) + margin
    return max(0, int(x0)), max(0, int(y0)), min(size_hw[1], int(x1)), min(size_hw[0], int(y1))


class _Vote(NamedTuple):
    """What one frame says of the pixels of a window: i (h, w), values (h, w, 3), weight (h, w), 0: nothing."""

    i: np.ndarray
    values: np.ndarray
    weight: np.ndarray


def _vote(labels: LabelWindow, xy: np.ndarray, seen: np.ndarray, factor: float) -> _Vote:
    i, values = labels.at(xy)
    weight = np.where(i > 0, np.maximum(values[..., 2], LEAST_WEIGHT), np.float32(BACKGROUND_WEIGHT))
    return _Vote(i, values, weight * (np.float32(factor) * seen))


def _agreement(vote: _Vote, current: _Vote) -> np.ndarray:
    """How far the labels of two frames agree around each pixel, (h, w) in [0, 1]: see the module's text."""
    size = 2 * max(2, round(AREA * max(current.i.shape) / 2)) + 1
    same = ((vote.i == current.i) & (current.i > 0)).astype(np.float32)
    num_same = cv2.blur(same, (size, size)) + 1e-3
    differences = (vote.values[..., :2] - current.values[..., :2]) * same[..., None]
    u, v = np.moveaxis(cv2.blur(differences, (size, size)), -1, 0) / (num_same * SAME_UV)
    covered = (vote.i > 0).astype(np.float32) - (current.i > 0)
    share = cv2.blur(covered, (size, size)) / SAME_SHARE
    return np.exp(-(u * u + v * v + share * share))


def _elected(votes: Sequence[_Vote]) -> tuple[np.ndarray, np.ndarray]:
    """i (h, w), the charts with the largest weight, and values (h, w, 3), the means of those who voted for them."""
    i = votes[0].i.copy()
    open_row, open_column = np.nonzero(np.any([(one.i != i) & (one.weight > 0) for one in votes[1:]], axis=0))
    if len(open_row):
        pixel = np.arange(len(open_row)) * (NUM_CHARTS + 1)
        ballots = np.concatenate([pixel + one.i[open_row, open_column] for one in votes])
        weights = np.concatenate([one.weight[open_row, open_column] for one in votes])
        sums = np.bincount(ballots, weights, len(open_row) * (NUM_CHARTS + 1)).reshape(len(open_row), -1)
        i[open_row, open_column] = sums.argmax(1)
    total, mean = np.full(i.shape, 1e-9, np.float32), np.zeros_like(votes[0].values)
    for one in votes:
        weight = one.weight * (one.i == i)
        total += weight
        mean += weight[..., None] * one.values
    return i, np.clip(mean / total[..., None], 0, 1) * (i > 0)[..., None]
