"""Which pixel of a detection is read, and what becomes of an annotation."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.people import UVDistances, annotation, detection, image

from opendensepose.evaluation.measures import AnnotatedImage, measure
from opendensepose.evaluation.people import (
    DetectedPerson,
    annotated_person,
    confidence_at,
    detected_person,
    keep_annotated,
    keep_detected,
    labels_at,
)
from opendensepose.iuv import IUV, QuantisedIUV, empty_iuv

SIZE_HW = (40, 60)
REGION = np.zeros(SIZE_HW, bool)
REGION[:, :20] = True


def person(box):
    return annotated_person(annotation(box, []), SIZE_HW)


def test_an_annotated_person_has_the_points_with_charts():
    person = annotated_person(annotation((2, 3, 12, 23), [(5, 6, 2, 0.5, 0.25), (7, 8, 9, 1, 0)], area=77), (40, 40))
    assert person.box_xywh.tolist() == [2, 3, 10, 20] and person.box_xyxy.tolist() == [2, 3, 12, 23]
    assert person.point_xy.tolist() == [[5, 6], [7, 8]] and [part.tolist() for part in person.true] == [
        [2, 9], [0.5, 1], [0.25, 0],
    ]  # fmt: skip
    assert person.has_points and person.area == 77 and person.foreground is None and not person.iscrowd
    assert not annotated_person(annotation((2, 3, 12, 23), []), (40, 40)).has_points


def test_labels_beyond_the_boxs_whole_width_do_not_count_in_a_results_crop():
    iuv = QuantisedIUV(*np.full((3, 8, 8), 5, np.uint8))
    points = np.array([[14.9, 20.5], [15.1, 20.5], [12.5, 23.9], [12.5, 24.1]])
    box = np.array([10, 20, 5.9, 4.2])
    ends = DetectedPerson(box, 1, iuv, box[:2], ends_at_box=True)
    assert labels_at(ends, points).i.tolist() == [5, 0, 5, 0]
    assert labels_at(ends, points).u.tolist() == [5 / 255, 0, 5 / 255, 0]
    assert ends.foreground((40, 40)).mask.shape == (4, 5)
    whole = DetectedPerson(box, 1, iuv, box[:2])
    assert labels_at(whole, points).i.tolist() == [5] * 4 and whole.foreground((40, 40)).mask.shape == (8, 8)


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


@pytest.mark.parametrize("box, score", [([0, 0, 1], 1), ([3, 0, -1, 1], 1), ([0, 0, np.inf, 1], 1), ([0] * 4, np.nan)])
def test_wrong_detections_are_refused(box, score):
    with pytest.raises(ValueError, match="box|score"):
        DetectedPerson(np.array(box, float), score, empty_iuv((1, 1)), np.zeros(2))


def test_confidence_is_read_where_labels_are():
    i = np.array([[1, 2, 0]], np.uint8)
    sure = np.array([[0.25, 0.75, 0.5]], np.float32)
    one = replace(detection((10, 20, 13, 21), i), confidence=sure)
    points = np.array([[10.5, 20.5], [11.5, 20.5], [12.5, 20.5], [13.5, 20.5]])
    np.testing.assert_array_equal(confidence_at(one, points), [0.25, 0.75, np.nan, np.nan])
    assert np.isnan(confidence_at(detection((10, 20, 13, 21), i), points)).all()
    with pytest.raises(ValueError, match="confidence"):
        replace(one, confidence=sure[:, :2])


@pytest.mark.parametrize(
    ("box", "stays"),
    [
        ((13, 0, 23, 10), False),  # 7 of 10 columns
        ((14, 0, 24, 10), True),
        ((13.9, 0, 23.9, 10.9), False),  # corners and sides are cut to whole pixels
        ((30, 0, 40, 10), True),
        ((30, 0, 30.5, 10), False),  # no whole pixel
        ((-5, 0, 15, 10), False),
        ((-16, 0, 4, 10), True),  # 4 of 20 columns
    ],
)
def test_people_in_the_region_are_left_out(box, stays):
    assert keep_annotated(person(box), REGION) == stays


@pytest.mark.parametrize(("left", "stays"), [(11, False), (12, True), (40, True)])
def test_detections_whose_labels_lie_in_the_region_are_left_out(left, stays):
    found = detection((left, 0, left + 10, 10), 3)  # from 11: 9 of 10 columns
    assert keep_detected(found, found.foreground(SIZE_HW), REGION) == stays


def test_the_labels_count_and_not_the_box():
    i = np.zeros((10, 10), np.uint8)
    i[:, :2] = 3
    found = detection((15, 0, 25, 10), i)
    assert not keep_detected(found, found.foreground(SIZE_HW), REGION)
    empty = detection((5, 0, 15, 10), 0)
    assert keep_detected(empty, empty.foreground(SIZE_HW), REGION)


def test_who_lies_in_a_region_is_neither_missed_nor_wrong():
    left, right = (0, 0, 15, 30), (30, 0, 55, 30)
    people = [annotation(left, [(5, 5, 2, 0, 0)]), annotation(right, [(40, 5, 2, 0, 0)], number=2)]
    one = image(people, [detection(left, 3, score=0.9), detection(right, 2, score=0.8)], size_hw=SIZE_HW)
    assert measure([one], UVDistances()).gps["kappa"].ar == 0.5
    inside = AnnotatedImage(1, SIZE_HW, one.people, one.detections, REGION)
    result = measure([inside], UVDistances())
    assert result.gps["kappa"].ap == pytest.approx(1) and [who.annotation_id for who in result.people] == [2]
    assert result.num_detections == 1
