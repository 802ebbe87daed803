import numpy as np
import pytest
from tests.evaluation.people import UVDistances, detection

from opendensepose.evaluation.errors import ChartDistances, DetectedPerson, detected_person, labels_at, point_errors
from opendensepose.iuv import IUV, empty_iuv
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
        def between_labels(self, a, b):
            assert (b[0] > 0).all()
            return super().between_labels(a, b)

    true, said = labels([2, 3, 4], [0.5] * 3, [0.5] * 3), labels([0, 3, 5], [0, 0.5, 0.5], [0, 0.5, 0.5])
    assert point_errors(true, said, OnlyLabels()).tolist() == [np.inf, 0, 10]
    assert point_errors(*[labels([], [], [])] * 2, UVDistances()).shape == (0,)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        point_errors(labels([1], [0], [0]), labels([1, 1], [0, 0], [0, 0]), UVDistances())


def test_the_label_read_is_that_of_the_pixel():
    i = np.arange(6, dtype=np.uint8).reshape(2, 3) + 1
    found = detection((10, 20, 13, 22), i, i / 24, 1 - i / 24)
    read = labels_at(found, np.array([[10.0, 20.0], [12.999, 21.5], [11.5, 20.5], [13.0, 20.0], [11.0, 22.0]]))
    assert read[0].tolist() == [1, 6, 2, 0, 0]
    np.testing.assert_allclose(read[1], read[0] / 24)
    np.testing.assert_allclose(read[2][:3], 1 - read[0][:3] / 24, atol=1e-6)


def test_a_window_between_pixels_is_read_as_released_evaluators_do():
    """int(x - corner), which rounds towards 0: up to a pixel before the corner still counts."""
    found = detection((10.75, 20.25, 12.75, 22.25), np.array([[1, 2], [3, 4]]))
    read = labels_at(found, np.array([[10.0, 21.0], [11.75, 21.25], [11.74, 21.24], [9.75, 21.0], [12.75, 21.0]]))
    assert read[0].tolist() == [1, 4, 1, 0, 0]


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


def test_a_person_becomes_the_window_of_its_labels():
    i = np.zeros((30, 40), np.uint8)
    i[5:9, 7:10] = 2
    half = np.where(i > 0, np.float32(0.5), np.float32(0))
    found = detected_person(np.array([6, 4, 11, 10], np.float32), 0.75, IUV(i, half, half))
    y, x = np.mgrid[:30, :40]
    points = np.stack([x.ravel() + 0.5, y.ravel() + 0.5], 1)
    for read, whole in zip(labels_at(found, points), (i, half, half), strict=True):
        np.testing.assert_array_equal(read.reshape(30, 40), whole)
    assert found.score == 0.75 and found.area_px == 30
    nobody = detected_person(np.zeros(4, np.float32), 0.5, empty_iuv((30, 40)))
    assert not labels_at(nobody, points)[0].any()


@pytest.mark.parametrize("box, score", [([0, 0, 1], 1), ([3, 0, 1, 1], 1), ([0, 0, np.inf, 1], 1), ([0] * 4, np.nan)])
def test_wrong_detections_are_refused(box, score):
    with pytest.raises(ValueError, match="box|score"):
        DetectedPerson(np.array(box, float), score, empty_iuv((1, 1)), np.zeros(2))
