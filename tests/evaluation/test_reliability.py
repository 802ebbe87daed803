"""Reliability and risk by hand, against a slower route, and on confidences that are right by construction."""

import numpy as np
import pytest

from opendensepose.evaluation.reliability import (
    RIGHT_M,
    platt_scaling,
    reliability_bins,
    risk_coverage,
    wilson_interval,
)

CONFIDENCE = np.array([0.95, 0.85, 0.85, 0.15])
ERROR_M = np.array([0.02, 0.10, 0.30, 0.50])  # right, right (at the limit), wrong, wrong


def drawn(scale=1.0, shift=0.0, number=20_000):
    """Confidences, and errors that are right as often as sigmoid(scale * logit + shift) says."""
    rng = np.random.default_rng(0)
    logit = rng.normal(1, 2, number)
    right = rng.random(number) < 1 / (1 + np.exp(-(scale * logit + shift)))
    return 1 / (1 + np.exp(-logit)), np.where(right, RIGHT_M / 2, 2 * RIGHT_M)


def test_bins_by_hand():
    bins = reliability_bins(CONFIDENCE, ERROR_M)
    assert bins.least.tolist() == [0.1, 0.8, 0.9] and bins.num_points.tolist() == [1, 2, 1]
    assert bins.confidence == pytest.approx([0.15, 0.85, 0.95]) and bins.right.tolist() == [0, 0.5, 1]
    assert bins.expected_calibration_error == pytest.approx((0.15 + 2 * 0.35 + 0.05) / 4)
    assert reliability_bins([1.0], [0.0]).least.tolist() == [0.9]  # the last bin ends with 1 itself


def test_risk_by_hand():
    kept = risk_coverage(CONFIDENCE, ERROR_M, at=[0, 0.5, 0.9, 0.99])
    assert kept.min_confidence.tolist() == [0.99, 0.9, 0.5, 0] and kept.coverage.tolist() == [0, 0.25, 0.75, 1]
    assert kept.mean_error_m[1:] == pytest.approx([0.02, 0.14, 0.23])
    assert kept.wrong[1:] == pytest.approx([0, 1 / 3, 0.5])
    assert np.isnan(kept.mean_error_m[0]) and np.isnan(kept.wrong[0])  # nothing is kept there


def test_the_area_is_the_mean_over_the_number_kept():
    rng = np.random.default_rng(1)
    confidence, error_m = rng.random(300), rng.exponential(0.1, 300)
    curve = risk_coverage(confidence, error_m)
    ordered = error_m[np.argsort(-confidence)]
    kept = np.arange(1, 301)
    assert curve.area(curve.mean_error_m) == pytest.approx((np.cumsum(ordered) / kept).mean())
    assert curve.area(curve.wrong) == pytest.approx((np.cumsum(ordered > RIGHT_M) / kept).mean())
    blind = risk_coverage(np.full(300, 0.5), error_m)  # all or nothing is kept
    assert blind.area(blind.mean_error_m) == pytest.approx(error_m.mean())


def test_the_order_of_points_does_not_matter():
    confidence, error_m = np.round(drawn(number=500)[0], 1), np.random.default_rng(2).random(500)
    turned = np.random.default_rng(3).permutation(500)
    for one, other in zip(
        vars(risk_coverage(confidence, error_m)).values(),
        vars(risk_coverage(confidence[turned], error_m[turned])).values(),
        strict=True,
    ):
        np.testing.assert_allclose(one, other)


def test_calibrated_confidences_have_no_error_and_lie_in_the_intervals():
    bins = reliability_bins(*drawn())
    assert bins.expected_calibration_error < 0.01
    assert ((bins.low <= bins.confidence) & (bins.confidence <= bins.high)).sum() >= len(bins.least) - 2


def test_a_wilson_interval_holds_the_shares_that_make_the_hits_likely():
    low, high = wilson_interval([7, 0, 20], 20)
    assert low[1] == 0 < high[1] < 0.2 and low[2] > 0.8 and high[2] == pytest.approx(1)
    for end in (low[0], high[0]):  # by definition: the hits are 1.96 standard deviations from what the end expects
        assert abs(7 / 20 - end) == pytest.approx(1.959964 * np.sqrt(end * (1 - end) / 20))


def test_scaling_finds_the_numbers_that_made_the_labels_wrong():
    confidence, error_m = drawn(0.5, -0.7, 100_000)
    scale, shift = platt_scaling(confidence, error_m <= RIGHT_M)
    assert (scale, shift) == pytest.approx((0.5, -0.7), abs=0.03)
    mended = 1 / (1 + np.exp(-(scale * np.log(confidence / (1 - confidence)) + shift)))
    after = reliability_bins(mended, error_m).expected_calibration_error
    assert after < 0.01 < 0.1 < reliability_bins(confidence, error_m).expected_calibration_error
    assert platt_scaling(mended, error_m <= RIGHT_M) == pytest.approx((1, 0), abs=1e-6)


def test_bad_input_is_refused_in_a_sentence():
    for confidence, error_m in (([0.5], [0.1, 0.2]), ([1.5], [0.1]), ([0.5], [np.inf]), ([np.nan], [0.1])):
        with pytest.raises(ValueError, match=r"confidences|errors"):
            reliability_bins(confidence, error_m)
    parted = [0.2, 0.3, 0.8, 0.9], [False, False, True, True]
    for confidence, right in (([0.2, 0.4], [True, True]), ([0.2, 0.4], [True]), parted):
        with pytest.raises(ValueError, match="scaling"):
            platt_scaling(confidence, right)


def test_without_points_nothing_is_known():
    assert np.isnan(reliability_bins([], []).expected_calibration_error)
    curve = risk_coverage([], [])
    assert not len(curve.coverage) and np.isnan(curve.area(curve.wrong))
    assert np.isnan(risk_coverage([], [], at=[0.5]).coverage).all()
