import numpy as np
import pytest

from opendensepose.evaluation.gps import KAPPA_M, PART_NORMALISER_M, gps, gpsm, normaliser_m
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
