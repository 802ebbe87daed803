"""The least squares: projection and its derivative, the gradient is the cost's, and steps only improve."""

import numpy as np
import pytest
from tests.fit.people import CAMERA, fitter, labelled, placement, vertices_of

from opendensepose.fit.body_fit import TO_CAMERA
from opendensepose.fit.correspondences import sample_pixels
from opendensepose.fit.rotations import rotation_matrix
from opendensepose.fit.solve import (
    Solution,
    Weights,
    cost_of,
    covariance,
    normal_equations,
    project,
    project_derivatives,
    solve,
)

CENTER = np.array(CAMERA.center_px)


def known(seed: int = 0):
    """A problem without errors, and its solution."""
    body = placement(seed)
    problem = fitter().problem(sample_pixels(labelled(vertices_of(body)), 120), CAMERA.focal_px, CENTER)
    in_camera = body._replace(rotation=TO_CAMERA @ body.rotation, place=TO_CAMERA @ body.place)
    return problem, Solution(in_camera, float(np.log(CAMERA.focal_px)))


def moved(solution: Solution, step: np.ndarray) -> Solution:
    body, end = solution.placement, 6 + len(solution.placement.pose)
    body = body._replace(
        rotation=rotation_matrix(step[:3]) @ body.rotation,
        place=body.place + step[3:6],
        pose=body.pose + step[6:end],
        shape=body.shape + step[end:-1],
    )
    return Solution(body, solution.log_focal + step[-1])


def test_projection_by_hand_and_its_derivative():
    places = np.array([[1.0, -0.5, 2.0], [0.0, 0.2, 4.0]])
    assert project(places, 100, np.array([50, 40])).tolist() == [[100, 15], [50, 45]]
    step = 1e-6 * np.random.default_rng(0).normal(0, 1, places.shape)
    change = project(places + step, 100, CENTER) - project(places, 100, CENTER)
    assert change == pytest.approx((project_derivatives(places, 100) @ step[..., None])[..., 0], rel=1e-4)


def test_the_gradient_is_that_of_the_cost():
    """Also of the priors and the limits; by differences in random directions."""
    problem, solution = known()
    rng, weights = np.random.default_rng(0), Weights(2.0, 3.0)
    solution = moved(solution, 0.05 * rng.normal(0, 1, 6 + 56 + 11 + 1))
    solution.placement.pose[8] = problem.prior.high[8] + 0.1  # beyond a limit
    np.clip(solution.placement.shape, 0.05, 0.95, out=solution.placement.shape)
    gradient, _ = normal_equations(problem, solution, weights, with_shape=True)
    for _ in range(3):
        step = 1e-5 * rng.normal(0, 1, len(gradient))
        difference = cost_of(problem, moved(solution, step), weights) - cost_of(
            problem, moved(solution, -step), weights
        )
        assert difference == pytest.approx(4 * gradient @ step, rel=2e-2, abs=1e-4)


def test_the_true_body_explains_the_labels_and_steps_return_to_it():
    problem, truth = known()
    places = problem.points.positions(truth.placement)
    assert np.linalg.norm(project(places, truth.focal_px, CENTER) - problem.pairs.pixel_xy, axis=1).max() < 0.5
    weights = Weights(0.5, 6.0, focal_spread=0.0)
    start = moved(truth, np.concatenate([[0.1, -0.1, 0.1, 0.03, 0, 0.1], np.full(56, 0.04), np.zeros(12)]))
    found = solve(problem, start, weights, 15)
    assert found.cost < 0.2 * cost_of(problem, start, weights)
    assert found.log_focal == start.log_focal
    again = problem.points.positions(found.placement)
    assert np.linalg.norm(again - places, axis=1).mean() < 0.02


def test_outliers_hardly_count():
    problem, truth = known()
    weights = Weights(0.5, 3.0)
    before = cost_of(problem, truth, weights)
    problem.pairs.pixel_xy[:6] += 40
    assert cost_of(problem, truth, weights) - before < 6 * weights.cut**2 * problem.pairs.weight[0] + 1e-6


def test_what_pixels_say_lowers_the_variance():
    problem, truth = known()
    left = np.diag(covariance(problem, truth, Weights(1.0, 3.0)))
    columns = fitter().skeleton.space.columns
    prior = np.diag(problem.prior.covariance)
    assert (left > 0).all()
    assert (left[6 : 6 + len(prior)] <= prior * 1.0001).all()
    assert left[6:][columns["upperleg01.L"]].sum() < 0.2 * prior[columns["upperleg01.L"]].sum()
