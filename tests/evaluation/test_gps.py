import numpy as np
import pytest
from tests.evaluation.people import annotation, detection

from opendensepose.evaluation.gps import (
    KAPPA_M,
    PART_NORMALISER_M,
    annotated_foreground,
    gps,
    gpsm,
    mask_iou,
    normaliser_m,
    predicted_foreground,
)
from opendensepose.surface import CHART_NAMES, MIRROR_CHART


def test_a_point_30_cm_off_scores_one_half_as_the_paper_says():
    assert KAPPA_M == 0.255
    assert gps(np.array([0.30]), KAPPA_M) == pytest.approx(0.5, abs=1e-3)


def test_three_points_by_hand():
    error = KAPPA_M * np.array([0, np.sqrt(2 * np.log(2)), np.inf])
    assert gps(error, KAPPA_M) == pytest.approx((1 + 0.5 + 0) / 3)
    assert gps(np.stack([error, 0 * np.zeros(3)]), KAPPA_M).tolist() == pytest.approx([0.5, 1])


def test_nobodys_points_score_nothing():
    assert gps(np.zeros(0), KAPPA_M) == 0
    assert gps(np.zeros((4, 0)), np.zeros(0)).tolist() == [0] * 4


def test_gps_falls_with_every_error():
    rng = np.random.default_rng(0)
    error = rng.exponential(0.2, 50)
    for k in range(50):
        worse = error.copy()
        worse[k] += 0.1
        assert gps(worse, KAPPA_M) < gps(error, KAPPA_M)


def test_the_part_normaliser_is_that_of_the_eight_groups():
    groups = {
        "torso": 0.351, "hand": 0.107, "foot": 0.126, "upper leg": 0.237, "lower leg": 0.173, "upper arm": 0.142,
        "forearm": 0.128, "head": 0.150,
    }  # fmt: skip
    for chart in range(1, 25):
        (expected,) = [metres for name, metres in groups.items() if name in CHART_NAMES[chart]]
        assert PART_NORMALISER_M[chart] == expected == PART_NORMALISER_M[MIRROR_CHART[chart]]
    assert np.isnan(PART_NORMALISER_M[0])
    np.testing.assert_array_equal(normaliser_m("part", np.array([1, 3, 24])), [0.351, 0.107, 0.150])
    np.testing.assert_array_equal(normaliser_m("kappa", np.array([1, 3, 24])), [0.255] * 3)
    with pytest.raises(ValueError, match="kappa, part, got 'kapa'"):
        normaliser_m("kapa", np.array([1]))


def test_gpsm_is_the_geometric_mean():
    assert gpsm(0.25, 1.0) == 0.5
    np.testing.assert_allclose(gpsm(np.array([[0.9]]), np.array([[0.4]])), 0.6)


def test_mask_iou_by_hand():
    a = detection((2, 3, 6, 7), 1)  # 16 pixels
    whole = np.ones((256, 256), np.uint8)
    b = annotation((4, 3, 8, 7), [], mask=whole)  # 16 pixels, 8 in common
    windows = predicted_foreground(a, (20, 20)), annotated_foreground(b, (20, 20))
    assert mask_iou(*windows) == 8 / 24
    assert mask_iou(*windows, crowd=True) == 8 / 16
    far = annotated_foreground(annotation((10, 10, 12, 12), [], mask=whole), (20, 20))
    assert mask_iou(windows[0], far) == 0
    nobody = predicted_foreground(detection((2, 3, 6, 7), 0), (20, 20))
    assert mask_iou(nobody, annotated_foreground(annotation((0, 0, 4, 4), [], mask=0 * whole), (20, 20))) == 0


def test_masks_end_at_the_images_edge():
    whole = np.ones((256, 256), np.uint8)
    outside = annotated_foreground(annotation((-2, -1, 4, 4), [], mask=whole), (3, 3))
    assert outside[0].shape == (3, 3) and outside[1] == (0, 0)
    beyond = predicted_foreground(detection((5, 5, 9, 9), 1), (7, 6))
    assert beyond[0].shape == (2, 1) and beyond[1] == (5, 5)
    gone = predicted_foreground(detection((10, 10, 12, 12), 1), (7, 6))
    assert gone[0].size == 0 and mask_iou(gone, beyond) == 0


def test_a_grid_as_large_as_the_box_is_the_mask_itself():
    mask = (np.random.default_rng(0).random((256, 256)) > 0.5) * np.uint8(3)
    window, corner = annotated_foreground(annotation((10, 20, 266, 276), [], mask=mask), (400, 400))
    np.testing.assert_array_equal(window, mask > 0)
    assert corner == (10, 20)
    assert annotated_foreground(annotation((10, 20, 266, 276), []), (400, 400)) is None


def test_a_stretched_disk_keeps_its_share_of_the_box():
    y, x = np.mgrid[:256, :256]
    mask = ((x - 127.5) ** 2 + (y - 127.5) ** 2 < 100**2).astype(np.uint8)
    window, _ = annotated_foreground(annotation((3.4, 5.6, 63.4, 125.6), [], mask=mask), (400, 400))
    assert window.shape == (120, 60)
    assert window.mean() == pytest.approx(mask.mean(), abs=0.02)
