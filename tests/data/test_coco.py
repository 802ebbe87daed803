import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from opendensepose.data.coco import category, person_annotation
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
