"""The paper's two tables as text, and all numbers as plain dicts for JSON; each names its surface and normaliser.

Fractions are printed as the paper prints them: RCP and AUC as .378, AP and AR in hundredths as 51.0.
"""

import math
from typing import Any

import numpy as np

from opendensepose.evaluation.gps import NORMALISERS
from opendensepose.evaluation.measures import MAX_BOXES, MAX_DETECTIONS, Measures
from opendensepose.evaluation.rcp import AUC_LIMITS_M, RCP_AT_M, auc, auc_interval, rcp
from opendensepose.evaluation.reliability import RIGHT_M, reliability_bins, risk_coverage
from opendensepose.surface import CHART_TO_PART, PART_NAMES

__all__ = [
    "confidence_numbers",
    "confidence_table",
    "instance_table",
    "instance_tables",
    "pointwise_numbers",
    "pointwise_table",
    "summary",
    "without_nan",
]

INTERVAL_SEED = 0  # the same predictions always get the same interval
MIN_CONFIDENCES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # of the table of what is kept
_AP_NAMES = ("ap", "ap50", "ap75", "ap_m", "ap_l", "ar", "ar50", "ar75", "ar_m", "ar_l")


def pointwise_numbers(measures: Measures) -> dict[str, dict]:
    """Compute RCP and AUC of "all" and of each part with points: points, rcp_5cm .. rcp_30cm, auc10, auc30.

    "all" also has auc10_interval and auc30_interval: 95 % bootstrap intervals over people.
    """
    error_m, part = measures.error_m, CHART_TO_PART[measures.chart]
    rows = {"all": _rcp_row(error_m)}
    per_person = [person.error_m for person in measures.people]
    for limit_m in AUC_LIMITS_M:
        low, high = auc_interval(per_person, limit_m, np.random.default_rng(INTERVAL_SEED))
        rows["all"][f"auc{_cm(limit_m)}_interval"] = [low, high]
    for k in np.unique(part):
        rows[PART_NAMES[k]] = _rcp_row(error_m[part == k])
    return rows


def _rcp_row(error_m: np.ndarray) -> dict:
    row: dict[str, float] = {"points": len(error_m)}
    row |= {f"rcp_{_cm(at)}cm": float(value) for at, value in zip(RCP_AT_M, rcp(error_m, RCP_AT_M), strict=True)}
    return row | {f"auc{_cm(limit)}": auc(error_m, limit) for limit in AUC_LIMITS_M}


def _cm(metres: float) -> int:
    return round(100 * metres)


def pointwise_table(measures: Measures) -> str:
    """Format RCP at 5, 10, 20, 30 cm, AUC10 and AUC30, of all points and by part."""
    rows = pointwise_numbers(measures)
    title = f"Pointwise. Geodesic errors on {measures.surface}; no normaliser.\n{_counts(measures)}"
    names = [*(f"RCP {_cm(at)}cm" for at in RCP_AT_M), *(f"AUC{_cm(limit)}" for limit in AUC_LIMITS_M)]
    lines = [f"{'part':<16}{'points':>8}" + "".join(f"{name:>10}" for name in names)]
    for name, row in rows.items():
        values = [row[key] for key in row if key.startswith(("rcp", "auc")) and not key.endswith("interval")]
        lines.append(f"{name:<16}{row['points']:>8}" + "".join(f"{_share(value):>10}" for value in values))
    ends = ", ".join(
        f"AUC{_cm(limit)} {' to '.join(_share(end) for end in rows['all'][f'auc{_cm(limit)}_interval'])}"
        for limit in AUC_LIMITS_M
    )
    return "\n".join([title, *lines, f"95 % intervals over people (bootstrap), all points: {ends}"])


def _counts(measures: Measures) -> str:
    missing = int(np.isinf(measures.error_m).sum())
    return (
        f"{len(measures.error_m)} points of {len(measures.people)} people in {measures.num_images} images, "
        f"{measures.num_detections} detections; {missing} points without a prediction count as wrong."
    )


def instance_tables(measures: Measures) -> str:
    """Format one table per normaliser measured."""
    return "\n\n".join(instance_table(measures, name) for name in measures.gps)


def instance_table(measures: Measures, normaliser: str) -> str:
    """Format AP, AP50, AP75, AP_M, AP_L and the same of AR, for GPS, GPSm, mask IoU and box IoU."""
    title = (
        f"Per instance. GPS on {measures.surface}; normaliser {NORMALISERS[normaliser]}; "
        f"{MAX_DETECTIONS} detections per image."
    )
    heads = [name.upper() for name in _AP_NAMES]
    lines = [f"{'':<16}" + "".join(f"{head:>7}" for head in heads)]
    of = summary(measures)[normaliser]
    labels = {
        "gps": f"GPS, {normaliser}",
        "gpsm": f"GPSm, {normaliser}",
        "mask": "mask IoU",
        "box": f"box IoU, top {MAX_BOXES}",
    }
    for key, label in labels.items():
        if of[key] is not None:
            lines.append(f"{label:<16}" + "".join(f"{_hundredths(of[key][name]):>7}" for name in _AP_NAMES))
    return "\n".join([title, *lines])


def confidence_numbers(measures: Measures) -> dict | None:
    """Compute how confidences and errors of labelled points go together; None where predictions have no confidences.

    {"points", "right_m", "ece", "bins": [{"least", "points", "confidence", "right", "right_interval"}, ..], "kept":
    [{"min_confidence", "coverage", "mean_error_m", "wrong"}, ..], "area_mean_error_m", "area_wrong"}.
    """
    known = np.isfinite(measures.confidence)
    if not known.any():
        return None
    points = measures.confidence[known], measures.error_m[known]
    bins, curve = reliability_bins(*points), risk_coverage(*points)
    kept = risk_coverage(*points, at=MIN_CONFIDENCES)
    columns = {
        "least": bins.least,
        "points": bins.num_points,
        "confidence": bins.confidence,
        "right": bins.right,
        "right_interval": np.stack([bins.low, bins.high], 1),
    }
    return {
        "points": int(known.sum()),
        "right_m": RIGHT_M,
        "ece": bins.expected_calibration_error,
        "bins": _rows(columns),
        "kept": _rows(vars(kept))[::-1],
        "area_mean_error_m": curve.area(curve.mean_error_m),
        "area_wrong": curve.area(curve.wrong),
    }


def _rows(columns: dict[str, np.ndarray]) -> list[dict]:
    """Turn arrays of one length into a dict of plain values for each place."""
    values = (column.tolist() for column in columns.values())
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def confidence_table(measures: Measures) -> str:
    """Format the expected calibration error and what is left wrong from some confidences on; a sentence if there are no
    confidences."""
    numbers = confidence_numbers(measures)
    if numbers is None:
        return "Confidence. The predictions have none."
    title = (
        f"Confidence. {numbers['points']} labelled points; right: within {_cm(RIGHT_M)} cm. Expected calibration error"
        f" {_share(numbers['ece'])}; mean over the share kept: {100 * numbers['area_mean_error_m']:.1f} cm,"
        f" {_share(numbers['area_wrong'])} wrong."
    )
    lines = [f"{'confidence from':<16}{'kept':>8}{'mean error':>12}{'wrong':>8}"]
    for row in numbers["kept"]:
        error = "-" if math.isnan(row["mean_error_m"]) else f"{100 * row['mean_error_m']:.1f} cm"
        lines.append(f"{row['min_confidence']:<16.2f}{_share(row['coverage']):>8}{error:>12}{_share(row['wrong']):>8}")
    return "\n".join([title, *lines])


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}".replace("0.", ".", 1)


def _hundredths(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def summary(measures: Measures) -> dict:
    """Collect all numbers: fractions in [0, 1], None where there is nothing to measure.

    {"surface", "images", "people", "points", "detections", "confidence": see confidence_numbers, and for each
    normaliser "kappa", "part": {"normaliser", "rcp": {"auc10", "auc30", .., "parts"}, "gps": {"ap", "ap50", ..},
    "gpsm", "mask", "box"}}. RCP, mask and box do not depend on the normaliser and are the same under both.
    """
    rows = pointwise_numbers(measures)
    pointwise = rows.pop("all") | {"parts": rows}
    result = {
        "surface": measures.surface,
        "images": measures.num_images,
        "people": len(measures.people),
        "points": len(measures.error_m),
        "detections": measures.num_detections,
        "confidence": without_nan(confidence_numbers(measures)),
    }
    for name in measures.gps:
        kinds = {
            "gps": measures.gps[name],
            "gpsm": measures.gpsm[name] if measures.gpsm else None,
            "mask": measures.mask,
            "box": measures.box,
        }
        numbers = {key: None if kind is None else kind.numbers() for key, kind in kinds.items()}
        result[name] = without_nan({"normaliser": NORMALISERS[name], "rcp": pointwise, **numbers})
    return result


def without_nan(value: Any) -> Any:
    """Replace NaN, which JSON lacks, by None."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value
