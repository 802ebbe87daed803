import numpy as np
import pytest
from tests.evaluation.people import UVDistances

from opendensepose.evaluation.errors import ChartDistances, between_labels, point_errors
from opendensepose.surface import SurfacePoints, load_charts, load_surface, mirror_iuv


class Euclid:
    """Straight lines through the body, in the place of geodesics."""

    def between(self, a, b):
        surface = load_surface()
        apart = [points.xyz(surface.vertices, surface.faces) for points in (a, b)]
        return np.linalg.norm(apart[0] - apart[1], axis=1)


def labels(i, u, v):
    return np.array(i, np.uint8), np.array(u, np.float32), np.array(v, np.float32)


def test_one_point_by_hand():
    error = point_errors(labels([2], [0.5], [0.5]), labels([2], [0.8], [0.1]), UVDistances())
    np.testing.assert_allclose(error, [0.5], atol=1e-6)  # 3, 4, 5


def test_background_is_infinitely_wrong_and_is_not_asked_for():
    class OnlyLabels(UVDistances):
        def locate(self, labels):
            assert (labels.i > 0).all()
            return super().locate(labels)

    true, said = labels([2, 3, 4], [0.5] * 3, [0.5] * 3), labels([0, 3, 5], [0, 0.5, 0.5], [0, 0.5, 0.5])
    assert point_errors(true, said, OnlyLabels()).tolist() == [np.inf, 0, 10]
    assert point_errors(*[labels([], [], [])] * 2, UVDistances()).shape == (0,)


def test_several_predictions_of_a_point_are_each_compared_with_it():
    true, said = labels([2, 3], [0.5] * 2, [0.5] * 2), labels([3, 2, 0, 3], [0.5, 0.6, 0, 0.5], [0.5, 0.5, 0, 0.7])
    of = np.array([1, 0, 0, 1])
    np.testing.assert_allclose(point_errors(true, said, UVDistances(), of), [0, 0.1, np.inf, 0.2], atol=1e-6)
    pairs = [[part[of[[0, 1, 3]]] for part in true], [part[[0, 1, 3]] for part in said]]
    np.testing.assert_allclose(between_labels(UVDistances(), *pairs), [0, 0.1, 0.2], atol=1e-6)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        point_errors(labels([1], [0], [0]), labels([1, 1], [0, 0], [0, 0]), UVDistances())


def test_our_distances_are_the_geodesics_of_the_surface_points():
    charts, surface = load_charts(), load_surface()
    rng = np.random.default_rng(0)
    points = [SurfacePoints(rng.integers(0, len(surface.faces), 200), rng.dirichlet([1, 1, 1], 200)) for _ in range(2)]
    distances = ChartDistances(charts, Euclid())
    error = point_errors(*(charts.from_points(one) for one in points), distances)
    np.testing.assert_allclose(error, Euclid().between(*points), atol=1e-5)
    np.testing.assert_allclose(point_errors(*[charts.from_points(points[0])] * 2, distances), 0, atol=1e-5)


def test_mixed_up_left_and_right_is_as_far_off_as_the_body_is_wide_there():
    """The mirrored label names the mirror image of the point: by straight lines, it is 2 |x| away."""
    charts, surface = load_charts(), load_surface()
    rng = np.random.default_rng(1)
    points = SurfacePoints(rng.integers(0, len(surface.faces), 300), rng.dirichlet([1, 1, 1], 300))
    true = charts.from_points(points)
    error = point_errors(true, mirror_iuv(*true), ChartDistances(charts, Euclid()))
    np.testing.assert_allclose(error, 2 * np.abs(points.xyz(surface.vertices, surface.faces)[:, 0]), atol=1e-4)
