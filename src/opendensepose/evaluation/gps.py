"""Geodesic point similarity of a detection and an annotated person, and masked GPS.

GPS = 1/P * sum_p exp(-d_p^2 / (2 k^2)) (DensePose, Güler et al. 2018, section 4), with one of two normalisers k:
"kappa": 0.255 m everywhere, the paper's, of which its tables are made: a single point 30 cm off scores 0.5;
"part": the mean geodesic distance inside the point's body part, that of the released evaluators and model-zoo numbers.
GPSm = sqrt(GPS * IoU), with the IoU of the predicted and the annotated foreground (released evaluators).

Letters: P points.
"""

import numpy as np

__all__ = ["KAPPA_M", "NORMALISERS", "PART_NORMALISER_M", "gps", "gpsm", "normaliser_m"]

KAPPA_M = 0.255
# Torso, hands, feet, upper legs, lower legs, upper arms, lower arms, head: metres, those of the released evaluators.
_GROUP_M = (0.351, 0.107, 0.126, 0.237, 0.173, 0.142, 0.128, 0.150)
_GROUP_CHARTS = (2, 2, 2, 4, 4, 4, 4, 2)  # how many charts each group has, in order
PART_NORMALISER_M = np.array([np.nan, *np.repeat(_GROUP_M, _GROUP_CHARTS)])  # (25,) by chart, 0 = background
PART_NORMALISER_M.flags.writeable = False
NORMALISERS = {"kappa": "kappa = 0.255 m (the paper's)", "part": "per-part mean distance (released evaluators)"}


def normaliser_m(name: str, chart: np.ndarray) -> np.ndarray:
    """Return the normaliser of points in charts (P,) 1..24: (P,) metres. ValueError if the name is unknown."""
    if name not in NORMALISERS:
        raise ValueError(f"the normaliser must be one of {', '.join(NORMALISERS)}, got {name!r}.")
    return np.full(np.shape(chart), KAPPA_M) if name == "kappa" else PART_NORMALISER_M[chart]


def gps(error_m: np.ndarray, scale_m: np.ndarray) -> np.ndarray:
    """Average over the last axis exp(-d^2 / (2 k^2)) of errors (..., P), infinite if missing; 0 if P is 0."""
    error_m = np.asarray(error_m, np.float64)
    if error_m.shape[-1] == 0:
        return np.zeros(error_m.shape[:-1])
    return np.exp(-(error_m**2) / (2 * np.asarray(scale_m) ** 2)).mean(-1)


def gpsm(gps_value: np.ndarray, iou: np.ndarray) -> np.ndarray:
    """Compute sqrt(GPS * IoU)."""
    return np.sqrt(np.asarray(gps_value) * np.asarray(iou))
