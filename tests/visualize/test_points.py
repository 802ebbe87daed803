"""Dots at an annotation's points, and at a sample of a prediction's pixels, in the colours of their values."""

import numpy as np
import pytest
from tests.visualize.people import GREY, SIZE_HW, annotation, instance

from opendensepose.surface import CHART_COLOURS
from opendensepose.visualize import draw_points, uv_ramp
from opendensepose.visualize.points import NO_VALUE, _dot, dot_radius, paint_dots, sample_points


def test_a_dot_covers_its_area_and_is_centred():
    panel = np.zeros((40, 50, 3), np.float32)
    _dot(panel, np.array([20.25, 17.75]), 6.0, np.float32([1, 1, 1]), 1.0)
    weight = panel[..., 0]
    y, x = np.mgrid[:40, :50] + 0.5
    assert weight.sum() == pytest.approx(np.pi * 36, rel=0.01)
    assert (weight * x).sum() / weight.sum() == pytest.approx(20.25, abs=0.02)
    assert (weight * y).sum() / weight.sum() == pytest.approx(17.75, abs=0.02)
    assert ((weight > 0.05) & (weight < 0.95)).any()  # smooth edges


def test_a_dot_outside_changes_nothing_and_one_at_the_edge_is_cut_off():
    panel = np.zeros((40, 50, 3), np.float32)
    for centre in ((-20, 10), (10, 90), (1e9, -1e9)):
        _dot(panel, np.array(centre), 6.0, np.float32([1, 1, 1]), 1.0)
    assert not panel.any()
    _dot(panel, np.array([0.0, 20.0]), 6.0, np.float32([1, 1, 1]), 1.0)
    assert panel[..., 0].sum() == pytest.approx(np.pi * 18, rel=0.03)


def test_an_annotation_s_points_have_the_colour_of_what_is_asked_for():
    person = annotation([[20.5, 30.5], [60.5, 30.5]], [2, 9], [0, 1], [1, 0])
    ramp = uv_ramp()
    for value, colours in (("i", CHART_COLOURS[[2, 9]]), ("u", ramp[[0, 255]]), ("v", ramp[[255, 0]])):
        picture = draw_points(GREY, [person], value=value)
        assert picture.shape == GREY.shape and picture.dtype == np.uint8
        np.testing.assert_array_equal(picture[30, [20, 60]], colours)
    with pytest.raises(ValueError, match="value must be 'i', 'u' or 'v', got 'x'"):
        draw_points(GREY, [person], value="x")


def test_points_without_a_chart_are_grey():
    person = annotation([[20.5, 30.5]], [0], [0], [0], vertex=np.array([7]))
    np.testing.assert_array_equal(draw_points(GREY, [person])[30, 20], NO_VALUE)


def test_a_prediction_is_sampled_evenly_inside_the_person():
    person = instance()
    for most in (1, 7, 150, 10_000):
        xy = sample_points(person, most)
        assert 0.4 * min(most, 1600) <= len(xy) <= most
        x, y = xy.astype(int).T
        assert (person.iuv.i[y, x] > 0).all()
    assert len(sample_points(person, 10_000)) == 40 * 40, "every pixel, once"
    picture = draw_points(GREY, [person, annotation([[70.5, 5.5]], [9], [1], [1])], value="v")
    x, y = sample_points(person)[0].astype(int)
    np.testing.assert_array_equal(picture[y, x], uv_ramp()[255])
    np.testing.assert_array_equal(picture[5, 70], uv_ramp()[255])


def test_a_person_without_labels_has_no_points():
    empty = instance(rows=(10, 10))
    assert sample_points(empty).shape == (0, 2)
    picture = draw_points(GREY, [empty])
    assert (picture == picture[0, 0]).all()


def test_dots_do_not_overlap_where_points_are_even():
    points = [(x, y) for x in range(10, 310, 20) for y in range(10, 210, 20)]
    radius = dot_radius(np.float32([0, 0, 300, 200]), len(points), 1.0)
    assert 2 * radius < 20
    panel = np.zeros((*SIZE_HW, 3), np.float32)
    paint_dots(panel, np.zeros((0, 2)), np.zeros((0, 3)), radius)
    assert not panel.any()
