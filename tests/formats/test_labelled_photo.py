"""Whose labels are written, and how a person is cut out and put back."""

import numpy as np
import pytest
from PIL import Image
from tests.formats.people import SIZE_HW, assert_same_map, two_people

from opendensepose.formats.labelled_photo import (
    LabelledPhoto,
    drop_unsure,
    known_size_hw,
    labelled_box,
    one_person,
    person_from_crop,
    person_in_box,
    photo_finder,
    select_people,
)
from opendensepose.instance import Instance
from opendensepose.iuv import IUV, empty_iuv


def test_people_are_chosen_by_number_and_size():
    first, second = people = two_people().people
    assert select_people(people, "all") == people
    assert select_people(people, "1") == [first] and select_people(people, "2") == [second]
    assert select_people(people, "3") == []
    assert select_people(people[::-1], "largest") == [first], "35 columns against 25"
    assert select_people([], "largest") == []
    for wrong in ("0", "-1", "1.5", "biggest", "", "²"):
        with pytest.raises(ValueError, match="a person must be all, largest or a number from 1, got"):
            select_people(people, wrong)


def test_unsure_pixels_become_background_and_who_has_no_other_is_dropped():
    people = two_people().people
    assert drop_unsure(people, 0) == people
    (kept,) = drop_unsure(people, 0.5)
    assert_same_map(kept.iuv, people[1].iuv)
    half = people[0].confidence.copy()
    half[:, :20] = 0.9
    sure = Instance(people[0].box_xyxy, 0.9, people[0].iuv, np.where(people[0].iuv.i > 0, half, 0).astype(np.float32))
    (kept,) = drop_unsure([sure], 0.5)
    assert labelled_box(kept.iuv.i) == (5, 5, 20, 35)
    assert not kept.confidence[:, 20:].any() and not kept.iuv.u[:, 20:].any()


def test_the_box_of_labels():
    i = np.zeros((7, 9), np.uint8)
    assert labelled_box(i) == (0, 0, 0, 0)
    i[2, 3] = i[5, 4] = 1
    assert labelled_box(i) == (3, 2, 5, 6)


@pytest.mark.parametrize("box", [(5.7, 5.2, 40.9, 35.9), (10, 10, 20, 20), (0, 0, 60, 40), (5, 5, 40, 35)])
def test_a_person_cut_out_and_put_back_is_whole(box):
    person = two_people().people[0]
    person = Instance(np.float32(box), person.score, person.iuv, person.confidence)
    wide, crop = person_in_box(person)
    assert crop.size_hw == (int(wide[3] - wide[1]), int(wide[2] - wide[0]))
    assert_same_map(person_from_crop(wide, 0.9, crop, SIZE_HW).iuv, person.iuv)


def test_a_box_is_kept_if_it_cuts_nothing_off():
    person = two_people().people[0]
    exact = Instance(np.float32([4.75, 4.5, 41.5, 36.75]), 1.0, person.iuv, person.confidence)
    np.testing.assert_array_equal(person_in_box(exact)[0], exact.box_xyxy)
    empty = Instance(np.float32([3, 3, 3, 3]), 1.0, empty_iuv(SIZE_HW), np.zeros(SIZE_HW, np.float32))
    box, crop = person_in_box(empty)
    assert crop.size_hw == (1, 1) and box.tolist() == [3, 3, 3, 3]


def test_what_of_a_crop_lies_outside_the_photo_is_cut_off():
    crop = one_person(IUV(np.full((4, 4), 2, np.uint8), *[np.full((4, 4), 0.5, np.float32)] * 2)).iuv
    back = person_from_crop(np.float32([3.9, -0.5, 8, 3]), 1.0, crop, (6, 5))
    assert labelled_box(back.iuv.i) == (3, 0, 5, 4)


def test_sizes_must_agree_and_stems_are_names_without_a_photo_s_ending():
    with pytest.raises(ValueError, match="two.jpg is 9 x 9, its labels or pixels 60 x 40"):
        LabelledPhoto("two.jpg", (9, 9), two_people().people)
    names = {"a/b/two.jpg": "two", "x.y.PNG": "x.y", "frame.0001": "frame.0001", "000012": "000012"}
    assert {name: LabelledPhoto(name, SIZE_HW, []).stem for name in names} == names


def test_sizes_are_stated_or_the_photo_s(tmp_path):
    Image.new("RGB", (7, 5)).save(tmp_path / "a.png")
    find = photo_finder([tmp_path / "a.png"])
    assert find("a.png") == find("elsewhere/a.jpg") == find("a") == tmp_path / "a.png" and find("b") is None
    assert known_size_hw("b", [3, 4], None) == (3, 4)
    assert known_size_hw("a.jpg", None, find) == known_size_hw("a.jpg", [0, 4], find) == (5, 7)
    with pytest.raises(ValueError, match="does not state the photos' sizes: .*--photos"):
        known_size_hw("a", None, None)
    with pytest.raises(ValueError, match="the photo b is not among the photos"):
        known_size_hw("b", None, find)
    (tmp_path / "sub").mkdir()
    with pytest.raises(ValueError, match="have one name"):
        photo_finder([tmp_path / "a.png", tmp_path / "sub" / "a.jpg"])
