"""The points that an annotator is to answer, and their order: neighbours follow each other along bands of each part.

The paper (DensePose, Güler et al. 2018, section 3): k-means on the part's pixels, at most 14 points, presented in
horizontal or vertical succession.
"""

import numpy as np

from opendensepose.data.sampling import point_count, sample_part_points
from opendensepose.part_grid import GRID, part_at

__all__ = ["PART_ORDER", "presentation_order", "sample_points"]

PART_ORDER = (14, 1, 11, 13, 2, 10, 12, 3, 6, 8, 5, 7, 9, 4)  # head, torso, then along each limb, the right ones first
MOST_SIDE_PX = 512  # boxes larger than that are sampled at every second, third, ... pixel


def sample_points(parts: np.ndarray, box_xyxy: np.ndarray, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Sample a person's points in the order of presentation: part (P,) uint8 1..14, xy (P, 2) float64, pixel centres.

    parts: (256, 256) uint8 laid over box_xyxy of a photo of size_hw. No pixel comes twice; every point lies in the mask
    of its part. The same masks always give the same points. ValueError for another shape or an empty box.
    """
    parts, box = np.asarray(parts), np.asarray(box_xyxy, np.float64)
    if parts.shape != (GRID, GRID) or box.shape != (4,) or not (box[2:] > box[:2]).all():
        raise ValueError(
            f"parts must be ({GRID}, {GRID}) and the box x0 < x1, y0 < y1, got {parts.shape} and {box.tolist()}."
        )
    x, y = (_pixel_centres(box[k], box[k + 2], size_hw[1 - k]) for k in range(2))
    xy = np.stack(np.meshgrid(x, y), -1)  # (h, w, 2)
    part_of_pixel = part_at(parts, box, xy)
    sampled_part, sampled_xy = [], []
    for part in PART_ORDER:
        place = sample_part_points(part_of_pixel == part, point_count(float((parts == part).sum())))
        found = xy[place[:, 1], place[:, 0]]
        sampled_xy.append(found[presentation_order(found)])
        sampled_part.append(np.full(len(found), part, np.uint8))
    return np.concatenate(sampled_part), np.concatenate(sampled_xy)


def _pixel_centres(start: float, stop: float, photo_side: int) -> np.ndarray:
    """Centres of the photo's pixels from start to stop, at most MOST_SIDE_PX of them, evenly spaced."""
    centres = np.arange(max(0, int(np.floor(start))), min(photo_side, int(np.ceil(stop)))) + 0.5
    return centres[:: max(1, -(-len(centres) // MOST_SIDE_PX))]


def presentation_order(xy: np.ndarray) -> np.ndarray:
    """Return the order (P,) in which points xy (P, 2) of one part are presented: band after band, back and forth.

    The bands lie across the longer side of the points' extent and are as wide as the points' spacing.
    """
    if len(xy) < 3:
        return np.lexsort((xy[:, 0], xy[:, 1]))
    extent = np.ptp(xy, axis=0)
    along = 1 if extent[1] >= extent[0] else 0
    gap = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(gap, np.inf)
    steps = max(1, round(float(extent[along] / max(np.median(gap.min(1)), 1e-6))))
    band = np.rint((xy[:, along] - xy[:, along].min()) / max(extent[along], 1e-6) * steps).astype(int)
    turn = np.unique(band, return_inverse=True)[1] % 2
    across = np.where(turn == 1, -1, 1) * xy[:, 1 - along]
    return np.lexsort((across, band))
