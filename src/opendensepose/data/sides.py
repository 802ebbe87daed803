"""Whether a person's left and right part labels agree with the person's keypoints."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from opendensepose.surface import PART_NAMES

__all__ = ["side_contradictions"]


class _Limb(NamedTuple):
    """The numbers of a left and a right part, and the keypoints, without their side, at the ends of its bone."""

    left: int
    right: int
    start: str
    end: str


_LIMBS = (
    _Limb(3, 2, "wrist", "wrist"),
    _Limb(4, 5, "ankle", "ankle"),
    _Limb(7, 6, "hip", "knee"),
    _Limb(9, 8, "knee", "ankle"),
    _Limb(10, 11, "shoulder", "elbow"),
    _Limb(12, 13, "elbow", "wrist"),
)
_FEWEST_POINTS = 2
_LEAST_GAP = 0.12  # of the root of the box's area: closer bones do not distinguish the sides


def side_contradictions(
    part: np.ndarray, point_xy: np.ndarray, keypoints: np.ndarray, names: Sequence[str], box_side_px: float
) -> list[str]:
    """List a sentence for each limb whose points lie on the bone of the other side.

    part: (P,) 1..14. point_xy: (P, 2) and keypoints: (K, 3) x, y, visibility, in pixels of the photo; names: of the K
    keypoints. box_side_px: root of the area of the person's box. A limb is judged if both sides' keypoints are
    labelled and the two bones are far enough apart. It contradicts if its points are, on average, nearer to the other
    side's bone than to their own by more than half the distance of the bones, so crossed limbs pass.
    """
    place = {name: k for k, name in enumerate(names)}
    found = []
    for limb in _LIMBS:
        ends = [[place.get(f"{side}_{joint}", -1) for joint in (limb.start, limb.end)] for side in ("left", "right")]
        if min(map(min, ends)) < 0 or not (keypoints[ends, 2] > 0).all():
            continue
        bones = keypoints[ends, :2]  # (2 sides, 2 ends, 2)
        gap = np.linalg.norm(bones[0].mean(axis=0) - bones[1].mean(axis=0))
        if not gap > _LEAST_GAP * box_side_px:
            continue
        for number, own, other in ((limb.left, 0, 1), (limb.right, 1, 0)):
            points = point_xy[part == number]
            if len(points) < _FEWEST_POINTS:
                continue
            to_own, to_other = (_distance(points, *bones[side]).mean() for side in (own, other))
            if to_own - to_other > gap / 2:
                found.append(
                    f"the {len(points)} points labelled {PART_NAMES[number]} lie {to_own:.0f} px from the keypoints of"
                    f" that side and {to_other:.0f} px from the other side's"
                )
    return found


def _distance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance (P,) of points (P, 2) to the segment from start to end, which may be one point."""
    along = end - start
    t = np.clip((points - start) @ along / max(float(along @ along), 1e-12), 0, 1)
    return np.linalg.norm(points - start - t[:, None] * along, axis=1)
