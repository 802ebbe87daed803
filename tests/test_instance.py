"""Persons in a photo, and who gets a pixel that two claim."""

from dataclasses import replace

import numpy as np
import pytest

from opendensepose.instance import Instance, merge_instances, without_repeats
from opendensepose.iuv import IUV, empty_iuv


def person(chart, columns, confidence, size_hw=(2, 4)):
    i, coordinate, sure = np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.float32), np.zeros(size_hw, np.float32)
    i[:, columns], coordinate[:, columns], sure[:, columns] = chart, chart / 24, confidence
    return Instance(np.array([0, 0, 4, 2], np.float32), 0.5, IUV(i, coordinate, coordinate.copy()), sure)


def test_a_disputed_pixel_goes_to_the_surer_one():
    iuv, who = merge_instances([person(2, slice(0, 3), 0.4), person(5, slice(1, 4), 0.7)], (2, 4))
    assert who.tolist() == [[1, 2, 2, 2]] * 2
    assert iuv.i.tolist() == [[2, 5, 5, 5]] * 2
    np.testing.assert_allclose(iuv.u, iuv.i / 24)


def test_of_equals_the_earlier_wins_and_zero_confidence_still_counts():
    iuv, who = merge_instances([person(2, slice(0, 3), 0.0), person(5, slice(1, 4), 0.0)], (2, 4))
    assert who.tolist() == [[1, 1, 1, 2]] * 2
    assert iuv.i.tolist() == [[2, 2, 2, 5]] * 2


def test_nobody_gives_an_empty_map():
    iuv, who = merge_instances([], (3, 5))
    assert iuv.size_hw == who.shape == (3, 5) and not iuv.i.any() and not who.any()


def test_a_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match="person 1 has a map of"):
        merge_instances([person(2, slice(0, 1), 0.5)], (5, 5))


def test_someone_found_twice_is_kept_once_and_neighbours_are_kept():
    surer, double = replace(person(2, slice(0, 3), 0.5), score=0.9), person(2, slice(0, 3), 0.5)
    neighbour = person(2, slice(2, 4), 0.5)  # half of it is shared
    assert without_repeats([double, neighbour, surer]) == [surer, neighbour]


def test_persons_without_pixels_hide_nobody():
    nobody = replace(person(2, slice(0, 3), 0.5), iuv=empty_iuv((2, 4)))
    assert len(without_repeats([nobody, person(2, slice(0, 3), 0.5)])) == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"box_xyxy": np.zeros(3)}, "shape"),
        ({"box_xyxy": np.array([3, 0, 1, 2])}, "x0 <= x1"),
        ({"box_xyxy": np.array([0, 0, np.nan, 2])}, "x0 <= x1"),
        ({"score": 1.2}, "score"),
        ({"confidence": np.zeros((3, 3), np.float32)}, "confidence"),
    ],
)
def test_a_wrong_instance_is_refused(changes, says):
    values = {
        "box_xyxy": np.array([0, 0, 4, 2], np.float32),
        "score": 0.5,
        "iuv": empty_iuv((2, 4)),
        "confidence": np.zeros((2, 4), np.float32),
    }
    with pytest.raises(ValueError, match=says):
        Instance(**(values | changes))
