import numpy as np
import pytest
from tests.evaluation.people import UVDistances, annotation, detection, image

from opendensepose.evaluation.ignore_regions import keep_annotated, keep_detected
from opendensepose.evaluation.measures import AnnotatedImage, measure
from opendensepose.evaluation.people import annotated_person

SIZE_HW = (40, 60)
REGION = np.zeros(SIZE_HW, bool)
REGION[:, :20] = True


def person(box):
    return annotated_person(annotation(box, []), SIZE_HW)


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
