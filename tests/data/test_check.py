"""What a file holds, counted by hand, and the defects of its entries gathered."""

import json

import numpy as np
import pytest
from tests.data.test_coco import document
from tests.data.test_defects import standing
from tests.data.test_results import entry

from opendensepose.data import KEYPOINT_NAMES, category, check_file, report_lines


def check(tmp_path, content, images=None):
    path = tmp_path / "file.json"
    path.write_text(json.dumps(content))
    return check_file(path, images)


def only_defect(report):
    (defect,) = report.defects
    return f"{defect.entry}: {defect.kind}: {defect.sentence}"


def test_a_file_without_defects_is_counted(tmp_path):
    whole = document()
    whole["annotations"].append({"id": 6, "image_id": 3, "bbox": [0, 0, 10, 10], "iscrowd": 1})
    report = check(tmp_path, whole)
    assert report.defects == []
    assert (report.num_images, report.num_people, report.num_crowds, report.points) == (1, 2, 1, [2])
    assert np.flatnonzero(report.points_by_part).tolist() == [1, 14]  # charts 2 and 23
    assert np.flatnonzero(report.people_by_part).tolist() == [1, 14]
    assert np.flatnonzero(report.masks_by_part).tolist() == [1]
    text = "\n".join(report_lines(report))
    assert "people            2   with points 1, crowds 1" in text
    assert "a person has 2 to 2, on average 2.0" in text
    assert text.endswith("no defects")


def test_several_defects_of_one_annotation_are_all_told(tmp_path):
    report = check(tmp_path, document(dp_x=[300, 1], dp_I=[2, 99], dp_U=[2, float("nan")]))
    assert [defect.kind for defect in report.defects] == [
        "point outside the box", "I outside 1..24", "not a finite number", "U outside [0, 1]",
    ]  # fmt: skip
    text = "\n".join(report_lines(report))
    assert "defects: 4" in text and text.count("\nannotation 5: ") == 4


def test_duplicate_and_missing_ids(tmp_path):
    whole = document()
    whole["annotations"] += [whole["annotations"][0], whole["annotations"][0] | {"id": "5"}, "text"]
    whole["images"] *= 3
    told = [f"{defect.entry}: {defect.kind}" for defect in check(tmp_path, whole).defects]
    assert sorted(told) == [
        "annotation 5: duplicate id",
        "entry 2 of annotations: missing field",
        "entry 3 of annotations: not an object",
        "image 3: duplicate id",
    ]


def test_keypoints_go_by_the_files_own_names(tmp_path):
    whole = standing()
    order = [0, *(k + 1 if k % 2 else k - 1 for k in range(1, 17))]  # each right one before its left one
    whole["categories"] = [category() | {"keypoints": [KEYPOINT_NAMES[k] for k in order]}]
    table = np.reshape(whole["annotations"][0]["keypoints"], (17, 3))
    whole["annotations"][0]["keypoints"] = table[order].ravel().tolist()
    assert check(tmp_path, whole).defects == []
    whole["categories"] = []
    assert check(tmp_path, whole).defects != []


def test_results_are_checked(tmp_path):
    report = check(tmp_path, [entry(), entry(image_id=8)])
    assert (report.num_images, report.num_people, report.defects) == (2, 2, [])
    assert "detections          2" in "\n".join(report_lines(report))
    assert "detection 1: not an object" in only_defect(check(tmp_path, [entry(), 5]))


def test_photos_are_checked_where_their_folder_is_given(tmp_path):
    assert check(tmp_path, document()).defects == []
    assert "image 3: missing image: 3.jpg is not in" in only_defect(check(tmp_path, document(), tmp_path))


@pytest.mark.parametrize("content", [{}, {"images": []}, {"images": {}, "annotations": []}, 5, "text"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    with pytest.raises(ValueError, match="holds neither annotations"):
        check(tmp_path, content)


def test_a_missing_folder_of_photos_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        check(tmp_path, document(), tmp_path / "gone")
