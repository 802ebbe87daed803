"""Where the least squares start: the rigid placement (PnP) of typical poses, of which the best few go on."""

import cv2
import numpy as np

from opendensepose.fit.posed_points import Placement
from opendensepose.fit.solve import Problem, Solution, project

__all__ = ["starts"]

REACH_SHARE = 0.08  # of the person's size: a pair farther off is no inlier of the rigid placement
TORSO = (1, 2)


def starts(problem: Problem, num_kept: int) -> list[Solution]:
    """Place the prior's typical poses by RANSAC and PnP, and keep those that agree with the pixels best."""
    size = float(np.linalg.norm(np.ptp(problem.pairs.pixel_xy, axis=0)))
    torso = np.isin(problem.pairs.chart, TORSO)
    focal = float(np.exp(problem.log_focal))
    found = []
    for pose in problem.prior.starts:
        placement = Placement(np.eye(3), np.zeros(3), pose, problem.shape_mean)
        body = problem.points.positions(placement)
        for mask in (np.ones(len(torso), bool), torso):
            if mask.sum() < 12:
                continue
            rigid = _rigid(body[mask], problem.pairs.pixel_xy[mask], focal, problem.center_px, REACH_SHARE * size)
            if rigid is None:
                continue
            rotation, place = rigid
            off = np.linalg.norm(
                project(body @ rotation.T + place, focal, problem.center_px) - problem.pairs.pixel_xy, axis=1
            ) / (REACH_SHARE * size)
            cost = float((problem.pairs.weight * off**2 / (1 + off**2)).sum())
            found.append(Solution(placement._replace(rotation=rotation, place=place), problem.log_focal, cost))
    return sorted(found, key=lambda one: one.cost)[:num_kept]


def _rigid(
    body: np.ndarray, pixel_xy: np.ndarray, focal: float, center: np.ndarray, reach_px: float
) -> tuple[np.ndarray, np.ndarray] | None:
    """Rotation (3, 3) and place (3,) of a rigid body before the camera; None if there is none."""
    camera = np.array([[focal, 0, center[0]], [0, focal, center[1]], [0, 0, 1.0]])
    cv2.setRNGSeed(0)
    ok, turn, place, _ = cv2.solvePnPRansac(
        body, pixel_xy, camera, None, iterationsCount=60, reprojectionError=reach_px, flags=cv2.SOLVEPNP_EPNP
    )
    if not ok or not (np.isfinite(turn).all() and np.isfinite(place).all()) or place[2, 0] < 0.1:
        return None
    return cv2.Rodrigues(turn)[0], place[:, 0]
