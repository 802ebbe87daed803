"""A person's labels -> a 3D body: the whole way, coarse to fine.

The world of a fit: the camera at the origin looks along y, x is the photo's right, z its up; metres. In it the neutral
body faces the camera (docs/conventions.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opendensepose.camera import Camera
from opendensepose.fit.correspondences import Correspondences, sample_pixels
from opendensepose.fit.joints import JOINTS
from opendensepose.fit.posed_points import PosedPoints, Skeleton
from opendensepose.fit.prior import SHAPE_MEAN, SHAPE_SPREAD, load_pose_prior
from opendensepose.fit.solve import Problem, Solution, Weights, cost_of, covariance, project, solve
from opendensepose.fit.start import starts
from opendensepose.instance import Instance
from opendensepose.surface import load_surface
from opendensepose.synth.body.body import load_body

__all__ = ["BodyFit", "BodyFitter", "guess_focal"]

TO_CAMERA = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float64)  # from the fit's world to the camera's axes
GUESSED_FOCAL = 1.3  # of the photo's longer side: between a phone's main lens and a portrait's
GUESS_SPREAD = 0.3  # standard deviation of its logarithm
LABEL_ERROR_M = 0.06  # a label's usual error on the body
FINEST_PX = 0.25
FEW_PIXELS, MANY_PIXELS = 160, 450
MOST_STARTS = 3
FAR_SHARE = 0.15  # of the pixels may be off by more than two usual errors, or another start is tried


def guess_focal(size_hw: tuple[int, int]) -> float:
    """Guess the focal length of a photo in pixels."""
    return GUESSED_FOCAL * max(size_hw)


@dataclass(frozen=True)
class BodyFit:
    """A body in a photo; lengths in metres, in the world described above.

    camera: the photo's. vertices (V, 3) float32: of `load_surface()`. pose (K, 4, 4) float32: Anny's pose parameters,
    the first with the body's place; bones: their names. shape: Anny's phenotypes by name, in [0, 1]. confidence: of
    each joint, how much the pixels said of it, 0 (nothing: it is where it usually is) to 1. off_px: median distance
    of the labelled pixels from where the body has their points.
    """

    camera: Camera
    vertices: np.ndarray
    pose: np.ndarray
    bones: tuple[str, ...]
    shape: dict[str, float]
    confidence: dict[str, float]
    off_px: float


class BodyFitter:
    """Fits bodies to labelled people. Loading takes seconds, a body about as long; needs the extra `render`."""

    def __init__(self) -> None:
        self.skeleton = Skeleton(load_body("cpu"))
        self.prior = load_pose_prior()
        self.shape_mean, self.shape_spread = (
            np.array([table[name] for name in self.skeleton.body.phenotypes]) for table in (SHAPE_MEAN, SHAPE_SPREAD)
        )

    def __call__(
        self,
        person: Instance,
        focal_px: float | None = None,
        focal_spread: float | None = None,
        center_px: Sequence[float] | None = None,
    ) -> BodyFit:
        """Fit a body to a person's labels.

        focal_px: the photo's focal length in pixels, None: `guess_focal`. focal_spread: how unsure it is, the standard
        deviation of its logarithm; 0 holds it fixed, which is the default for a given one. center_px: the principal
        point, None: the photo's middle. ValueError if too few pixels are labelled, the focal length is not above 0, or
        no camera sees the body so.
        """
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # the matrices are small: threads would only wait for each other
            return self._fit(person, focal_px, focal_spread, center_px)

    def _fit(
        self,
        person: Instance,
        focal_px: float | None,
        focal_spread: float | None,
        center_px: Sequence[float] | None,
    ) -> BodyFit:
        height, width = person.iuv.size_hw
        if focal_px is not None and not (np.isfinite(focal_px) and focal_px > 0):
            raise ValueError(f"the focal length must be above 0 pixels, got {focal_px}.")
        spread = focal_spread if focal_spread is not None else GUESS_SPREAD if focal_px is None else 0.0
        focal = focal_px or guess_focal((height, width))
        center = np.array((width / 2, height / 2) if center_px is None else center_px, np.float64)
        coarse = _coarse(self.problem(sample_pixels(person, FEW_PIXELS), focal, center), spread)
        problem = self.problem(sample_pixels(person, MANY_PIXELS), focal, center)
        found, sigma_px = _fine(problem, coarse, spread)
        return self._result(problem, found, sigma_px, spread, (height, width))

    def problem(self, pairs: Correspondences, focal_px: float, center_px: np.ndarray) -> Problem:
        """Make the least squares problem of a person's pairs."""
        points = PosedPoints(self.skeleton, pairs.points)
        focal = float(np.log(focal_px))
        return Problem(points, pairs, center_px, self.prior, self.shape_mean, self.shape_spread, focal)

    def _result(
        self, problem: Problem, found: Solution, sigma_px: float, spread: float, size_hw: tuple[int, int]
    ) -> BodyFit:
        placement, body = found.placement, self.skeleton.body
        in_world = placement._replace(rotation=TO_CAMERA.T @ placement.rotation, place=TO_CAMERA.T @ placement.place)
        center = float(problem.center_px[0]), float(problem.center_px[1])
        camera = Camera(TO_CAMERA.astype(np.float32), np.zeros(3, np.float32), found.focal_px, center, size_hw)
        return BodyFit(
            camera,
            self.skeleton.vertices(in_world)[load_surface().anny_vertex],
            self.skeleton.pose_matrices(in_world)[0],
            tuple(body.bone_index),
            dict(zip(body.phenotypes, map(float, placement.shape), strict=True)),
            self._confidence(problem, found, Weights(max(sigma_px, _label_error_px(found)), 4.0, focal_spread=spread)),
            float(np.median(_off_px(problem, found))),
        )

    def _confidence(self, problem: Problem, found: Solution, weights: Weights) -> dict[str, float]:
        """1 - what is left of the prior's variance, by joint."""
        after, before = covariance(problem, found, weights), self.prior.covariance
        share = {}
        for joint in JOINTS:
            own = self.skeleton.space.columns[joint.name]
            left = np.trace(after[6:, 6:][own, own]) / np.trace(before[own, own])
            share[joint.name] = float(np.clip(1 - left, 0, 1))
        return share


def _coarse(problem: Problem, spread: float) -> Solution:
    """The first of a few starts that explains the pixels, else the best."""
    found: list[Solution] = []
    for start in starts(problem, MOST_STARTS):
        at = solve(problem, start, Weights(3 * _label_error_px(start), 6.0, focal_spread=spread), 12, shape_every=0)
        weights = Weights(_label_error_px(at), 5.0, focal_spread=spread)
        at = solve(problem, at, weights, 8)
        if (_off_px(problem, at) > 2 * weights.sigma_px).mean() < FAR_SHARE:
            return at
        found.append(at)
    if not found:
        raise ValueError("no camera was found that sees a body like this: the labels contradict each other.")
    weights = Weights(min(map(_label_error_px, found)), 5.0, focal_spread=spread)  # one for all, so that costs compare
    return min(found, key=lambda one: cost_of(problem, one, weights))


def _fine(problem: Problem, at: Solution, spread: float) -> tuple[Solution, float]:
    """Go on with more pixels, then trust the labels as far as they agree with each other. Also returns their error."""
    usual = _label_error_px(at)
    at = solve(problem, at, Weights(usual, 4.0, focal_spread=spread), 15)
    seen = float(np.median(_off_px(problem, at))) / 1.18  # of a normal error in x and in y with deviation 1
    sigma = float(np.clip(seen, FINEST_PX, usual))
    return solve(problem, at, Weights(sigma, 4.0, focal_spread=spread), 18), sigma


def _off_px(problem: Problem, at: Solution) -> np.ndarray:
    places = problem.points.positions(at.placement)
    return np.linalg.norm(project(places, at.focal_px, problem.center_px) - problem.pairs.pixel_xy, axis=1)


def _label_error_px(at: Solution) -> float:
    """The usual error in pixels at the body's distance."""
    return max(LABEL_ERROR_M * at.focal_px / max(float(at.placement.place[2]), 0.2), 0.5)
