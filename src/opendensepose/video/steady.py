"""Steady labels: one running average of the network's raw output for a person, carried along by the motion.

The average lives on the grid of the person's crop, so that it costs the same whatever the size of the frame. It must
not lag. Where the picture says that a cell did not show this point in the frame before (another colour), and where
limbs swing faster than the flow can be trusted, the frame alone counts. The outline remembers two frames only. What the
average and the frame differ by in U and V all over a small area is taken from the frame: noise differs in all
directions, but what the flow missed (plain clothes on somebody who turns) in one.
Letters: h x w cells of charts, h/2 x w/2 of U and V.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from opendensepose.models.densepose_lite.crops import Box
from opendensepose.models.densepose_lite.decode import LOG_PERSON_WEIGHT
from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.models.densepose_lite.prepared import erase_small_components
from opendensepose.video.motion import Motion, cell_centres, sample

__all__ = ["Estimate", "first_estimate", "next_estimate"]

MOST_FRAMES = 8.0  # that the average counts as: the next frame's share is 1/9 then
MOST_OF_OUTLINE = 2.0  # the same for whether a cell shows the person at all
SWING = 2.0  # cells: what moves by so much more than the person as a whole counts 1/e
LEAST_LOG = -6.0  # a frame's log probability of a chart is at least this: one frame does not rule a chart out
SHOWN_BONUS = 2.5  # added to the log probability of the chart shown last, if the average is of FULL_BONUS frames
FULL_BONUS = 4.0
AREA = 5  # cells of U and V: the square over which they are compared
LEAST_PRESENT = 0.05  # a chart with less probability in all cells is not there


@dataclass(frozen=True)
class Estimate:
    """What is known of a person after a frame.

    crop: the part of the frame. picture: (h, w, 3) uint8, what it shows. output: the averaged output; its chart logits
    are log probabilities. weight: (h, w) float32, of how many frames the average is. shown: (h, w) uint8, the charts.
    """

    crop: Box
    picture: np.ndarray
    output: DenseOutput
    weight: np.ndarray
    shown: np.ndarray


def first_estimate(crop: Box, picture: np.ndarray, output: DenseOutput) -> tuple[Estimate, DenseOutput]:
    """Begin with a frame's output; return the estimate, and what to decode."""
    output = _normalised(output)
    weight = np.ones(output.chart_logits.shape[1:], np.float32)
    return _decided(crop, picture, output, weight, output.chart_logits.copy())


def next_estimate(
    before: Estimate, motion: Motion, crop: Box, picture: np.ndarray, output: DenseOutput
) -> tuple[Estimate, DenseOutput]:
    """Take the output for the next frame into the estimate; return it, and what to decode.

    motion: from the frame before to this one, of the part of the frame that is `before.crop`. crop, picture, output: of
    this frame.
    """
    output = _normalised(output)
    here = _cells_in(before.crop, crop, before.weight.shape)  # of the new crop, in cells of the old one
    flow_x, flow_y, trust = sample(np.stack([*np.moveaxis(motion.flow, -1, 0), _trust(before, motion)]), here)
    there = here + np.stack([flow_x, flow_y], axis=-1)
    weight, confidence_logit = sample(np.stack([before.weight, before.output.confidence_logit]), there)
    weight *= trust
    share = 1 / (weight + 1)
    old = before.output._replace(chart_logits=sample(before.output.chart_logits, there))
    u, v = _average_uv(old, output, there, share)
    logits = _average_logits(old.chart_logits, output.chart_logits, share)
    average = DenseOutput(
        logits,
        u,
        v,
        confidence_logit + share * (output.confidence_logit - confidence_logit),
        before.output.quality_logit + (output.quality_logit - before.output.quality_logit) / (MOST_FRAMES + 1),
    )
    (shown,) = sample(before.shown[None], there, nearest=True)
    scores = logits.copy()
    rows, columns = np.indices(shown.shape)
    scores[shown, rows, columns] += SHOWN_BONUS * np.minimum(weight / FULL_BONUS, 1) * (shown > 0)
    return _decided(crop, picture, average, np.minimum(weight + 1, np.float32(MOST_FRAMES)), scores)


def _normalised(output: DenseOutput) -> DenseOutput:
    """The output with log probabilities of charts, none below LEAST_LOG."""
    logits = output.chart_logits - output.chart_logits.max(axis=0)
    logits -= np.log(np.exp(logits).sum(axis=0))
    return output._replace(chart_logits=np.maximum(logits, np.float32(LEAST_LOG), dtype=np.float32))


def _cells_in(old: Box, new: Box, grid_hw: tuple[int, int]) -> np.ndarray:
    """Where the cells of a crop lie in another crop, in its cells: (h, w, 2) float32."""
    here = cell_centres(*grid_hw)
    if old == new:
        return here
    grid_wh = np.array(grid_hw[::-1], np.float64)
    (old_corner, old_size), (new_corner, new_size) = (
        (np.array(box[:2], np.float64), np.array(box[2:], np.float64) - box[:2]) for box in (old, new)
    )
    scale, shift = new_size / old_size, (new_corner - old_corner) / old_size * grid_wh
    return here * scale.astype(np.float32) + shift.astype(np.float32)


def _trust(before: Estimate, motion: Motion) -> np.ndarray:
    """How far the average holds at each cell of its crop after a motion: (h, w) float32 in [0, 1]."""
    person = before.shown > 0
    of_person = np.median(motion.flow[person], axis=0) if person.any() else np.zeros(2, np.float32)
    swing = (motion.flow - of_person) / np.float32(SWING)
    return motion.same * np.exp(-(swing * swing).sum(axis=-1))


def _average_logits(old: np.ndarray, new: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Log probabilities of charts (25, h, w), of which the new frame has a share (h, w); more in that of background."""
    logits = old + share * (new - old)
    outline_old, outline_new = (one[1:].max(axis=0) - one[0] for one in (old, new))
    outline_share = np.maximum(share, np.float32(1 / (MOST_OF_OUTLINE + 1)))
    logits[0] = logits[1:].max(axis=0) - (outline_old + outline_share * (outline_new - outline_old))
    return logits


def _average_uv(
    old: DenseOutput, new: DenseOutput, there: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """U and V (24, h/2, w/2) of the average and the new frame, of which the new one has a share (h, w).

    old: its U and V are still where they were, at positions `there` of each cell (h, w, 2).
    """
    size_wh = new.u.shape[:0:-1]
    half = np.array([size_wh[0] / share.shape[1], size_wh[1] / share.shape[0]], np.float32)
    there = cv2.resize(there, size_wh, interpolation=cv2.INTER_AREA) * half
    share = cv2.resize(share, size_wh, interpolation=cv2.INTER_AREA)
    u, v = new.u.copy(), new.v.copy()
    logits = new.chart_logits[1:]
    for chart in np.flatnonzero(logits.max(axis=(1, 2)) > np.log(LEAST_PRESENT)):
        probability = np.exp(cv2.resize(logits[chart], size_wh, interpolation=cv2.INTER_AREA))
        near = cv2.blur(probability, (AREA, AREA)) + np.float32(1e-3)
        before = sample(np.stack([old.u[chart], old.v[chart]]), there)
        for into, of_old in zip((u[chart], v[chart]), before, strict=True):
            difference = into - of_old
            drift = cv2.blur(difference * probability, (AREA, AREA)) / near
            into[:] = of_old + drift + share * (difference - drift)
    return u, v


def _decided(
    crop: Box, picture: np.ndarray, output: DenseOutput, weight: np.ndarray, scores: np.ndarray
) -> tuple[Estimate, DenseOutput]:
    """The estimate and what to decode, of scores (25, h, w) of the charts: without small components."""
    weighted = scores.copy()
    weighted[1:] += LOG_PERSON_WEIGHT
    shown = weighted.argmax(axis=0).astype(np.uint8)
    person = shown > 0
    erase_small_components(shown)
    dropped = person & (shown == 0)
    scores[1:, dropped] = LEAST_LOG - LOG_PERSON_WEIGHT
    scores[0, dropped] = 0
    return Estimate(crop, picture, output, weight, shown), output._replace(chart_logits=scores)
