"""Every kind of defect of one entry, made on purpose; valid entries have none."""

import numpy as np
import pytest
from PIL import Image
from tests.data.test_coco import document
from tests.data.test_results import GREY, entry

from opendensepose.data import KEYPOINT_NAMES
from opendensepose.data.defects import detection_defects, image_defects, person_defects, point_charts


def defects_of_person(whole, names=KEYPOINT_NAMES):
    """Those of a document's first annotation."""
    annotation = whole["annotations"][0]
    images = {image["id"]: image for image in whole["images"]}
    return list(person_defects(annotation, images.get(annotation["image_id"]), names))


def defects_of_image(whole, folder=None):
    return list(image_defects(whole["images"][0], folder))


def only(defects):
    (defect,) = defects
    return f"{defect.entry}: {defect.kind}: {defect.sentence}"


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
        ({"dp_masks": MASKS}, "bad part masks: dp_masks must be a list of 14, got 13 entries"),
        (
            {"dp_masks": [*MASKS, {"size": [128, 256], "counts": [32768]}]},
            "mask of the wrong size: dp_masks: part mask 14 must be 256 x 256, got 128 x 256",
        ),
        ({"dp_masks": [*MASKS, {"size": [256, 256], "counts": "1"}]}, "damaged mask: dp_masks: part mask 14"),
        ({"bbox": [10, 20, 51]}, "bad box: bbox must hold 4 numbers, got 3"),
        ({"bbox": [10, 20, 0, 102]}, "bad box: bbox has width 0"),
        ({"bbox": [10, 20, 92, 102]}, "box outside the image: "),
        ({"area": -1}, "bad area: area is -1"),
        ({"iscrowd": "no"}, "bad iscrowd: iscrowd must be 0 or 1, got 'no'"),
        ({"category_id": "1"}, "bad category_id: category_id must be a whole number, got '1'"),
        ({"keypoints": [0] * 50}, "bad keypoints: keypoints must hold 51 numbers, got 50"),
        ({"image_id": 4}, "image is not in the file: no image has the id 4"),
        ({"dp_vertex": [1, 27554], "ref_model": "smpl_27554"}, "vertex outside the mesh: 1 of 2 points: dp_vertex is"),
        ({"dp_vertex": [1, 2]}, "missing field: ref_model"),
    ],
)
def test_each_defect_is_found_alone_and_with_its_annotation(changes, says):
    assert f"annotation 5: {says}" in only(defects_of_person(document(**changes)))


def test_vertices_alone_and_a_box_that_touches_the_edge_have_no_defects():
    bare = document(dp_vertex=[7, 8], ref_model="smpl_27554", dp_I=..., dp_U=..., dp_V=...)
    assert defects_of_person(bare) == []
    assert defects_of_person(document(bbox=[-0.5, 20, 101, 102])) == []


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


def test_left_and_right_are_told_apart_by_the_keypoints():
    assert defects_of_person(standing()) == []
    swapped = defects_of_person(standing(swap=True))
    assert {defect.kind for defect in swapped} == {"left and right contradict the keypoints"}
    assert [defect.sentence[:44] for defect in swapped] == [
        "the 20 points labelled upper leg left lie 22",
        "the 20 points labelled upper leg right lie 2",
    ]


def test_sides_are_not_judged_without_keypoints_or_with_legs_together():
    unseen = standing(swap=True)
    unseen["annotations"][0]["keypoints"][3 * KEYPOINT_NAMES.index("left_knee") + 2] = 0
    assert defects_of_person(unseen) == []
    together = standing(swap=True)
    table = np.reshape(together["annotations"][0]["keypoints"], (17, 3))
    table[:, 0] = np.where(table[:, 2] > 0, 50 + (table[:, 0] - 50) / 4, 0)
    together["annotations"][0]["keypoints"] = table.ravel().tolist()
    assert defects_of_person(together) == []


def test_photos_missing_unreadable_and_of_another_size(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    assert "image 3: missing image: 3.jpg is not in" in only(defects_of_image(document(), folder))
    Image.new("RGB", (100, 200)).save(folder / "3.jpg")
    assert defects_of_image(document(), folder) == []
    Image.new("RGB", (200, 100)).save(folder / "3.jpg")
    assert "image of another size: 3.jpg is 200 x 100, the file says 100 x 200" in only(
        defects_of_image(document(), folder)
    )
    turned = Image.Exif()
    turned[274] = 6
    Image.new("RGB", (200, 100)).save(folder / "3.jpg", exif=turned)
    assert defects_of_image(document(), folder) == []
    (folder / "3.jpg").write_text("no picture")
    assert "unreadable image" in only(defects_of_image(document(), folder))


def test_a_photo_is_found_with_and_without_its_folders(tmp_path):
    folder = tmp_path / "photos"
    (folder / "val" / "a").mkdir(parents=True)
    Image.new("RGB", (100, 200)).save(folder / "val" / "a" / "3.jpg")
    whole = document()
    whole["images"][0]["file_name"] = "val/a/3.jpg"
    assert defects_of_image(whole, folder) == []
    assert defects_of_image(whole, folder / "val" / "a") == []
    whole["images"][0]["file_name"] = "../photos/val/a/3.jpg"
    assert len(defects_of_image(whole, folder)) == 1


def test_images_without_a_name_or_with_a_strange_size():
    whole = document()
    whole["images"] = [{"id": 3}]
    assert "image 3: missing field: file_name" in only(defects_of_image(whole))
    whole["images"] = [{"id": 3, "file_name": "3.jpg", "width": 0, "height": 200}]
    assert "image 3: bad image size: width is 0" in only(defects_of_image(whole))


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
def test_each_defect_of_a_detection(bad, says):
    assert list(detection_defects(entry(), 0)) == []
    assert says in only(detection_defects(bad, 1))


def test_charts_of_points_are_0_where_invalid():
    given = [1, 24, 0, 25, float("nan"), 10**400]
    assert point_charts({"dp_I": given}).tolist() == [1, 24, 0, 0, 0, 0]
    assert point_charts({}).size == point_charts({"dp_I": "1"}).size == 0
