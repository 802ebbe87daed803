"""The vote: what all say stays, what one frame says against the others goes, and nothing is shown late."""

import numpy as np
import pytest
from tests.video.clips import ground
from tests.video.test_motion import shifted

from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.video.motion import motion_between, small_frame
from opendensepose.video.steady import HISTORY, crop_labels, steady_labels

SIZE = (96, 128)


def person(chart: np.ndarray, u: float | np.ndarray = 0.25, confidence: float = 0.9) -> Instance:
    on = (chart > 0).astype(np.float32)
    return Instance(np.float32([0, 0, 1, 1]), 0.5, IUV(chart, u * on, 0.5 * on), confidence * on)


def square(x: int, chart: int = 2, y: int = 20) -> np.ndarray:
    i = np.zeros(SIZE, np.uint8)
    i[y : y + 40, x : x + 30] = chart
    return i


def voted(people: list[Instance], images: list[np.ndarray]) -> list[IUV]:
    """Let the labels of frames, in the order of time, vote as a labeller does."""
    observed, motions, shown, results = [], [], None, []
    for one, image in zip(people, images, strict=True):
        small = small_frame(image)
        motions = [motion_between(motions[0].small_rgb if motions else None, small, SIZE), *motions[: HISTORY - 1]]
        observed = [crop_labels(one), *observed[: HISTORY - 1]]
        shown = steady_labels(observed, shown, motions, SIZE)
        results.append(shown.as_instance(SIZE, one.box_xyxy, one.score).iuv)
    return results


def test_labels_that_agree_stay_what_they_are():
    results = voted([person(square(40))] * 4, [ground(SIZE)] * 4)
    for iuv in results:
        np.testing.assert_array_equal(iuv.i, square(40))
        np.testing.assert_allclose(iuv.u, 0.25 * (square(40) > 0), atol=1e-6)


def test_one_frame_against_the_others_is_not_shown():
    odd = square(40)
    odd[30:40, 50:60] = 9
    charts = [square(40)] * 4 + [odd] + [square(40)] * 2
    for iuv in voted([person(one) for one in charts], [ground(SIZE)] * 7):
        np.testing.assert_array_equal(iuv.i, square(40))


def test_u_is_the_mean_of_those_who_say_the_same_chart():
    """Noise that differs from pixel to pixel and from frame to frame."""
    sign = np.indices(SIZE).sum(0) % 2 * 2 - 1
    noisy = [person(square(40), np.float32(0.3 + 0.1 * sign * (-1) ** k)) for k in range(6)]
    inside = square(40)[22:58, 42:68] > 0
    assert np.abs(voted(noisy, [ground(SIZE)] * 6)[-1].u[22:58, 42:68][inside] - 0.3).max() < 0.05


def test_labels_that_wander_in_one_direction_are_followed_though_the_picture_stands_still():
    """Somebody in plain clothes turns: U grows by 0.03 in each frame."""
    results = voted([person(square(40), 0.2 + 0.03 * k) for k in range(8)], [ground(SIZE)] * 8)
    inside = square(40) > 0
    for k, iuv in enumerate(results):
        assert np.abs(iuv.u[inside] - (0.2 + 0.03 * k)).max() <= 0.03, k  # a frame's lag at most


def test_labels_move_with_the_picture_without_lag():
    """A square that moves along with its ground is where it is in each frame, though five older frames vote."""
    images = [shifted(ground(SIZE), 3 * k, 0) for k in range(7)]
    for k, iuv in enumerate(voted([person(square(30 + 3 * k)) for k in range(7)], images)):
        assert np.count_nonzero(iuv.i != square(30 + 3 * k)) <= 0.03 * 1200, k


def test_another_picture_forgets_what_was_before():
    """After a cut the frame's own labels count, at once."""
    dark = ground(SIZE) // 3
    bright = 255 - ground(SIZE, seed=1) // 3
    results = voted([person(square(20, 2))] * 5 + [person(square(60, 9))], [dark] * 5 + [bright])
    assert np.count_nonzero(results[-1].i != square(60, 9)) <= 0.02 * 1200


def test_what_all_frames_of_the_vote_say_is_shown_whatever_was_shown_before():
    charts = [square(40)] * 6 + [square(40, 9)] * HISTORY
    results = voted([person(one) for one in charts], [ground(SIZE)] * len(charts))
    assert (results[5].i[square(40) > 0] == 2).all() and (results[-1].i[square(40) > 0] == 9).all()


@pytest.mark.parametrize("window", [(0, 0, 30, 30), (98, 56, 128, 96)])
def test_people_at_the_edge_of_the_frame(window):
    x0, y0, x1, y1 = window
    i = np.zeros(SIZE, np.uint8)
    i[y0:y1, x0:x1] = 5
    for iuv in voted([person(i)] * 3, [ground(SIZE)] * 3):
        np.testing.assert_array_equal(iuv.i, i)


def test_a_person_without_labels_gives_none():
    for iuv in voted([person(np.zeros(SIZE, np.uint8))] * 2, [ground(SIZE)] * 2):
        assert not iuv.i.any()
