"""Ratio of correct points and the area under its curve (DensePose, Güler et al. 2018, section 4, "pointwise").

RCP(t) = share of points with an error of at most t, a missing prediction being an infinite error.
AUC_a = (1/a) * integral_0^a RCP(t) dt. RCP is a step function, 1/P higher at each point's error d_p, so the integral is
exactly the mean over points of max(0, 1 - d_p / a): no grid of thresholds.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["AUC_LIMITS_M", "RCP_AT_M", "auc", "auc_interval", "capped_mean", "rcp"]

AUC_LIMITS_M = (0.10, 0.30)
RCP_AT_M = (0.05, 0.10, 0.20, 0.30)
NUM_RESAMPLES = 1000


def rcp(error_m: np.ndarray, threshold_m: ArrayLike) -> np.ndarray:
    """Compute the ratio of errors (P,) at most each threshold (T,): (T,) float64; NaN without points."""
    error_m, threshold_m = _checked(error_m), np.asarray(threshold_m, np.float64)
    if not len(error_m):
        return np.full(threshold_m.shape, np.nan)
    return np.searchsorted(np.sort(error_m), threshold_m, side="right") / len(error_m)


def auc(error_m: np.ndarray, limit_m: float) -> float:
    """Compute the area under the RCP curve from 0 to limit_m, over limit_m: 0 to 1; NaN without points."""
    error_m = _checked(error_m)
    return float(_area_per_point(error_m, limit_m).mean()) if len(error_m) else float("nan")


def capped_mean(error_m: np.ndarray, limit_m: float) -> float:
    """Average errors in metres, each capped at limit_m, as a missing point is: limit_m (1 - AUC)."""
    return limit_m * (1 - auc(error_m, limit_m))


def auc_interval(
    errors_m: Sequence[np.ndarray], limit_m: float, rng: np.random.Generator, *, level: float = 0.95
) -> tuple[float, float]:
    """Compute a bootstrap interval of the AUC over all points, resampling people: their points are not independent.

    errors_m: the errors (P,) of each person. NaN, NaN if no person has points.
    """
    errors_m = [_checked(error) for error in errors_m if len(error)]
    if not errors_m:
        return float("nan"), float("nan")
    area = np.array([_area_per_point(error, limit_m).sum() for error in errors_m])
    count = np.array([len(error) for error in errors_m])
    drawn = rng.multinomial(len(count), np.full(len(count), 1 / len(count)), size=NUM_RESAMPLES)  # (1000, people)
    low, high = np.quantile((drawn @ area) / (drawn @ count), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _area_per_point(error_m: np.ndarray, limit_m: float) -> np.ndarray:
    if not limit_m > 0:
        raise ValueError(f"the limit of the area must be a positive length in metres, got {limit_m}.")
    return np.maximum(0, 1 - error_m / limit_m)


def _checked(error_m: ArrayLike) -> np.ndarray:
    error_m = np.asarray(error_m, np.float64)
    if error_m.ndim != 1 or np.isnan(error_m).any() or (error_m < 0).any():
        raise ValueError(f"errors must be (P,) lengths of at least 0, infinite if missing, got {error_m!r}.")
    return error_m
