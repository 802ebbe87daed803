"""What is read from annotation and results files, and what is refused in one sentence."""

import json

import numpy as np
import pytest
from tests.evaluate.test_against_released import RIGHT, document_of, found, person

from opendensepose.data.coco import CocoDensePose
from opendensepose.evaluate.inputs import AnnotatedPeople, annotated_images, open_predictions


def people_of(document):
    return AnnotatedPeople(CocoDensePose(document, name="people.json"))


def predictions_of(tmp_path, entries, document=None):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(entries))
    return open_predictions(path, people_of(document or document_of(person(1, RIGHT, [(100, 90)]))))


def test_boxes_and_points_have_the_files_own_precision():
    box = (0.1, 0.2, 10.3, 20.7)
    (one,) = people_of(document_of(person(1, box, [(4, 5)], dp_x=[100.0], dp_y=[51.0]))).people_in(1)
    assert one.box_xywh.tolist() == list(box)
    assert one.point_xy.tolist() == [[100.0 * 10.3 / 255 + 0.1, 51.0 * 20.7 / 255 + 0.2]]
    assert one.true.u.tolist() == [0.2] and one.true.u.dtype == np.float64
    assert one.has_points and one.foreground is None


def test_who_has_points():
    nothing = {"id": 1, "image_id": 1, "bbox": [0, 0, 9, 9]}
    empty = {**nothing, "id": 2, **{f"dp_{name}": [] for name in "xyIUV"}}
    vertices = {**nothing, "id": 3, "dp_x": [1.0], "dp_y": [1.0], "dp_vertex": [7]}
    people = people_of(document_of(nothing, empty, vertices)).people_in(1)
    assert [one.has_points for one in people] == [False, True, False]
    assert [len(one.point_xy) for one in people] == [0, 0, 0] and people[0].area == 81


def test_segmentation_counts_where_there_are_no_part_masks():
    square = [10, 10, 20, 10, 20, 20, 10, 20]
    runs = {"size": [120, 140], "counts": [120 * 10 + 10, 10, 120 * 130 - 20]}
    document = document_of(
        person(1, RIGHT, [(100, 90)], segmentation=[square]), person(2, RIGHT, [(100, 90)], segmentation=runs),
        person(3, RIGHT, [(100, 90)], segmentation=[square], dp_masks=[[]] * 3), person(4, RIGHT, [(100, 90)]),
    )  # fmt: skip
    masks = [one.foreground for one in people_of(document).people_in(1)]
    assert masks[0].mask.sum() == 100 and masks[0].mask[10:20, 10:20].all()
    assert masks[1].mask.sum() == 10 and masks[1].mask[10:20, 10].all()
    assert not masks[2].mask.any() and masks[3] is None


def test_the_ignored_region_is_the_union_of_its_polygons():
    sides = {"ignore_regions_x": [[0, 10, 10, 0], [20, 30, 30, 20], [5, 6]]}
    sides["ignore_regions_y"] = [[0, 0, 10, 10], [0, 0, 10, 10], [5, 6]]
    document = document_of(person(1, RIGHT, [(100, 90)]), **sides)
    region = people_of(document).ignore_region(1)
    assert region.shape == (120, 140) and region.sum() == 200 and region[5, [5, 15, 25]].tolist() == [True, False, True]
    assert people_of(document_of(person(1, RIGHT, [(100, 90)]))).ignore_region(1) is None
    document["images"][0]["ignore_regions_y"] = sides["ignore_regions_y"][:2]
    with pytest.raises(ValueError, match="people.json: image 1: ignore_regions_x: there are 3 lists of x and 2 of y"):
        people_of(document).ignore_region(1)


def test_detections_of_category_0_are_people_where_no_category_is_0(tmp_path):
    entries = [found(RIGHT, 0.9) | {"category_id": number} for number in (0, 1, 7)]
    some = predictions_of(tmp_path, entries)
    assert len(some.people_in(1)) == 2 and some.remarks == [
        "1 detections have another category_id than 0 or 1: left out."
    ]
    document = document_of(person(1, RIGHT, [(100, 90)]))
    document["categories"].append({"id": 0, "name": "dog"})
    assert len(predictions_of(tmp_path, entries, document).people_in(1)) == 1


def test_people_are_of_the_category_named_person():
    document = document_of(
        person(1, RIGHT, [(100, 90)], category_id=5), person(2, RIGHT, [(100, 90)], category_id=1),
        person(3, RIGHT, [(100, 90)]),
    )  # fmt: skip
    document["categories"] = [{"id": 5, "name": "person"}, {"id": 1, "name": "dog"}]
    people = people_of(document)
    assert [one.annotation_id for one in people.people_in(1)] == [1]
    assert people.remarks == ["2 annotations in people.json are of other categories: left out."]
    document["categories"] = []
    assert len(people_of(document).people_in(1)) == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"category_id": "1"}, "annotation 1: category_id must be a whole number, got '1'"),
        ({"category_id": 2}, "has no annotations of people"),
        ({"iscrowd": "no"}, "annotation 1: iscrowd must be 0 or 1, got 'no'"),
        ({"iscrowd": 2}, "annotation 1: iscrowd must be 0 or 1, got 2"),
        ({"dp_masks": {}}, "annotation 1: dp_masks: part masks must be a list, got dict"),
        (
            {"segmentation": [[1, 2, 3, 4]]},
            "annotation 1: segmentation: polygon 0 must be a list .* at least 3 corners",
        ),
        ({"segmentation": [[1, 2, 3, 4, 1e9, 5]]}, "annotation 1: segmentation: polygon 0 must be .* within 100,000"),
        ({"segmentation": "text"}, "annotation 1: segmentation: a mask must be an object"),
        ({"segmentation": {"size": [1, 2], "counts": [2]}}, "segmentation: the mask is 1 x 2, the image 120 x 140"),
        ({"area": -1}, "annotation 1: area must be at least 0"),
    ],
)
def test_an_invalid_annotation_is_one_sentence(changes, says):
    with pytest.raises(ValueError, match=f"^people.json.*{says}"):
        people_of(document_of(person(1, RIGHT, [(100, 90)], **changes))).people_in(1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"category_id": "person"}, "detection 0: category_id must be a whole number, got 'person'"),
        ({"category_id": 7}, "none of the detections .* is of a person: their category_id must be 0 or 1"),
        ({"image_id": 8}, "none of the 1 detections .* is of an image"),
    ],
)
def test_an_invalid_results_file_is_one_sentence(tmp_path, changes, says):
    with pytest.raises(ValueError, match=says):
        predictions_of(tmp_path, [found(RIGHT, 0.9) | changes])


def test_images_come_with_both_sides(tmp_path):
    document = document_of(person(1, RIGHT, [(100, 90)]))
    (image,) = annotated_images(people_of(document), predictions_of(tmp_path, [found(RIGHT, 0.9)], document))
    assert image.size_hw == (120, 140) and len(image.people) == len(image.detections) == 1
    assert image.detections[0].ends_at_box and image.ignore_region is None
