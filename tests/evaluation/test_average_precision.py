import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tests.evaluation.released_evaluator import SIZES, accumulate, match

from opendensepose.evaluation.average_precision import ScoredImage, average_precision, average_precision_intervals


def scored(score, similarity, *, box_iou=None, area=None, detection_area=None, left_out=None, crowd=None):
    similarity = np.array(similarity, float)
    people = similarity.shape[1]
    return ScoredImage(
        score=np.array(score, float),
        detection_area=np.full(len(score), 50.0**2) if detection_area is None else np.array(detection_area, float),
        person_area=np.full(people, 50.0**2) if area is None else np.array(area, float),
        left_out=np.zeros(people, bool) if left_out is None else np.array(left_out, bool),
        crowd=np.zeros(people, bool) if crowd is None else np.array(crowd, bool),
        similarity=similarity,
        box_iou=np.zeros(similarity.shape) if box_iou is None else np.array(box_iou, float),
    )


def test_one_person_found_perfectly():
    result = average_precision([scored([0.9], [[1.0]])])
    numbers = result.numbers()
    large = [numbers.pop(name) for name in ("ap_l", "ar_l")]
    assert list(numbers.values()) == pytest.approx([1] * 8, abs=1e-12) and np.isnan(large).all()
    assert result.precision.shape == (10, 101) and result.precision.min() > 1 - 1e-12


def test_three_detections_by_hand():
    """Two people; the surest detection is right up to .70, the second wrong, the third right up to .95.

    At .50 to .70: precision is 1 up to recall 1/2, which 51 of the 101 recall points reach, then 2/3 up to 1. At .75 to
    .95: only the third is right: precision 1/3 up to recall 1/2.
    """
    image = scored([0.9, 0.8, 0.7], [[0.72, 0], [0.1, 0.2], [0, 0.97]])
    result = average_precision([image])
    low, high = (51 + 50 * 2 / 3) / 101, 51 / 3 / 101
    assert result.ap50 == pytest.approx(low)
    assert result.ap75 == pytest.approx(high)
    assert result.ap == result.ap_m == pytest.approx((low + high) / 2)
    assert result.ar50 == 1 and result.ar75 == 0.5 and result.ar == result.ar_m == pytest.approx(0.75)


def test_each_person_is_found_once_by_the_surest():
    result = average_precision([scored([0.5, 0.9], [[1.0], [0.6]])])
    assert result.ap50 == pytest.approx(1)  # the surer one, at 0.6, then a wrong one
    assert result.ap75 == 0.5 and result.ar75 == 1  # a wrong one, then the right one


def test_sizes_are_cocos():
    areas = [31.0**2, 50.0**2, 100.0**2]
    one_each = [scored([0.9], [[1.0]], area=[area], detection_area=[area]) for area in areas]
    missed = scored([], np.zeros((0, 1)), area=[areas[2]])
    result = average_precision([*one_each, missed])
    assert result.ar == 0.75 and result.ar_m == 1 and result.ar_l == 0.5
    assert result.ap_m == pytest.approx(1) and result.ap_l == pytest.approx(51 / 101)


def test_only_the_twenty_surest_of_an_image_count():
    score = np.linspace(0.9, 0.1, 21)
    last_is_right = np.zeros((21, 1))
    last_is_right[20] = 1
    assert average_precision([scored(score, last_is_right)]).ar == 0
    assert average_precision([scored(score[1:], last_is_right[1:])]).ar == 1
    assert average_precision([scored(score, last_is_right)], max_detections=100).ar == 1


def test_people_without_points_are_left_out_with_the_detections_on_them():
    people = {"left_out": [False, True]}
    missing_points = scored([0.9, 0.8], [[0, 0], [1, 0]], box_iou=[[0, 0.8], [0.9, 0]], **people)
    assert average_precision([missing_points]).ap == pytest.approx(1)
    beside = scored([0.9, 0.8], [[0, 0], [1, 0]], box_iou=[[0, 0.79], [0.9, 0]], **people)
    assert average_precision([beside]).ap == 0.5
    plain = average_precision([missing_points], leave_out="coco")
    assert plain.ap == 0.5


def test_where_everybody_is_left_out_so_are_the_detections():
    right = scored([0.5], [[1.0]])
    nobody = scored([0.9], np.zeros((1, 0)))
    without_points = scored([0.9], [[0.0]], left_out=[True])
    assert average_precision([right, nobody, without_points]).ap == pytest.approx(1)
    assert average_precision([right, nobody], leave_out="coco").ap == 0.5


def test_nobody_to_find_has_no_measure():
    for images in ([], [scored([], np.zeros((0, 0)))], [scored([0.5], [[1.0]], left_out=[True])]):
        assert np.isnan(list(average_precision(images).numbers().values())).all()


def random_image(rng, detections=6, people=3):
    similarity = rng.random((detections, people)) ** 0.5
    return scored(rng.random(detections).round(2), similarity, box_iou=rng.random((detections, people)))


def test_adding_a_false_positive_never_raises_ap():
    rng = np.random.default_rng(0)
    for _ in range(40):
        images = [random_image(rng) for _ in range(3)]
        before = average_precision(images)
        one = images[0]
        worse = scored(
            [*one.score, rng.random()],
            np.vstack([one.similarity, 0.49 * rng.random((1, 3))]),
            box_iou=np.vstack([one.box_iou, rng.random((1, 3))]),
        )
        after = average_precision([worse, *images[1:]])
        for name, value in after.numbers().items():
            assert np.isnan(value) or value <= before.numbers()[name] + 1e-12, name


def test_raising_a_similarity_of_the_right_person_never_lowers_ar():
    rng = np.random.default_rng(1)
    for _ in range(20):
        one = scored([0.5], [[rng.random()]])
        better = scored([0.5], [[min(1, one.similarity[0, 0] + 0.1)]])
        assert average_precision([better]).ar >= average_precision([one]).ar


def test_boxes_give_what_the_library_itself_gives():
    """The same matching and sums as pycocotools' own box evaluation, with crowds."""
    rng = np.random.default_rng(2)
    images, annotations, results = [], [], []
    for image_id in range(1, 30):
        boxes = [np.r_[rng.uniform(0, 200, 2), rng.uniform(20, 150, 2)].round(2) for _ in range(rng.integers(0, 4))]
        crowd = rng.random(len(boxes)) < 0.15
        for box, is_crowd in zip(boxes, crowd, strict=True):
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image_id, "category_id": 1, "bbox": box.tolist(),
                 "area": float(box[2] * box[3] * rng.uniform(0.5, 1)), "iscrowd": int(is_crowd)}
            )  # fmt: skip
            for _ in range(rng.integers(0, 3)):
                near = (box + rng.normal(0, 4, 4)).round(2).tolist()
                results.append({"image_id": image_id, "category_id": 1, "bbox": near, "score": float(rng.random())})
    truth, said = COCO(), COCO()
    sizes = [{"id": k, "height": 400, "width": 400} for k in range(1, 30)]
    truth.dataset = {"images": sizes, "annotations": annotations, "categories": [{"id": 1}]}
    truth.createIndex()
    said = truth.loadRes(results)
    theirs = COCOeval(truth, said, "bbox")
    theirs.evaluate()
    theirs.accumulate()
    theirs.summarize()
    for image_id in range(1, 30):
        mine = [a for a in annotations if a["image_id"] == image_id]
        found = said.loadAnns(said.getAnnIds(imgIds=image_id))
        iou = np.zeros((len(found), len(mine)))
        if iou.size:
            boxes = [np.array([one["bbox"] for one in side]) for side in (found, mine)]
            iou = rle.iou(*boxes, [one["iscrowd"] for one in mine])
        crowd = [one["iscrowd"] for one in mine]
        images.append(
            scored([d["score"] for d in found], iou, box_iou=iou, area=[one["area"] for one in mine],
                   detection_area=[d["area"] for d in found], left_out=crowd, crowd=crowd)
        )  # fmt: skip
    ours = average_precision(images, max_detections=100, leave_out="coco")
    names = {"ap": 0, "ap50": 1, "ap75": 2, "ap_m": 4, "ap_l": 5, "ar": 8, "ar_m": 10, "ar_l": 11}
    for name, k in names.items():
        assert ours.numbers()[name] == pytest.approx(theirs.stats[k], abs=1e-12), name
    assert 0.1 < ours.ap < 0.99


def by_loops(image: ScoredImage, size) -> tuple[list, list, int]:
    """The released algorithm's outcome of one image, step by step."""
    order = np.argsort(-image.score, kind="stable")[:20]
    people = [
        {"id": g + 1, "area": area, "left_out": image.left_out[g], "iscrowd": image.crowd[g]}
        for g, area in enumerate(image.person_area)
    ]
    detections = [{"area": image.detection_area[d], "score": image.score[d]} for d in order]
    return match(people, detections, image.similarity[order], image.box_iou[order], size)


def test_what_is_left_out_is_what_the_released_evaluators_leave_out():
    """The same numbers by plain loops over detections, people and thresholds, to 1e-9."""
    rng = np.random.default_rng(7)
    images = []
    for _ in range(60):
        detections, people = rng.integers(0, 26), rng.integers(0, 5)
        box_iou = rng.random((detections, people)) ** 0.2
        images.append(
            scored(rng.random(detections).round(1), rng.random((detections, people)).round(1) ** 0.3, box_iou=box_iou,
                   area=rng.uniform(10, 150, people) ** 2, detection_area=rng.uniform(10, 150, detections) ** 2,
                   left_out=rng.random(people) < 0.4, crowd=rng.random(people) < 0.1)
        )  # fmt: skip
    ours = average_precision(images)
    for suffix, size in SIZES.items():
        precision, recall = accumulate([by_loops(one, size) for one in images])
        assert ours.numbers()[f"ap{suffix}"] == pytest.approx(np.mean(precision), abs=1e-9)
        assert ours.numbers()[f"ar{suffix}"] == pytest.approx(np.mean(recall), abs=1e-9)
        assert 0.05 < np.mean(precision) < 0.95


def test_how_images_are_batched_changes_nothing(monkeypatch):
    rng = np.random.default_rng(8)
    images = [random_image(rng, rng.integers(0, 6), rng.integers(0, 4)) for _ in range(30)]
    at_once = average_precision(images).numbers()
    monkeypatch.setattr("opendensepose.evaluation.average_precision._AT_ONCE", 1)
    assert average_precision(images).numbers() == pytest.approx(at_once, nan_ok=True, abs=1e-15)


def test_wrong_shapes_and_rules_are_refused():
    with pytest.raises(ValueError, match=r"similarity must have the shape \(1, 2\)"):
        ScoredImage(*[np.zeros(1)] * 2, *[np.zeros(2)] * 3, np.zeros((2, 1)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="NaN"):
        scored([0.5], [[np.nan]])
    with pytest.raises(ValueError, match="leave_out"):
        average_precision([], leave_out="nothing")


def test_intervals_are_the_quantiles_of_measuring_drawn_images():
    rng = np.random.default_rng(0)
    images = [scored(rng.random(3), rng.random((3, 2)), area=[30.0**2, 120.0**2]) for _ in range(8)]
    found = average_precision_intervals(images, np.random.default_rng(5), num_resamples=20, level=0.5)
    again = np.random.default_rng(5)
    drawn = [average_precision([images[k] for k in again.integers(8, size=8)]).numbers() for _ in range(20)]
    for name in ("ap", "ap50", "ar", "ar_l"):
        assert found[name] == pytest.approx(np.quantile([one[name] for one in drawn], [0.25, 0.75]))
    assert np.isnan(found["ap_m"]).all()


def test_images_that_are_all_alike_leave_no_doubt():
    alike = [scored([0.9, 0.8], [[0.8, 0.0], [0.0, 0.2]])] * 5
    found = average_precision_intervals(alike, np.random.default_rng(0), num_resamples=10)
    assert found["ap"] == pytest.approx([average_precision(alike).ap] * 2)
    with pytest.raises(ValueError, match="at least one image"):
        average_precision_intervals([], np.random.default_rng(0))
