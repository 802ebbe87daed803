"""The average: what all frames say stays, what one frame says against the others goes, and nothing is shown late."""

import numpy as np
import pytest
from tests.video.clips import ground
from tests.video.test_motion import shifted

from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.models.densepose_lite.crops import crop_and_resize
from opendensepose.models.densepose_lite.decode import decode_pixels
from opendensepose.video.crops import output_of_labels
from opendensepose.video.motion import motion_between, small_picture
from opendensepose.video.steady import MOST_FRAMES, first_estimate, next_estimate

SIZE = (96, 128)
CROP, GRID = (25, 8, 85, 88), (80, 60)


def person(chart: np.ndarray, u: float | np.ndarray = 0.25, confidence: float = 0.9) -> Instance:
    on = (chart > 0).astype(np.float32)
    return Instance(np.float32([0, 0, 1, 1]), 0.5, IUV(chart, u * on, 0.5 * on), confidence * on)


def square(x: int, chart: int = 2, y: int = 20) -> np.ndarray:
    i = np.zeros(SIZE, np.uint8)
    i[y : y + 40, x : x + 30] = chart
    return i


def averaged(people: list[Instance], images: list[np.ndarray], crops: list | None = None) -> list[IUV]:
    """Take the labels of frames, in the order of time, into one estimate; the labels of each frame, (96, 128)."""
    estimate, results = None, []
    for one, image, crop in zip(people, images, crops or [CROP] * len(people), strict=True):
        output = output_of_labels(one, crop, GRID)
        picture = small_picture(crop_and_resize(image, crop, GRID), GRID)
        if estimate is None:
            estimate, to_decode = first_estimate(crop, picture, output)
        else:
            there = small_picture(crop_and_resize(image, estimate.crop, GRID), GRID)
            motion = motion_between(estimate.picture, there)
            estimate, to_decode = next_estimate(estimate, motion, crop, picture, output)
        x0, y0, x1, y1 = crop
        rows, columns = (np.arange(SIZE[0]) + 0.5 - y0) / (y1 - y0), (np.arange(SIZE[1]) + 0.5 - x0) / (x1 - x0)
        maps = decode_pixels(to_decode, rows, columns)[:3]
        outside = (rows < 0) | (rows > 1), (columns < 0) | (columns > 1)
        for one_map in maps:
            one_map[outside[0]], one_map[:, outside[1]] = 0, 0
        results.append(IUV(*maps))
    return results


def test_labels_that_agree_stay_what_they_are():
    for iuv in averaged([person(square(40))] * 4, [ground(SIZE)] * 4):
        np.testing.assert_array_equal(iuv.i, square(40))
        np.testing.assert_allclose(iuv.u, 0.25 * (square(40) > 0), atol=1e-5)


def test_one_frame_against_the_others_is_not_shown():
    odd = square(40)
    odd[30:40, 50:60] = 9
    charts = [square(40)] * 4 + [odd] + [square(40)] * 2
    for iuv in averaged([person(one) for one in charts], [ground(SIZE)] * 7):
        np.testing.assert_array_equal(iuv.i, square(40))


def test_noise_of_u_is_averaged():
    """Noise that differs from cell to cell and from frame to frame."""
    rng = np.random.default_rng(0)
    noisy = [person(square(40), np.float32(0.3 + 0.1 * rng.uniform(-1, 1, SIZE))) for _ in range(8)]
    results = averaged(noisy, [ground(SIZE)] * 8)
    inside = np.s_[24:56, 44:66]
    assert results[-1].u[inside].std() < 0.6 * results[0].u[inside].std()
    assert abs(results[-1].u[inside].mean() - 0.3) < 0.01


def test_labels_that_wander_in_one_direction_are_followed_though_the_picture_stands_still():
    """Somebody in plain clothes turns: U grows by 0.03 in each frame."""
    results = averaged([person(square(40), 0.2 + 0.03 * k) for k in range(8)], [ground(SIZE)] * 8)
    for k, iuv in enumerate(results):
        assert np.abs(iuv.u[22:58, 42:68] - (0.2 + 0.03 * k)).max() <= 0.03, k  # a frame's lag at most


@pytest.mark.parametrize("crop_moves", [False, True])
def test_labels_move_with_the_picture_without_lag(crop_moves):
    """A square that moves along with its ground is where it is in each frame, whether the crop follows or stays."""
    images = [shifted(ground(SIZE), 2 * k, 0) for k in range(7)]
    crops = [(CROP[0] + 2 * k * crop_moves, CROP[1], CROP[2] + 2 * k * crop_moves, CROP[3]) for k in range(7)]
    for k, iuv in enumerate(averaged([person(square(32 + 2 * k)) for k in range(7)], images, crops)):
        assert np.count_nonzero(iuv.i != square(32 + 2 * k)) <= 0.04 * 1200, k


def test_another_picture_forgets_what_was_before():
    """After a cut the frame's own labels count, at once."""
    dark = ground(SIZE) // 3
    bright = 255 - ground(SIZE, seed=1) // 3
    results = averaged([person(square(30, 2))] * 5 + [person(square(45, 9))], [dark] * 5 + [bright])
    assert np.count_nonzero(results[-1].i != square(45, 9)) <= 0.03 * 1200


def test_what_frames_keep_saying_is_shown_whatever_was_shown_before():
    num_after = 2 * int(MOST_FRAMES)
    charts = [square(40)] * 6 + [square(40, 9)] * num_after
    results = averaged([person(one) for one in charts], [ground(SIZE)] * len(charts))
    assert (results[5].i[square(40) > 0] == 2).all() and (results[-1].i[square(40) > 0] == 9).all()


def test_a_person_without_labels_gives_none():
    for iuv in averaged([person(np.zeros(SIZE, np.uint8))] * 2, [ground(SIZE)] * 2):
        assert not iuv.i.any()
