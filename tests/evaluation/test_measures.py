"""The measures of whole images: answers by hand, then what must hold whatever is predicted."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.assets import small_body, write_assets
from tests.evaluation.people import UVDistances, annotation, detection, image

from opendensepose.evaluation.errors import point_errors
from opendensepose.evaluation.gps import KAPPA_M, gps
from opendensepose.evaluation.measures import measure
from opendensepose.evaluation.official_assets import load_official_distances
from opendensepose.evaluation.people import DetectedPerson
from opendensepose.evaluation.rcp import auc, rcp
from opendensepose.iuv import IUV
from opendensepose.surface import mirror_iuv

BOX = (20, 30, 276, 286)  # as large as a mask's grid
WHOLE = np.ones((256, 256), np.uint8)


def random_person(rng, corner=(0, 0), *, number=1, image_id=1, points=40):
    """A person with random labels in a box of 256 x 256 pixels, and the maps (256, 256) that agree with it."""
    i = rng.integers(0, 25, (256, 256)).astype(np.uint8)
    u, v = np.where(i > 0, rng.random((2, 256, 256)), 0).astype(np.float32)
    box = (*corner, corner[0] + 256, corner[1] + 256)
    row, column = rng.permutation(np.argwhere(i))[:points].T
    labels = [part[row, column] for part in (i, u, v)]
    rows = np.stack([column + corner[0] + 0.5, row + corner[1] + 0.5, *labels], 1)
    mask = np.where(i > 0, np.uint8(1), np.uint8(0))
    person = annotation(box, rows, number=number, image_id=image_id, mask=mask)
    return person, detection(box, i, u, v, score=0.9)


def all_ap(result):
    kinds = [result.gps[k] for k in result.gps] + [result.gpsm[k] for k in result.gpsm or ()]
    return [*kinds, result.box, *([result.mask] if result.mask else [])]


def test_one_point_by_hand():
    person = annotation(BOX, [(100.5, 100.5, 2, 0.5, 0.5)])
    result = measure([image([person], [detection(BOX, 2, 0.5, 0.8, score=1.0)])], UVDistances())  # 30 cm off
    assert result.error_m == pytest.approx([0.3]) and result.chart.tolist() == [2]
    expected = {"kappa": np.exp(-(0.3**2) / (2 * KAPPA_M**2)), "part": np.exp(-(0.3**2) / (2 * 0.351**2))}
    assert result.people[0].gps == pytest.approx(expected, abs=1e-6)
    assert result.gps["kappa"].ap50 == pytest.approx(1)  # .5005
    assert result.gps["kappa"].ap == pytest.approx(0.1)
    assert result.gps["part"].ap == pytest.approx(0.4)  # .694: at .50, .55, .60 and .65
    assert result.gpsm is None and result.mask is None
    assert result.box.ap == pytest.approx(1)
    assert result.surface == "24 squares" and (result.num_images, result.num_detections) == (1, 1)


def test_one_person_by_hand():
    """Two points right, one in another chart, one outside the detection's box, one on its background."""
    points = [(30.5, 40.5, 1), (31.5, 40.5, 1), (32.5, 40.5, 2), (270, 280, 1), (33, 40, 1)]
    points = [(*point, 0, 0) for point in points]
    i = np.ones((60, 60), np.uint8)
    i[10, 13] = 0
    found = detection((20, 30, 80, 90), i, score=1.0)
    result = measure([image([annotation(BOX, points)], [found])], UVDistances())
    assert result.error_m.tolist() == [0, 0, 10, np.inf, np.inf]
    assert auc(result.error_m, 0.1) == auc(result.error_m, 0.3) == 0.4
    assert rcp(result.error_m, [0.05, 9, 10]).tolist() == [0.4, 0.4, 0.6]
    assert result.people[0].gps["kappa"] == pytest.approx(0.4)
    assert result.gps["kappa"].ap == result.gps["kappa"].ar == 0


def test_three_detections_by_hand():
    """Two people in one image. The surest detection has GPS 0.72 with the first, the second lies elsewhere, the third
    is right for the second person."""
    off = KAPPA_M * np.sqrt(-2 * np.log(0.72))
    left, right = (0, 0, 60, 60), (100, 0, 160, 60)
    people = [annotation(left, [(10, 10, 5, 0.1, 0)], number=7), annotation(right, [(110, 10, 5, 0.1, 0)], number=9)]
    found = [
        detection(right, 5, 0.1, score=0.7), detection(left, 5, 0.1 + off, score=0.9),
        detection((200, 200, 260, 260), 5, 0.1, score=0.8),
    ]  # fmt: skip
    result = measure([image(people, found)], UVDistances(), normalisers=("kappa",))
    low, high = (51 + 50 * 2 / 3) / 101, 51 / 3 / 101
    assert result.gps["kappa"].ap50 == pytest.approx(low)
    assert result.gps["kappa"].ap75 == pytest.approx(high)
    assert result.gps["kappa"].ap == pytest.approx((low + high) / 2)
    assert result.gps["kappa"].ar == pytest.approx(0.75)
    assert result.box.ar == 1
    assert list(result.gps) == ["kappa"]


def test_perfect_predictions_give_one_everywhere():
    rng = np.random.default_rng(0)
    images = []
    for k in range(1, 4):
        one, two = random_person(rng, number=2 * k, image_id=k), random_person(rng, (300, 10), number=2 * k + 1)
        images.append(image([one[0], two[0]], [two[1], one[1]], k, (600, 600)))
    result = measure(images, UVDistances())
    assert (result.error_m == 0).all() and len(result.error_m) == 240
    assert auc(result.error_m, 0.1) == 1
    for ap in all_ap(result):
        large = [value for name, value in ap.numbers().items() if not name.endswith("_m")]
        assert large == pytest.approx([1] * 8, abs=1e-12)
    assert all(person.gps == {"kappa": 1, "part": 1} for person in result.people)


def test_mixed_up_left_and_right_costs_what_the_geometry_says():
    rng = np.random.default_rng(1)
    person, found = random_person(rng)
    mirrored = IUV(*mirror_iuv(found.iuv.i, found.iuv.u, found.iuv.v))
    result = measure([image([person], [replace(found, iuv=mirrored)])], UVDistances())
    i = person.i
    expected = np.full(len(i), 10.0)  # another chart
    torso = (i == 1) | (i == 2)
    expected[torso] = np.abs(1 - 2 * person.v[torso])  # the same chart, as far on the other side
    np.testing.assert_allclose(result.error_m, expected, atol=1e-6)
    assert result.people[0].gps["kappa"] == pytest.approx(gps(expected, KAPPA_M), abs=1e-6)
    assert result.mask.ap == pytest.approx(1)  # the outline is the same


def test_nobody_found_is_all_wrong():
    person, _ = random_person(np.random.default_rng(2))
    result = measure([image([person], [])], UVDistances())
    assert np.isinf(result.error_m).all() and auc(result.error_m, 0.3) == 0
    assert [ap.ap for ap in all_ap(result)] == [0] * 6 and result.box.ar == 0


def test_nothing_at_all():
    result = measure([], UVDistances())
    assert not result.people and result.error_m.shape == (0,) and np.isnan(result.gps["kappa"].ap)


def test_the_surest_detection_that_labels_a_pixel_is_read():
    point = [(100.5, 100.5, 2, 0, 0)]
    sure_but_elsewhere, second, third = (
        detection((0, 0, 50, 50), 2, score=0.9), detection(BOX, 2, 0.2, score=0.8), detection(BOX, 2, 0.1, score=0.7),
    )  # fmt: skip
    result = measure([image([annotation(BOX, point)], [third, sure_but_elsewhere, second])], UVDistances())
    assert result.error_m == pytest.approx([0.2])


def test_people_without_points_are_not_missed_and_free_their_detections():
    person, found = random_person(np.random.default_rng(3))
    other_box = (0, 300, 100, 400)
    without = annotation(other_box, [], number=2)
    vertex_only = replace(
        annotation(other_box, [(50, 350, 1, 0, 0)], number=2), i=np.zeros(1, np.uint8), vertex=np.array([5])
    )
    extra = detection(other_box, 3, score=1.0)
    for other in (without, vertex_only):
        result = measure([image([person, other], [found, extra])], UVDistances())
        assert [ap.ap for ap in result.gps.values()] == pytest.approx([1, 1])
        assert len(result.people) == 1 and result.box.ap == pytest.approx(1)
    alone = measure([image([person], [found, extra])], UVDistances())
    assert alone.gps["kappa"].ap == pytest.approx(0.5)


def test_a_false_positive_never_raises_a_measure_of_instances():
    rng = np.random.default_rng(4)
    for _ in range(5):
        people, found = zip(*(random_person(rng, (0, 300 * k), number=k + 1) for k in range(2)), strict=True)
        noisy = [replace(one, score=rng.random()) for one in found]
        before = measure([image(people, noisy, size_hw=(600, 600))], UVDistances())
        wrong = detection((*rng.integers(0, 200, 2), 256, 556), rng.integers(1, 25), rng.random(), score=rng.random())
        after = measure([image(people, [*noisy, wrong], size_hw=(600, 600))], UVDistances())
        for old, new in zip(all_ap(before), all_ap(after), strict=True):
            for name, value in new.numbers().items():
                assert np.isnan(value) or value <= old.numbers()[name] + 1e-12, name


def test_how_people_are_batched_changes_nothing(monkeypatch):
    rng = np.random.default_rng(5)
    people, found = zip(*(random_person(rng, (0, 300 * k), number=k + 1) for k in range(3)), strict=True)
    images = [image([person], [one], k, (1000, 300)) for k, (person, one) in enumerate(zip(people, found, strict=True))]
    at_once = measure(images, UVDistances())
    monkeypatch.setattr("opendensepose.evaluation.measures._BATCH", 0)
    one_by_one = measure(images, UVDistances())
    np.testing.assert_array_equal(at_once.error_m, one_by_one.error_m)
    for one, other in zip(all_ap(at_once), all_ap(one_by_one), strict=True):
        assert one.numbers() == pytest.approx(other.numbers(), nan_ok=True)


def test_official_assets_stand_in_for_our_surface(tmp_path):
    """Errors are the stored distances between nearest vertices, and the same number comes out by another route."""
    rng = np.random.default_rng(6)
    chart, uv, number, matrix = small_body(rng)
    distances = load_official_distances(write_assets(tmp_path, chart, uv, number, matrix))
    person, found = random_person(rng)
    noisy = replace(found, iuv=IUV(found.iuv.i, rng.random((256, 256), np.float32), found.iuv.v))
    result = measure([image([person], [noisy])], distances)
    labels = [part[(person.point_xy[:, 1]).astype(int), person.point_xy[:, 0].astype(int)]
              for part in (noisy.iuv.i, noisy.iuv.u, noisy.iuv.v)]  # fmt: skip
    np.testing.assert_array_equal(result.error_m, point_errors((person.i, person.u, person.v), labels, distances))
    assert "SMPL" in result.surface and 0 < result.error_m.max() < 2


def test_a_detection_off_the_grid_of_pixels():
    """The window's corner lies between pixels: the pixel read is int(x - corner)."""
    i = np.zeros((4, 4), np.uint8)
    i[1, 2] = 3
    box = np.array([10.5, 20.5, 4, 4])
    found = DetectedPerson(box, 1.0, IUV(i, *np.zeros((2, 4, 4), np.float32)), box[:2])
    points = [(12.5, 21.5, 3, 0, 0), (13.49, 22.49, 3, 0, 0), (12.49, 21.5, 3, 0, 0), (13.5, 21.5, 3, 0, 0)]
    result = measure([image([annotation((10, 20, 15, 25), points)], [found])], UVDistances())
    assert result.error_m.tolist() == [0, 0, np.inf, np.inf]


def test_measuring_needs_no_torch():
    code = "import sys, opendensepose.evaluation, opendensepose.evaluate; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_points_confidence_is_that_of_the_label_that_counts():
    """Two detections over one another: where the surer one has no label, the other's confidence counts."""
    person = annotation((0, 0, 4, 4), [(0.5, 0.5, 2, 0, 0), (2.5, 0.5, 2, 0, 0), (9.5, 9.5, 2, 0, 0)])
    first, second = detection((0, 0, 4, 4), 2, score=0.9), detection((0, 0, 4, 4), 2, score=0.5)
    first.iuv.i[:, 2:] = 0
    first = replace(first, confidence=np.full((4, 4), 0.75))
    second = replace(second, confidence=np.full((4, 4), 0.25))
    measures = measure([image([person], [second, first])], UVDistances())
    np.testing.assert_array_equal(measures.confidence, [0.75, 0.25, np.nan])
    assert np.isnan(measure([image([person], [])], UVDistances()).confidence).all()
