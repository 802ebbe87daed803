import numpy as np
import pytest

from opendensepose.annotate.checks.body import joint, path_to_torso
from opendensepose.annotate.checks.processes import pixels_by_place, places_by_pixel

NOISE = 1e-4


@pytest.fixture(params=[places_by_pixel, pixels_by_place])
def process(request):
    """The parts of 60 random answers, their process, and the covariance of its observations."""
    rng = np.random.default_rng(3)
    part = rng.integers(1, 15, 60)
    made = request.param(part, rng.normal(size=(60, 2)), 0.3 * rng.normal(size=(60, 3)), np.full(60, NOISE))
    return part, made, np.linalg.inv(made.precision)


def conditioned(covariance, value, own):
    """Mean and covariance of some observations given all others, by the textbook."""
    others = np.setdiff1d(np.arange(len(value)), own)
    gain = np.linalg.solve(covariance[np.ix_(others, others)], covariance[np.ix_(others, own)]).T
    return gain @ value[others], covariance[np.ix_(own, own)] - gain @ covariance[np.ix_(others, own)]


def test_left_out_observations_are_judged_by_all_others(process):
    _, made, covariance = process
    residual, variance = made.left_out()
    for k in (0, 31, 59):
        mean, (expected,) = conditioned(covariance, made.value, [k])
        np.testing.assert_allclose(residual[k], made.value[k] - mean[0], atol=1e-5)
        assert variance[k] == pytest.approx(expected[0], rel=1e-4)


def test_an_observation_taken_out_tells_nothing(process):
    _, made, covariance = process
    residual, _ = made.without(7).left_out()
    others = np.delete(np.arange(60), [5, 7])
    gain = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, 5])
    np.testing.assert_allclose(residual[5], made.value[5] - gain @ made.value[others], atol=1e-5)


def test_a_part_is_predicted_by_the_others_and_padding_changes_nothing(process):
    part, made, covariance = process
    blocks = [np.flatnonzero(part == number) for number in (1, 6)]
    is_there = np.arange(12) < np.array([[len(own)] for own in blocks])
    own = np.zeros(is_there.shape, int)
    own[is_there] = np.concatenate(blocks)
    for block, mean, spread in zip(blocks, *made.without_part(own, is_there), strict=True):
        count = len(block)
        true_mean, true_spread = conditioned(covariance, made.value, block)
        np.testing.assert_allclose(mean[:count], true_mean, atol=1e-5)
        np.testing.assert_allclose(spread[:count, :count], true_spread - NOISE * np.eye(count), atol=1e-5)


def test_the_puppet_hangs_together_at_its_joints():
    """Parent and child put their joint at the same pixel: observed twice, it differs by the noise alone."""
    for child in range(2, 15):
        path = path_to_torso(child)
        place = joint(path[0], path[1])
        made = pixels_by_place(np.array(path[:2]), np.zeros((2, 2)), np.array([place, place]), np.full(2, NOISE))
        assert made.left_out()[1] == pytest.approx([2 * NOISE] * 2, rel=1e-2)


def test_a_turned_part_fits_and_a_point_moved_on_it_does_not():
    rng = np.random.default_rng(1)
    rest = rng.normal(size=(10, 3)) * [0.1, 0.05, 0.2]
    slope = np.linalg.qr(rng.normal(size=(3, 3)))[0][:2]
    xy_m, part, noise = rest @ slope.T, np.full(10, 9), np.full(10, 0.01**2)
    residual, variance = pixels_by_place(part, xy_m, rest, noise).left_out()
    assert (np.linalg.norm(residual, axis=1) < 2 * np.sqrt(variance)).all()
    xy_m[4] += [0.1, 0]
    residual, variance = pixels_by_place(part, xy_m, rest, noise).left_out()
    assert ((residual**2).sum(1) / variance).argmax() == 4
    np.testing.assert_allclose(residual[4], [0.1, 0], atol=0.02)
