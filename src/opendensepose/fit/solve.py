"""Robust least squares over camera, root, pose and shape: Levenberg-Marquardt with Geman-McClure weights.

Places are in the camera's axes here: x right, y down, z forward, metres. Residuals are in pixels over sigma. A
residual r costs c^2 r^2 / (c^2 + r^2) (Geman and McClure 1987): beyond c sigma a pixel hardly counts.

Letters: N pairs, D unknowns: turn and shift of the root, pose, shape, logarithm of the focal length.
"""

from dataclasses import dataclass, replace

import numpy as np

from opendensepose.fit.correspondences import Correspondences
from opendensepose.fit.posed_points import Placement, PosedPoints
from opendensepose.fit.prior import PosePrior
from opendensepose.fit.rotations import rotation_matrix

__all__ = ["Problem", "Solution", "Weights", "cost_of", "covariance", "normal_equations", "project",
           "project_derivatives", "solve"]  # fmt: skip

NEAR_M = 0.05  # places nearer to the camera are treated as if they were here
LONGEST_TURN = 0.6  # radians of a joint in one step
SMALL_GAIN = 5e-4  # of the cost: a step of the shape that gains less is the last
FAILED_STEPS = 6  # in succession, then it is done


@dataclass(frozen=True)
class Solution:
    """A body before the camera. placement: in the camera's axes. log_focal: of the focal length in pixels."""

    placement: Placement
    log_focal: float
    cost: float = np.inf

    @property
    def focal_px(self) -> float:
        return float(np.exp(self.log_focal))


@dataclass(frozen=True)
class Weights:
    """How much is believed. sigma_px: a label's usual error. cut: the robust cost's c, in sigmas. num_independent: what
    N pairs count as, since neighbouring labels err alike. focal_spread: standard deviation of the focal length's
    logarithm, 0: it is known. limits: precision of the joints' limits."""

    sigma_px: float
    cut: float
    num_independent: float = 150.0
    focal_spread: float = 0.25
    limits: float = float(np.radians(3.0)) ** -2


@dataclass(frozen=True)
class Problem:
    """Pairs and what is likely. points: those of the pairs; center_px: the camera's principal point; shape_mean,
    shape_spread (S,); log_focal: the guess."""

    points: PosedPoints
    pairs: Correspondences
    center_px: np.ndarray
    prior: PosePrior
    shape_mean: np.ndarray
    shape_spread: np.ndarray
    log_focal: float


def project(places: np.ndarray, focal_px: float, center_px: np.ndarray) -> np.ndarray:
    """Project places (..., 3) in the camera's axes to pixels (..., 2)."""
    depth = np.maximum(places[..., 2:], NEAR_M)
    return focal_px * places[..., :2] / depth + center_px


def project_derivatives(places: np.ndarray, focal_px: float) -> np.ndarray:
    """Compute how a place's pixel moves with the place: (N, 2, 3)."""
    depth = np.maximum(places[:, 2], NEAR_M)
    out = np.zeros((len(places), 2, 3))
    out[:, 0, 0] = out[:, 1, 1] = focal_px / depth
    out[:, :, 2] = -focal_px * places[:, :2] / depth[:, None] ** 2
    return out


def solve(problem: Problem, start: Solution, weights: Weights, num_steps: int, shape_every: int = 3) -> Solution:
    """Improve a solution by at most num_steps steps. shape_every: each so many-th step changes shape and focal length
    too, 0: none does."""
    at, damping, failed = replace(start, cost=cost_of(problem, start, weights)), 1e-2, 0
    for step in range(num_steps):
        with_shape = bool(shape_every) and step % shape_every == shape_every - 1
        gradient, hessian = normal_equations(problem, at, weights, with_shape)
        while failed < FAILED_STEPS:
            change = np.linalg.solve(hessian + damping * np.diag(np.diag(hessian) + 1e-9), -gradient)
            moved = _moved(at, change)
            moved = replace(moved, cost=cost_of(problem, moved, weights))
            if moved.cost < at.cost:
                break
            damping, failed = damping * 6, failed + 1
        else:
            return at
        small = at.cost - moved.cost < SMALL_GAIN * at.cost
        at, damping, failed = moved, max(damping / 4, 1e-6), 0
        if small and (with_shape or not shape_every):
            break
    return at


def covariance(problem: Problem, at: Solution, weights: Weights) -> np.ndarray:
    """Estimate the unknowns' covariance (D, D) at a solution: the inverse of the Gauss-Newton matrix."""
    return np.linalg.inv(normal_equations(problem, at, weights, with_shape=True)[1])


def _moved(at: Solution, change: np.ndarray) -> Solution:
    """The solution after a change (D,), shortened where joints turn far; phenotypes stay in [0, 1]."""
    placement, num_pose = at.placement, len(at.placement.pose)
    change = change * min(
        1.0, LONGEST_TURN / max(np.abs(change[6 : 6 + num_pose]).max(), np.abs(change[:3]).max(), 1e-12)
    )
    shape = np.clip(placement.shape + change[6 + num_pose : -1], 0.0, 1.0)
    moved = Placement(
        rotation_matrix(change[:3]) @ placement.rotation,
        placement.place + change[3:6],
        placement.pose + change[6 : 6 + num_pose],
        shape,
    )
    return Solution(moved, at.log_focal + change[-1])


def _residuals(problem: Problem, places: np.ndarray, at: Solution, weights: Weights) -> np.ndarray:
    return (project(places, at.focal_px, problem.center_px) - problem.pairs.pixel_xy) / weights.sigma_px


def _data_share(problem: Problem, weights: Weights) -> np.ndarray:
    return problem.pairs.weight * min(1.0, weights.num_independent / problem.pairs.weight.sum())


def cost_of(problem: Problem, at: Solution, weights: Weights) -> float:
    """Compute the cost of a solution: of pixels, prior and limits."""
    square = (_residuals(problem, problem.points.positions(at.placement), at, weights) ** 2).sum(1)
    robust = weights.cut**2 * square / (weights.cut**2 + square)
    cost = float((_data_share(problem, weights) * robust).sum())
    prior, placement = problem.prior, at.placement
    off = placement.pose - prior.mean
    beyond = np.maximum(placement.pose - prior.high, 0) + np.minimum(placement.pose - prior.low, 0)
    cost += float(off @ prior.precision @ off + weights.limits * (beyond @ beyond))
    cost += float((((placement.shape - problem.shape_mean) / problem.shape_spread) ** 2).sum())
    if weights.focal_spread:
        cost += ((at.log_focal - problem.log_focal) / weights.focal_spread) ** 2
    return cost


def normal_equations(
    problem: Problem, at: Solution, weights: Weights, with_shape: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (D,) and Gauss-Newton matrix (D, D) of half the cost; of what is held fixed, 0 and a row of the unit
    matrix."""
    placement, prior = at.placement, problem.prior
    places, derivatives = problem.points.derivatives(placement, with_shape)
    residual = _residuals(problem, places, at, weights)
    to_pixel = project_derivatives(places, at.focal_px) / weights.sigma_px
    by_focal = residual + (problem.pairs.pixel_xy - problem.center_px) / weights.sigma_px
    rows = np.concatenate([to_pixel @ derivatives, by_focal[:, :, None]], 2)  # (N, 2, D)
    square = (residual**2).sum(1)
    importance = _data_share(problem, weights) * (weights.cut**2 / (weights.cut**2 + square)) ** 2
    flat = rows.reshape(-1, rows.shape[2])
    weighted = flat * np.repeat(importance, 2)[:, None]
    gradient, hessian = weighted.T @ residual.ravel(), weighted.T @ flat
    pose = slice(6, 6 + len(placement.pose))
    shape = slice(pose.stop, pose.stop + len(placement.shape))
    beyond = np.maximum(placement.pose - prior.high, 0) + np.minimum(placement.pose - prior.low, 0)
    gradient[pose] += prior.precision @ (placement.pose - prior.mean) + weights.limits * beyond
    hessian[pose, pose] += prior.precision + weights.limits * np.diag((beyond != 0).astype(float))
    gradient[shape] += (placement.shape - problem.shape_mean) / problem.shape_spread**2
    hessian[shape, shape] += np.diag(problem.shape_spread**-2.0)
    if weights.focal_spread:
        gradient[-1] += (at.log_focal - problem.log_focal) / weights.focal_spread**2
        hessian[-1, -1] += weights.focal_spread**-2
    held = np.zeros(len(gradient), bool)
    held[shape] = ((placement.shape <= 0) & (gradient[shape] > 0)) | ((placement.shape >= 1) & (gradient[shape] < 0))
    if not with_shape:
        held[shape] = held[-1] = True
    if not weights.focal_spread:
        held[-1] = True
    gradient[held] = 0
    hessian[held] = hessian[:, held] = 0
    hessian[held, held] = 1
    return gradient, hessian
