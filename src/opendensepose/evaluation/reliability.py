"""Whether confidence says how likely a label is right, and how much less is wrong where only confident labels are kept.

A label is right if its geodesic error is at most RIGHT_M. Sources: reliability diagram, expected calibration error and
Platt scaling, Guo et al., On Calibration of Modern Neural Networks, ICML 2017, sections 2 and 4.1; risk and coverage,
Geifman and El-Yaniv, Selective Classification for Deep Neural Networks, NeurIPS 2017; intervals, Wilson, Probable
Inference, JASA 1927.

Letters: P labelled points, B bins, T thresholds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "RIGHT_M",
    "ReliabilityBins",
    "RiskCoverage",
    "platt_scaling",
    "reliability_bins",
    "risk_coverage",
    "wilson_interval",
]

RIGHT_M = 0.10
NUM_BINS = 10
Z_95 = 1.959964  # standard deviations of a normal distribution to either side that hold 95 % of it
LEAST_CONFIDENCE = 1e-6  # float32 rounds the sigmoid of large logits to 1, whose logit is infinite
MAX_STEPS, SMALL_STEP = 100, 1e-9


@dataclass(frozen=True)
class ReliabilityBins:
    """Bins of equal width over [0, 1] that hold points, (B,) each.

    least: where a bin begins; num_points; confidence: mean; right: share of right labels; low, high: the ends of its
    95 % Wilson interval, which takes points as independent: those of one person are not, so it is somewhat narrow.
    """

    least: np.ndarray
    num_points: np.ndarray
    confidence: np.ndarray
    right: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def expected_calibration_error(self) -> float:
        """The mean of |right - confidence| over all points, each counted with its bin's; NaN without points."""
        total = self.num_points.sum()
        return float((self.num_points * np.abs(self.right - self.confidence)).sum() / total) if total else float("nan")


@dataclass(frozen=True)
class RiskCoverage:
    """What is kept from each least confidence on, (T,) each, in descending confidence.

    coverage: share of the labels; mean_error_m: their mean error, metres; wrong: their share of wrong labels; both NaN
    where nothing is kept.
    """

    min_confidence: np.ndarray
    coverage: np.ndarray
    mean_error_m: np.ndarray
    wrong: np.ndarray

    def area(self, risk: np.ndarray) -> float:
        """Average `mean_error_m` or `wrong` over the coverage: the area under its curve if the thresholds are all
        confidences; NaN without points."""
        if not len(risk):
            return float("nan")
        return float(np.dot(np.diff(self.coverage, prepend=0), np.nan_to_num(risk)))


def reliability_bins(
    confidence: ArrayLike, error_m: ArrayLike, *, right_m: float = RIGHT_M, num_bins: int = NUM_BINS
) -> ReliabilityBins:
    """Compare confidences (P,) in [0, 1] with the share of errors (P,), metres, of at most right_m."""
    confidence, error_m = _checked(confidence, error_m)
    index = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    count = np.bincount(index, minlength=num_bins)
    filled = np.flatnonzero(count)
    count = count[filled]
    hits = np.bincount(index, error_m <= right_m, num_bins)[filled]
    mean = np.bincount(index, confidence, num_bins)[filled] / count
    low, high = wilson_interval(hits, count)
    return ReliabilityBins(filled / num_bins, count, mean, hits / count, low, high)


def risk_coverage(
    confidence: ArrayLike, error_m: ArrayLike, *, at: ArrayLike | None = None, right_m: float = RIGHT_M
) -> RiskCoverage:
    """Measure the labels whose confidence (P,) is at least each of `at` (T,); None: each confidence that there is."""
    confidence, error_m = _checked(confidence, error_m)
    thresholds = np.unique(confidence if at is None else np.asarray(at, np.float64))[::-1]
    order = np.argsort(-confidence)
    count = np.searchsorted(-confidence[order], -thresholds, side="right")
    of_first = np.zeros((2, len(order) + 1))  # sums over the k most confident
    np.cumsum([error_m[order], error_m[order] > right_m], axis=1, out=of_first[:, 1:])
    with np.errstate(invalid="ignore"):
        mean_error_m, wrong = of_first[:, count] / count
        coverage = count / np.float64(len(order))
    return RiskCoverage(thresholds, coverage, mean_error_m, wrong)


def wilson_interval(hits: ArrayLike, count: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Compute the ends of the 95 % interval of a share, given hits among `count` > 0 trials, arrays of one shape."""
    count = np.asarray(count, np.float64)
    share = np.asarray(hits) / count
    middle = share + Z_95**2 / (2 * count)
    half = Z_95 * np.sqrt(share * (1 - share) / count + Z_95**2 / (4 * count**2))
    return (middle - half) / (1 + Z_95**2 / count), (middle + half) / (1 + Z_95**2 / count)


def platt_scaling(confidence: ArrayLike, right: ArrayLike) -> tuple[float, float]:
    """Fit scale and shift so that sigmoid(scale * logit(confidence) + shift) is the probability of being right.

    confidence (P,) in [0, 1]; right (P,) bool. The maximum of the likelihood, by Newton's method. ValueError unless
    some are right and some are wrong, not all of these less confident than those.
    """
    confidence, is_right = np.asarray(confidence, np.float64), np.asarray(right, bool)
    if confidence.shape != is_right.shape or not 0 < is_right.sum() < len(is_right):
        raise ValueError("scaling needs confidences of right and of wrong labels, as many as are said to be either.")
    clipped = confidence.clip(LEAST_CONFIDENCE, 1 - LEAST_CONFIDENCE)
    inputs = np.stack([np.log(clipped / (1 - clipped)), np.ones(len(clipped))], axis=1)  # (P, 2)
    solution = np.array([1.0, 0.0])
    for _ in range(MAX_STEPS):
        with np.errstate(over="ignore"):
            probability = 1 / (1 + np.exp(-inputs @ solution))
        gradient = inputs.T @ (probability - is_right)
        curvature = (inputs * (probability * (1 - probability))[:, None]).T @ inputs
        try:
            step = np.linalg.solve(curvature, gradient)
        except np.linalg.LinAlgError:
            break
        solution = solution - step
        if np.abs(step).max() < SMALL_STEP:
            return float(solution[0]), float(solution[1])
    raise ValueError("scaling found no end: all right labels may be more confident than all wrong ones.")


def _checked(confidence: ArrayLike, error_m: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    confidence, error_m = np.asarray(confidence, np.float64), np.asarray(error_m, np.float64)
    if confidence.ndim != 1 or confidence.shape != error_m.shape:
        raise ValueError(f"confidences and errors must both be (P,), got {confidence.shape} and {error_m.shape}.")
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("confidences must lie in [0, 1].")
    if not (np.isfinite(error_m) & (error_m >= 0)).all():
        raise ValueError("errors must be finite lengths of at least 0: only labelled points have a confidence.")
    return confidence, error_m
