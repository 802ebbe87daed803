"""Photo, U and V side by side, of predictions and of annotations; a picture for notebooks."""

import numpy as np
import pytest
from tests.visualize.people import GREY, annotation, instance

from opendensepose.visualize import draw_charts, draw_labels, draw_overlay, draw_triple, fit_panel, show, uv_ramp


def thirds(picture):
    """The panels' parts of the picture, without captions."""
    width = picture.shape[1] // 3
    return [picture[:480, k * width : (k + 1) * width].reshape(-1, 3).astype(int) for k in range(3)]


@pytest.mark.parametrize(
    "person",
    [instance(u=0.0, v=1.0), annotation([[40.5, 30.5]], [2], [0], [1])],
    ids=["predicted", "annotated"],
)
def test_u_is_in_the_middle_and_v_at_the_right(person):
    photo, u, v = thirds(draw_triple(GREY, [person]))
    low, high = uv_ramp()[[0, 255]].astype(int)

    def count(panel, colour):
        return (np.abs(panel - colour).max(axis=1) < 25).sum()

    assert count(u, low) > 100 and count(v, high) > 100
    assert count(u, high) == count(v, low) == count(photo, low) == count(photo, high) == 0


def test_mixed_people_are_refused_and_nobody_is_drawn():
    with pytest.raises(ValueError, match="got both"):
        draw_triple(GREY, [instance(), annotation([[1, 1]], [1], [0], [0])])
    assert draw_triple(GREY, []).ndim == 3
    assert draw_triple(GREY, [], title="nobody").shape[0] > draw_triple(GREY, []).shape[0]


def test_panels_are_of_good_size():
    assert fit_panel(GREY).shape == (480, 640, 3)
    assert fit_panel(np.zeros((3000, 1500, 3), np.uint8)).shape == (1400, 700, 3)
    same = np.zeros((700, 900, 3), np.uint8)
    assert fit_panel(same) is same


def test_a_notebook_is_shown_the_picture_that_was_asked_for():
    people = [instance()]
    image = show(GREY, people)
    np.testing.assert_array_equal(np.asarray(image), draw_overlay(GREY, people))
    assert image._repr_png_().startswith(b"\x89PNG")
    np.testing.assert_array_equal(np.asarray(show(GREY, people, draw_charts)), draw_charts(GREY, people))


def test_all_pictures_of_a_prediction_are_there_and_differ():
    pictures = draw_labels(GREY, [instance()], "a title")
    assert list(pictures) == ["triple", "charts", "contours", "points", "confidence"]
    for kind in ("charts", "contours", "points"):
        assert pictures[kind].shape == GREY.shape
    assert len({picture.tobytes() for picture in pictures.values()}) == 5
    assert draw_labels(GREY, [])["charts"].tolist() == GREY.tolist()
