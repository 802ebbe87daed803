"""What a file holds and what is wrong with it: counted by hand, and every kind of defect made on purpose."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.data.test_coco import document
from tests.data.test_results import GREY, entry

from opendensepose.data import KEYPOINT_NAMES, category, check_file, report_lines


def check(tmp_path, content, images=None):
    path = tmp_path / "file.json"
    path.write_text(json.dumps(content))
    return check_file(path, images)


def only_defect(report):
    (defect,) = report.defects
    return f"{defect.entry}: {defect.kind}: {defect.sentence}"


def test_a_sound_file_is_counted(tmp_path):
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


MASKS = [[] for _ in range(13)]


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"dp_x": [255.5, -1.0]}, "point outside the box: 2 of 2 points: dp_x is 255.5 at point 0"),
        ({"dp_y": [3.0, 256.0]}, "point outside the box: 1 of 2 points: dp_y is 256 at point 1"),
        ({"dp_I": [0.0, 2.0]}, "I outside 1..24: 1 of 2 points: dp_I is 0 at point 0"),
        ({"dp_I": [2.5, 25.0]}, "I outside 1..24: 2 of 2 points: dp_I is 2.5 at point 0"),
        ({"dp_U": [0.5, 1.5]}, r"U outside [0, 1]: 1 of 2 points: dp_U is 1.5 at point 1"),
        ({"dp_V": [-0.5, 1.0]}, r"V outside [0, 1]: 1 of 2 points: dp_V is -0.5 at point 0"),
        ({"dp_U": [float("nan"), 1.0]}, "not a finite number: 1 of 2 points: dp_U is nan at point 0"),
        ({"dp_x": [float("inf"), 1.0]}, "not a finite number: 1 of 2 points: dp_x is inf at point 0"),
        ({"dp_x": [1e300, 1.0]}, "not a finite number: 1 of 2 points: dp_x is 1e+300 at point 0"),
        ({"dp_y": [1.0, 10**400]}, "not a finite number: 1 of 2 points: dp_y is inf at point 1"),
        ({"area": 10**400}, "bad area: area must be a finite number"),
        ({"bbox": [10, 20, 1e300, 102]}, "bad box: bbox: number 2 must be a finite number"),
        ({"dp_V": [0.5]}, "lists of unequal length: dp_x has 2, dp_y has 2, dp_I has 2, dp_U has 2, dp_V has 1"),
        ({"dp_V": ...}, "missing field: dp_V is missing"),
        ({"dp_x": ["a", "b"]}, "not numbers: dp_x is no list of numbers"),
        ({"dp_masks": MASKS}, "bad part masks: dp_masks should be a list of 14, got 13 entries"),
        (
            {"dp_masks": [*MASKS, {"size": [128, 256], "counts": [32768]}]},
            "mask of the wrong size: dp_masks: part mask 14 is 128 x 256, expected 256 x 256",
        ),
        ({"dp_masks": [*MASKS, {"size": [256, 256], "counts": "1"}]}, "damaged mask: dp_masks: part mask 14"),
        ({"bbox": [10, 20, 51]}, "bad box: bbox must hold 4 numbers, got 3"),
        ({"bbox": [10, 20, 0, 102]}, "bad box: bbox has width 0"),
        ({"bbox": [10, 20, 92, 102]}, "box outside the image: "),
        ({"area": -1}, "bad area: area is -1"),
        ({"keypoints": [0] * 50}, "bad keypoints: keypoints must hold 51 numbers, got 50"),
        ({"image_id": 4}, "image is not in the file: no image has the id 4"),
        ({"dp_vertex": [1, 27554], "ref_model": "smpl_27554"}, "vertex outside the mesh: 1 of 2 points: dp_vertex is"),
        ({"dp_vertex": [1, 2]}, "missing field: ref_model"),
    ],
)
def test_each_defect_is_found_alone_and_with_its_annotation(tmp_path, changes, says):
    assert f"annotation 5: {says}" in only_defect(check(tmp_path, document(**changes)))


def test_vertices_alone_and_a_box_that_touches_the_edge_are_sound(tmp_path):
    bare = document(dp_vertex=[7, 8], ref_model="smpl_27554", dp_I=..., dp_U=..., dp_V=...)
    assert check(tmp_path, bare).defects == []
    assert check(tmp_path, document(bbox=[-0.5, 20, 101, 102])).defects == []


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


def standing(swap=False):
    """A person facing us, 20 points on each leg; with `swap`, left and right legs are called by each other's name."""
    keypoints = np.zeros((17, 3))
    for name, x, y in (("hip", 10, 100), ("knee", 12, 150), ("ankle", 12, 195)):
        keypoints[KEYPOINT_NAMES.index(f"left_{name}")] = 50 + x, y, 2
        keypoints[KEYPOINT_NAMES.index(f"right_{name}")] = 50 - x, y, 2
    y = np.tile(np.linspace(104, 146, 20), 2)
    x = np.concatenate([np.full(20, 61.0), np.full(20, 39.0)])
    left, right = (9, 10) if swap else (10, 9)
    return document(
        bbox=[0, 0, 100, 200], keypoints=keypoints.ravel().tolist(), dp_x=(x * 2.55).tolist(),
        dp_y=(y * 255 / 200).tolist(), dp_I=[left] * 20 + [right] * 20, dp_U=[0.5] * 40, dp_V=[0.5] * 40,
    )  # fmt: skip


def test_left_and_right_are_told_apart_by_the_keypoints(tmp_path):
    assert check(tmp_path, standing()).defects == []
    swapped = check(tmp_path, standing(swap=True)).defects
    assert {defect.kind for defect in swapped} == {"left and right contradict the keypoints"}
    assert [defect.sentence[:44] for defect in swapped] == [
        "the 20 points labelled upper leg left lie 22",
        "the 20 points labelled upper leg right lie 2",
    ]


def test_sides_are_not_judged_without_keypoints_or_with_legs_together(tmp_path):
    unseen = standing(swap=True)
    unseen["annotations"][0]["keypoints"][3 * KEYPOINT_NAMES.index("left_knee") + 2] = 0
    assert check(tmp_path, unseen).defects == []
    together = standing(swap=True)
    table = np.reshape(together["annotations"][0]["keypoints"], (17, 3))
    table[:, 0] = np.where(table[:, 2] > 0, 50 + (table[:, 0] - 50) / 4, 0)
    together["annotations"][0]["keypoints"] = table.ravel().tolist()
    assert check(tmp_path, together).defects == []


def test_keypoints_go_by_the_files_own_names(tmp_path):
    whole = standing()
    order = [0, *(k + 1 if k % 2 else k - 1 for k in range(1, 17))]  # each right one before its left one
    whole["categories"] = [category() | {"keypoints": [KEYPOINT_NAMES[k] for k in order]}]
    table = np.reshape(whole["annotations"][0]["keypoints"], (17, 3))
    whole["annotations"][0]["keypoints"] = table[order].ravel().tolist()
    assert check(tmp_path, whole).defects == []
    whole["categories"] = []
    assert check(tmp_path, whole).defects != []


def test_photos_missing_unreadable_and_of_another_size(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    assert "image 3: missing image: 3.jpg is not in" in only_defect(check(tmp_path, document(), folder))
    Image.new("RGB", (100, 200)).save(folder / "3.jpg")
    assert check(tmp_path, document(), folder).defects == []
    Image.new("RGB", (200, 100)).save(folder / "3.jpg")
    assert "image of another size: 3.jpg is 200 x 100, the file says 100 x 200" in only_defect(
        check(tmp_path, document(), folder)
    )
    turned = Image.Exif()
    turned[274] = 6
    Image.new("RGB", (200, 100)).save(folder / "3.jpg", exif=turned)
    assert check(tmp_path, document(), folder).defects == []
    (folder / "3.jpg").write_text("no picture")
    assert "unreadable image" in only_defect(check(tmp_path, document(), folder))


def test_a_photo_is_found_with_and_without_its_folders(tmp_path):
    folder = tmp_path / "photos"
    (folder / "val" / "a").mkdir(parents=True)
    Image.new("RGB", (100, 200)).save(folder / "val" / "a" / "3.jpg")
    whole = document()
    whole["images"][0]["file_name"] = "val/a/3.jpg"
    assert check(tmp_path, whole, folder).defects == []
    assert check(tmp_path, whole, folder / "val" / "a").defects == []
    whole["images"][0]["file_name"] = "../photos/val/a/3.jpg"
    assert len(check(tmp_path, whole, folder).defects) == 1


def test_images_without_a_name_or_with_a_strange_size(tmp_path):
    whole = document()
    whole["images"] = [{"id": 3}]
    assert "image 3: missing field: file_name" in only_defect(check(tmp_path, whole))
    whole["images"] = [{"id": 3, "file_name": "3.jpg", "width": 0, "height": 200}]
    assert "image 3: bad image size: width is 0" in only_defect(check(tmp_path, whole))


def test_results_are_checked(tmp_path):
    report = check(tmp_path, [entry(), entry(image_id=8)])
    assert (report.num_images, report.num_people, report.defects) == (2, 2, [])
    assert "detections          2" in "\n".join(report_lines(report))


@pytest.mark.parametrize(
    "bad, says",
    [
        (entry(uv_data=GREY), r"detection 1 (image 7): bad uv_data: uv_data must be an RGB"),
        (
            entry(bbox=[0, 0, 9, 2]),
            "detection 1 (image 7): crop of another size than its box: the crop is 3 x 2, bbox 9",
        ),
        (entry(score=float("nan")), "detection 1 (image 7): bad score"),
        (entry(image_id="7"), "detection 1 (image '7'): missing field: image_id"),
        (5, "detection 1: not an object"),
    ],
)
def test_each_defect_of_a_detection(tmp_path, bad, says):
    assert says in only_defect(check(tmp_path, [entry(), bad]))


@pytest.mark.parametrize("content", [{}, {"images": []}, {"images": {}, "annotations": []}, 5, "text"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    with pytest.raises(ValueError, match="holds neither annotations"):
        check(tmp_path, content)


def test_a_missing_folder_of_photos_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no folder"):
        check(tmp_path, document(), tmp_path / "gone")
