import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from opendensepose.data.coco import CocoDensePose, category, person_annotation, read_annotations, write_annotations
from opendensepose.data.masks import decode_mask, encode_mask
from opendensepose.surface import CHART_TO_PART, PART_NAMES


def person_map(height=120, width=90):
    """A torso with a head and one foot on an image; U, V grow over the image."""
    i = np.zeros((height, width), np.uint8)
    i[20:35, 40:47], i[20:35, 47:55] = 23, 24
    i[35:80, 30:66] = 2
    i[80:110, 35:45] = 9
    i[110:115, 30:44] = 6
    y, x = np.mgrid[:height, :width]
    u, v = ((y + 0.5) / height).astype(np.float32), ((x + 0.5) / width).astype(np.float32)
    return i, np.where(i > 0, u, 0), np.where(i > 0, v, 0)


def annotate(i, u, v, keypoints=None):
    keypoints = np.zeros((17, 3)) if keypoints is None else keypoints
    return person_annotation(annotation_id=101, image_id=1, i=i, u=u, v=v, keypoints=keypoints)


def test_box_area_and_mask_are_those_of_the_map():
    i, u, v = person_map()
    annotation = annotate(i, u, v)
    assert annotation["bbox"] == [30, 20, 36, 95]
    assert annotation["area"] == (i > 0).sum()
    np.testing.assert_array_equal(decode_mask(annotation["segmentation"]), i > 0)


def test_each_point_read_the_way_evaluators_do_gives_its_own_label():
    i, u, v = person_map()
    annotation = annotate(i, u, v)
    x0, y0, width, height = annotation["bbox"]
    x = (np.array(annotation["dp_x"]) / 255 * width + x0).astype(int)
    y = (np.array(annotation["dp_y"]) / 255 * height + y0).astype(int)
    np.testing.assert_array_equal(i[y, x], annotation["dp_I"])
    np.testing.assert_allclose(u[y, x], annotation["dp_U"], atol=1e-6)
    np.testing.assert_allclose(v[y, x], annotation["dp_V"], atol=1e-6)


def test_points_and_masks_tell_the_same_parts():
    i, u, v = person_map()
    annotation = annotate(i, u, v)
    assert len(annotation["dp_masks"]) == CHART_TO_PART.max() == 14
    parts_of_points = {int(CHART_TO_PART[int(chart)]) for chart in annotation["dp_I"]}
    parts_of_masks = {number for number, mask in enumerate(annotation["dp_masks"], start=1) if mask}
    assert parts_of_points == parts_of_masks == {int(CHART_TO_PART[chart]) for chart in np.unique(i[i > 0])}
    for x, y, chart in zip(annotation["dp_x"], annotation["dp_y"], annotation["dp_I"], strict=True):
        assert decode_mask(annotation["dp_masks"][CHART_TO_PART[int(chart)] - 1])[int(y), int(x)]
    per_part = np.bincount([CHART_TO_PART[int(chart)] for chart in annotation["dp_I"]])
    assert per_part.max() <= 14


def test_masks_are_256_and_do_not_overlap():
    i, u, v = person_map()
    masks = [decode_mask(mask) for mask in annotate(i, u, v)["dp_masks"] if mask]
    assert all(mask.shape == (256, 256) for mask in masks)
    assert np.sum(masks, axis=0).max() == 1


def test_masks_stand_in_the_order_of_coco_densepose():
    order = "torso, right hand, left hand, left foot, right foot, upper leg right, upper leg left, lower leg right, "
    order += "lower leg left, upper arm left, upper arm right, lower arm left, lower arm right, head"
    assert ", ".join(PART_NAMES[1:]) == order
    i, u, v = person_map()
    present = [PART_NAMES[k + 1] for k, mask in enumerate(annotate(i, u, v)["dp_masks"]) if mask]
    assert present == ["torso", "right foot", "upper leg right", "head"]


def test_unlabelled_keypoints_are_zeros():
    i, u, v = person_map()
    keypoints = np.arange(51, dtype=float).reshape(17, 3)
    keypoints[:, 2] = 0
    keypoints[3, 2], keypoints[5, 2] = 1, 2
    annotation = annotate(i, u, v, keypoints)
    table = np.reshape(annotation["keypoints"], (17, 3))
    assert annotation["num_keypoints"] == 2
    assert np.flatnonzero(table.any(axis=1)).tolist() == [3, 5]
    np.testing.assert_array_equal(table[5], [15, 16, 2])


def test_a_hidden_person_has_no_annotation():
    empty = np.zeros((20, 20), np.uint8)
    assert annotate(empty, empty.astype(np.float32), empty.astype(np.float32)) is None


def test_rle_both_ways():
    mask = np.random.default_rng(0).random((31, 17)) > 0.5
    code = json.loads(json.dumps(encode_mask(mask)))
    np.testing.assert_array_equal(decode_mask(code), mask)


def test_the_coco_library_reads_the_file(tmp_path, capsys):
    i, u, v = person_map()
    image = {"id": 1, "file_name": "1.jpg", "height": i.shape[0], "width": i.shape[1]}
    whole = {"info": {}, "images": [image], "annotations": [annotate(i, u, v)], "categories": [category()]}
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(whole))
    coco = COCO(str(path))
    (annotation,) = coco.loadAnns(coco.getAnnIds(imgIds=1, catIds=1))
    np.testing.assert_array_equal(coco.annToMask(annotation).astype(bool), i > 0)


def test_wrong_shapes_are_refused():
    i, u, v = person_map()
    with pytest.raises(ValueError, match="one shape"):
        annotate(i, u[1:], v)
    with pytest.raises(ValueError, match=r"\(17, 3\), got \(16, 3\)"):
        annotate(i, u, v, np.zeros((16, 3)))


def document(**changes):
    """A file of one image and one person with two points, drawn by hand; the changes go into the person."""
    masks = [[] for _ in range(14)]
    masks[0] = {"size": [256, 256], "counts": [0, 256, 65280]}  # torso: the first column
    person = {
        "id": 5, "image_id": 3, "category_id": 1, "iscrowd": 0, "bbox": [10, 20, 51, 102], "area": 4000.5,
        "dp_x": [0.0, 127.5], "dp_y": [255.0, 25.0], "dp_I": [2.0, 23.0], "dp_U": [0.25, 1.0], "dp_V": [0.5, 0.0],
        "dp_masks": masks, "note": {"of": ["ours", None]},
    }  # fmt: skip
    person = {name: value for name, value in (person | changes).items() if value is not ...}
    image = {"id": 3, "file_name": "3.jpg", "width": 100, "height": 200, "vid_id": "000522", "frame_id": 10003}
    return {"info": {"year": 2018}, "images": [image], "annotations": [person], "categories": [category()], "more": [1]}


def person_of(**changes):
    return CocoDensePose(document(**changes), name="people.json").person(5)


def test_a_person_by_hand():
    person = person_of(keypoints=[1.5, 2, 2] * 17)
    assert (person.annotation_id, person.image_id, person.area, person.iscrowd) == (5, 3, 4000.5, False)
    assert person.box_xyxy.tolist() == [10, 20, 61, 122]
    np.testing.assert_allclose(person.point_xy, [[10, 122], [35.5, 30]])
    assert person.i.tolist() == [2, 23] and person.u.tolist() == [0.25, 1] and person.v.tolist() == [0.5, 0]
    assert person.mask[:, 0].tolist() == [1] * 256 and not person.mask[:, 1:].any()
    assert person.vertex is None
    assert person.keypoints.shape == (17, 3) and person.keypoints[16].tolist() == [1.5, 2, 2]


def test_a_person_without_points_masks_or_area():
    nothing = {name: ... for name in ("dp_x", "dp_y", "dp_I", "dp_U", "dp_V", "dp_masks", "area", "iscrowd")}
    person = person_of(**nothing)
    assert person.point_xy.shape == (0, 2) and person.mask is None and person.keypoints is None
    assert person.area == 51 * 102 and not person.iscrowd


def test_a_crowd_is_said_by_a_number_or_a_truth_value():
    assert [person_of(iscrowd=value).iscrowd for value in (0, 1, 0.0, 1.0, False, True)] == [False, True] * 3


def test_vertices_with_and_without_charts():
    assert person_of(dp_vertex=[7, 27553], ref_model="smpl_27554").vertex.tolist() == [7, 27553]
    bare = person_of(dp_vertex=[7, 8], ref_model="smpl_27554", dp_I=..., dp_U=..., dp_V=...)
    assert bare.vertex.tolist() == [7, 8] and bare.i.tolist() == [0, 0] and bare.u.tolist() == [0, 0]


def test_truth_written_and_read_is_the_truth():
    i, u, v = person_map()
    image = {"id": 1, "file_name": "1.jpg", "height": i.shape[0], "width": i.shape[1]}
    person = CocoDensePose({"images": [image], "annotations": [annotate(i, u, v)]}).person(101)
    column, row = person.point_xy.astype(int).T
    np.testing.assert_array_equal(person.i, i[row, column])
    np.testing.assert_allclose(person.u, u[row, column], atol=1e-6)
    x0, y0, x1, y1 = person.box_xyxy
    grid_row = ((np.arange(y0, y1) + 0.5 - y0) * 256 / (y1 - y0)).astype(int)
    grid_column = ((np.arange(x0, x1) + 0.5 - x0) * 256 / (x1 - x0)).astype(int)
    part = CHART_TO_PART[i[int(y0) : int(y1), int(x0) : int(x1)]]
    assert (person.mask[np.ix_(grid_row, grid_column)] == part).mean() > 0.99


def test_a_file_comes_back_whole(tmp_path):
    path, again = tmp_path / "people.json", tmp_path / "again.json"
    path.write_text(json.dumps(document()))
    write_annotations(again, read_annotations(path))
    assert json.loads(again.read_text()) == document()
    assert again.read_text().index('"info"') < again.read_text().index('"images"') < again.read_text().index('"more"')


def test_people_of_an_image_in_the_files_order():
    whole = document()
    whole["annotations"] = [whole["annotations"][0] | {"id": known} for known in (9, 2, 5)]
    whole["images"].append({"id": 4, "file_name": "4.jpg"})  # without a size, as other files have them
    annotations = CocoDensePose(whole)
    assert [person.annotation_id for person in annotations.people(3)] == annotations.annotation_ids(3) == [9, 2, 5]
    assert annotations.people(4) == []
    assert list(annotations.images) == [3, 4]


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"bbox": ...}, "bbox is missing"),
        ({"bbox": [1, 2, 3]}, "bbox must hold 4 numbers, got 3"),
        ({"bbox": [1, 2, 0, 4]}, "bbox must have a width and height above 0"),
        ({"dp_x": ...}, "dp_x is missing"),
        ({"dp_x": "text"}, "dp_x must be a list of numbers"),
        ({"dp_y": [1.0]}, "dp_y must hold 2 numbers, got 1"),
        ({"dp_y": [1.0, "2"]}, "dp_y must be a list of numbers"),
        ({"dp_x": [1.0, float("nan")]}, "dp_x: number 1 must be a finite number, got nan"),
        ({"bbox": [1, 2, 3, 1e300]}, "bbox: number 3 must be a finite number, got 1e.300"),
        ({"dp_I": [1.0, 25.0]}, r"dp_I: number 1 must be in \[1, 24\], got 25"),
        ({"dp_I": [1.5, 2.0]}, "dp_I: number 0 must be whole, got 1.5"),
        ({"dp_U": [0.5, 1.01]}, r"dp_U: number 1 must be in \[0, 1\], got 1.01"),
        ({"dp_V": ...}, "dp_V is missing"),
        ({"dp_vertex": [1, -1]}, "dp_vertex: number 1"),
        ({"dp_masks": [[]] * 3}, "dp_masks: part masks must be a list of 14"),
        ({"keypoints": [0] * 50}, "keypoints must hold 51 numbers, got 50"),
        ({"area": "big"}, "area must be a finite number"),
        ({"iscrowd": "no"}, "iscrowd must be 0 or 1, got 'no'"),
        ({"iscrowd": 2}, "iscrowd must be 0 or 1, got 2"),
    ],
)
def test_an_invalid_person_is_one_sentence_with_file_annotation_and_field(changes, says):
    with pytest.raises(ValueError, match=f"^people.json: annotation 5: {says}"):
        person_of(**changes)


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda whole: [], "got a list"),
        (lambda whole: {"images": []}, "with a list `annotations`, found none"),
        (lambda whole: whole | {"images": [{"file_name": "x"}]}, "entry 0 of `images` has no whole number as its id"),
        (lambda whole: whole | {"annotations": whole["annotations"] * 2}, "two entries of `annotations` have the id 5"),
        (lambda whole: whole | {"images": []}, "annotation 5: image_id is 3, which no image has"),
    ],
)
def test_a_document_of_another_form_is_refused(spoil, says):
    with pytest.raises(ValueError, match=f"^people.json: .*{says}"):
        CocoDensePose(spoil(document()), name="people.json")


def test_unknown_ids_are_refused():
    annotations = CocoDensePose(document(), name="people.json")
    with pytest.raises(ValueError, match="people.json has no image with id 8; its ids begin with 3"):
        annotations.people(8)
    with pytest.raises(ValueError, match="no annotation with id 8"):
        annotations.person(8)
