import numpy as np
import pytest

from opendensepose.visualize.errors import draw_body_errors, draw_person_errors, error_colours


def luminance(rgb):
    return np.asarray(rgb, float) @ [0.299, 0.587, 0.114]


def test_colours_darken_with_the_error_and_end_at_the_limit():
    colours = luminance(error_colours(np.linspace(0, 0.3, 50)))
    assert (np.diff(colours) < 0).all()
    np.testing.assert_array_equal(error_colours(np.array([0.3])), error_colours(np.array([np.inf])))
    grey = error_colours(np.array([np.nan]))[0].astype(int)
    assert np.ptp(grey) < 20 and error_colours(np.zeros((2, 3))).shape == (2, 3, 3)


def test_a_body_of_one_error_is_one_hue_and_a_worse_chart_is_darker():
    error = np.full(25, 0.05)
    even = draw_body_errors(error)
    error[2] = 0.25
    worse = draw_body_errors(error)
    assert even.shape == worse.shape and even.dtype == np.uint8
    changed = luminance(even) - luminance(worse)
    assert changed.max() > 50 and 0.02 < (np.abs(changed) > 20).mean() < 0.3
    with pytest.raises(ValueError, match=r"\(25,\)"):
        draw_body_errors(np.zeros(24))


def test_points_are_drawn_where_they_are():
    photo = np.full((100, 80, 3), 128, np.uint8)
    chart = np.zeros((100, 80), np.uint8)
    chart[20:60, 30:50] = 2
    box, points = (30, 20, 50, 60), np.array([[40.0, 30.0], [40.0, 50.0]])
    picture = draw_person_errors(photo, box, points, np.array([0.0, np.inf]), chart, height=200)
    assert picture.shape[0] == 200 and picture.shape[2] == 3
    width = (picture.shape[1] - 6) // 2
    empty = draw_person_errors(photo, box, np.zeros((0, 2)), np.zeros(0), 0 * chart, height=200)
    changed = np.abs(picture.astype(int) - empty).max(2) > 30
    left, right = changed[:, :width], changed[:, width + 6 :]
    assert 0.1 < left.mean() < 0.9
    rows, columns = np.nonzero(right)
    assert abs(columns.mean() - width / 2) < 6  # both in the middle, one above it and one below
    assert rows.min() < 100 < rows.max() and not right[95:105].any()
    with pytest.raises(ValueError, match="chart map"):
        draw_person_errors(photo, box, points, np.zeros(2), chart[1:])
