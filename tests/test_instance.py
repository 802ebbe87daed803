"""Persons in a photo, and who gets a pixel that two claim."""

from dataclasses import replace

import numpy as np
import pytest

from opendensepose.instance import DenseAnnotation, Instance, merge_instances, place_in_photo, without_duplicates
from opendensepose.iuv import IUV, empty_iuv
from opendensepose.surface import SurfaceEmbedding


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
    assert without_duplicates([double, neighbour, surer]) == [surer, neighbour]


@pytest.mark.parametrize("chart, same", [(2, True), (5, False)])
def test_a_small_part_of_someone_found_again_whole_is_one_person_if_the_labels_agree(chart, same):
    part = replace(person(2, slice(0, 2), 0.5), score=0.9)
    whole = person(chart, slice(0, 4), 0.5)  # half of it is shared, the part wholly
    assert without_duplicates([whole, part]) == ([part] if same else [part, whole])
    if same:  # one chart, but other places in it
        moved = replace(whole, iuv=replace(whole.iuv, u=whole.iuv.u + 0.5 * (whole.iuv.i > 0).astype(np.float32)))
        assert without_duplicates([moved, part]) == [part, moved]


def test_persons_without_pixels_hide_nobody():
    nobody = replace(person(2, slice(0, 3), 0.5), iuv=empty_iuv((2, 4)))
    assert len(without_duplicates([nobody, person(2, slice(0, 3), 0.5)])) == 2


def test_a_window_lands_at_its_corner_and_ends_at_the_photos_edge():
    i, u = np.uint8([[1, 2, 3], [4, 0, 6]]), np.float32([[0.1, 0.2, 0.3], [0.4, 0, 0.6]])
    box = np.float32([2, 1, 5, 3])
    one = place_in_photo(IUV(i, u, u / 2), u + 0.1, (2, 1), (4, 4), box, 0.7)
    assert one.iuv.size_hw == (4, 4) and one.box_xyxy is box and one.score == 0.7
    for whole, part in ((one.iuv.i, i), (one.iuv.u, u), (one.iuv.v, u / 2), (one.confidence, u + 0.1)):
        np.testing.assert_array_equal(whole[1:3, 2:], part[:, :2])
        assert np.count_nonzero(whole) == np.count_nonzero(part[:, :2])


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


def annotation(**changes):
    """Two points of one person; any field may be replaced."""
    values = {
        "annotation_id": 7,
        "image_id": 3,
        "box_xyxy": np.array([10, 20, 110, 220], np.float32),
        "point_xy": np.array([[60.5, 120.5], [61.5, 90.0]]),
        "i": np.array([2, 23], np.uint8),
        "u": np.array([0.0, 1.0], np.float32),
        "v": np.array([0.5, 0.25], np.float32),
        "mask": np.zeros((256, 256), np.uint8),
        "area": 9000.0,
        "iscrowd": False,
    }
    return DenseAnnotation(**(values | changes))


def test_an_annotation_with_and_without_optional_parts():
    full = annotation(vertex=np.array([0, 27553]), keypoints=np.zeros((17, 3), np.float32))
    assert full.vertex.tolist() == [0, 27553]
    bare = annotation(mask=None)
    assert bare.mask is bare.vertex is bare.keypoints is None


def test_an_annotation_may_have_no_points_and_vertices_need_no_chart():
    nothing = {name: getattr(annotation(), name)[:0] for name in ("point_xy", "i", "u", "v")}
    assert len(annotation(**nothing).i) == 0
    zeros = {"i": np.zeros(2, np.uint8), "u": np.zeros(2, np.float32), "v": np.zeros(2, np.float32)}
    assert annotation(**zeros, vertex=np.array([5, 6])).i.tolist() == [0, 0]


def test_one_person_with_charts_at_points_and_masks_is_annotated():
    assert annotation().is_annotated
    zeros = {"i": np.zeros(2, np.uint8), "vertex": np.array([5, 6])}
    for changes in ({"mask": None}, {"iscrowd": True}, zeros):
        assert not annotation(**changes).is_annotated


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"box_xyxy": [0, 0, 1, 1]}, r"box_xyxy must be float32 of shape \(4,\), got list"),
        ({"box_xyxy": np.zeros(4)}, "got float64"),
        ({"box_xyxy": np.array([3, 0, 1, 2], np.float32)}, "x0 <= x1"),
        ({"point_xy": np.zeros((3, 2))}, r"point_xy must be float64 of shape \(2, 2\), got float64 of shape \(3, 2\)"),
        ({"point_xy": np.full((2, 2), np.nan)}, "point_xy must be finite, got nan"),
        ({"i": np.array([1, 25], np.uint8)}, r"i must lie in .* got values from 1 to 25"),
        ({"i": np.array([0, 2], np.uint8)}, "1..24"),
        ({"i": np.zeros((2, 1), np.uint8)}, "i must be"),
        ({"u": np.array([0, 1.5], np.float32)}, r"u must lie in \[0, 1\], got values from 0.0 to 1.5"),
        ({"v": np.array([np.inf, 0], np.float32)}, "v must be finite"),
        ({"mask": np.zeros((255, 256), np.uint8)}, r"mask must be uint8 of shape \(256, 256\)"),
        ({"mask": np.full((256, 256), 15, np.uint8)}, "mask must lie in"),
        ({"vertex": np.array([-1, 4])}, "vertex must lie in"),
        ({"vertex": np.array([4])}, r"shape \(2,\), got int64 of shape \(1,\)"),
        ({"keypoints": np.zeros(51, np.float32)}, r"\(17, 3\)"),
        ({"area": float("nan")}, "area"),
        ({"area": -1.0}, "area"),
    ],
)
def test_a_wrong_annotation_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        annotation(**changes)


def test_the_window_of_an_embedding_lies_in_the_photo():
    embedding = SurfaceEmbedding(
        "tiny", np.int32([1, 2, 4, 4]), np.int32([[0, -1, 7], [-1, 2, 3]]), np.ones((2, 3, 3), "f4")
    )

    def of_size(height, width):
        return Instance(
            np.float32([1, 2, 4, 4]), 0.5, empty_iuv((height, width)), np.zeros((height, width), "f4"), embedding
        )

    assert np.argwhere(of_size(4, 4).mask).tolist() == [[2, 1], [2, 3], [3, 2], [3, 3]]
    for size in ((3, 4), (4, 3)):
        with pytest.raises(
            ValueError, match=r"the embedding's window must lie in the photo of shape .*, got \[1, 2, 4, 4\]"
        ):
            of_size(*size)
