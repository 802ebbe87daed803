"""The evaluation as one HTML page without other files: curves, tables, the body by error, the ten worst people.

The page's text and layout are the Jinja2 template `report.html` beside this module.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from opendensepose.evaluation.measures import MAX_BOXES, MAX_DETECTIONS, Measures, PersonErrors
from opendensepose.evaluation.plots import Curve, draw_curves
from opendensepose.evaluation.rcp import auc, capped_mean, rcp
from opendensepose.evaluation.reliability import RIGHT_M, reliability_bins, risk_coverage
from opendensepose.evaluation.tables import summary
from opendensepose.surface import CHART_COLOURS, CHART_TO_PART, css_colour

__all__ = ["CAP_M", "PersonPicture", "chart_errors", "person_lines", "report_page", "worst_people"]

CAP_M = 0.30  # an error counts as at most this much in the picture of the body
FARTHEST_CM = 40
NUM_WORST = 10
NUM_CURVE_RESAMPLES = 300
COVERAGES = np.linspace(0.01, 1, 100)  # at which risk is drawn
_PART_GROUPS = {  # coarse parts, in the order of PART_NAMES, and the chart whose colour their curve has
    "torso": ((1,), 1),
    "head": ((14,), 23),
    "arms": ((10, 11, 12, 13), 16),
    "hands": ((2, 3), 3),
    "legs": ((6, 7, 8, 9), 7),
    "feet": ((4, 5), 6),
}
_THRESHOLDS = {0.50: "#9ec5e8", 0.65: "#6aa5d8", 0.75: "#3d7fbf", 0.85: "#235a98", 0.95: "#10305c"}


@dataclass(frozen=True)
class PersonPicture:
    """One of the worst people: the picture's JPEG or PNG bytes, and what stands below it."""

    image_bytes: bytes
    title: str
    lines: Sequence[str]


def worst_people(measures: Measures, normaliser: str) -> list[PersonErrors]:
    """List the ten people with the lowest GPS, the worst first; people without any prediction come last."""
    return sorted(measures.people, key=lambda one: (np.isinf(one.error_m).all(), one.gps[normaliser]))[:NUM_WORST]


def chart_errors(chart: np.ndarray, error_m: np.ndarray) -> np.ndarray:
    """Average errors by chart: (25,) metres, each error capped at 30 cm, missing points too; NaN without points."""
    return np.array([capped_mean(error_m[chart == k], CAP_M) for k in range(25)])


def report_page(
    measures: Measures, *, title: str, body_png: bytes, scale: Sequence[Sequence[int]], worst: Sequence[PersonPicture]
) -> str:
    """Fill in the page. body_png: the body coloured by `chart_errors`; scale: its colours from 0 to 30 cm, RGB."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    pages.filters |= {"share": _share, "hundredths": _hundredths, "data_uri": _data_uri}
    numbers = summary(measures)
    return pages.get_template("report.html").render(
        title=title,
        numbers=numbers,
        normalisers=list(measures.gps),
        pointwise=numbers[next(iter(measures.gps))]["rcp"],
        rcp_curves=_draw_rcp(measures),
        confidence_curves=_draw_confidence(measures) if numbers["confidence"] else None,
        precision_curves={name: _draw_precision(measures, name) for name in measures.gps},
        body_png=body_png,
        scale=scale,
        worst=worst,
        missed=sum(bool(np.isinf(person.error_m).all()) for person in measures.people),
        max_detections=MAX_DETECTIONS,
        max_boxes=MAX_BOXES,
    )


def _data_uri(content: bytes) -> str:
    kinds = {b"\x89": "png", b"\xff": "jpeg", b"<": "svg+xml"}
    return f"data:image/{kinds[content[:1]]};base64,{b64encode(content).decode()}"


def _draw_rcp(measures: Measures) -> bytes:
    at_cm = np.linspace(0, FARTHEST_CM, 161)
    error_m, part = measures.error_m, CHART_TO_PART[measures.chart]
    curves = []
    for name, (parts, chart) in _PART_GROUPS.items():
        mine = error_m[np.isin(part, parts)]
        if len(mine):
            curves.append(Curve(name, at_cm, rcp(mine, at_cm / 100), css_colour(CHART_COLOURS[chart])))
    if len(error_m):
        whole = Curve("all points", at_cm, rcp(error_m, at_cm / 100), "#1a2038", 3, _rcp_band(measures, at_cm / 100))
        curves.append(whole)
    ticks = range(0, FARTHEST_CM + 1, 5)
    return draw_curves(curves, x_label="geodesic error, cm", y_label="ratio of correct points", x_ticks=ticks)


def _rcp_band(measures: Measures, at_m: np.ndarray) -> np.ndarray:
    """(2, T): 95 % bootstrap interval of RCP over people."""
    right = np.array([rcp(person.error_m, at_m) * len(person.error_m) for person in measures.people])
    count = np.array([len(person.error_m) for person in measures.people])
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(count), np.full(len(count), 1 / len(count)), size=NUM_CURVE_RESAMPLES)
    return np.quantile((drawn @ right) / (drawn @ count)[:, None], [0.025, 0.975], axis=0)


def _draw_precision(measures: Measures, name: str) -> bytes:
    recall, curves = np.linspace(0, 1, 101), []
    for threshold, colour in _THRESHOLDS.items():
        precision = measures.gps[name].precision[round((threshold - 0.5) / 0.05)]
        if np.isfinite(precision).all():
            area = _hundredths(float(precision.mean()))
            curves.append(Curve(f"GPS ≥ {threshold:.2f}: AP {area}", recall, precision, colour, 2.2))
    return draw_curves(curves, x_label="recall", y_label="precision", x_ticks=np.linspace(0, 1, 6).tolist())


def _draw_confidence(measures: Measures) -> dict[str, bytes]:
    """The reliability diagram and the risk-coverage curve of the labelled points, by what they show."""
    known = np.isfinite(measures.confidence)
    points = measures.confidence[known], measures.error_m[known]
    bins, curve = reliability_bins(*points), risk_coverage(*points)
    band, ends = np.stack([bins.low, bins.high]), np.array([0.0, 1.0])
    right = f"within {100 * RIGHT_M:.0f} cm"
    reliability = [
        Curve("confidence = share", ends, ends, "#9aa1b5", 1),
        Curve(f"{right}, 95 % interval", bins.confidence, bins.right, "#235a98", 1.6, band, marker="o"),
    ]
    ticks = np.linspace(0, 1, 6).tolist()
    at = np.minimum(np.searchsorted(curve.coverage, COVERAGES), len(curve.coverage) - 1)
    risks = [
        Curve(f"share not {right}", curve.coverage[at], curve.wrong[at], "#b3402a", 2),
        Curve("mean error, metres", curve.coverage[at], curve.mean_error_m[at], "#235a98", 2),
    ]
    top = max(0.1, np.ceil(10 * max(risk.y.max() for risk in risks)) / 10)
    return {
        "confidence and share of right labels": draw_curves(
            reliability, x_label="mean confidence", y_label=f"share {right}", x_ticks=ticks
        ),
        "risk by coverage": draw_curves(
            risks, x_label="share of labels kept, most confident first", y_label="risk", x_ticks=ticks, y_top=top
        ),
    }


def _share(value: float | None) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.3f}".replace("0.", ".", 1)


def _hundredths(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def person_lines(person: PersonErrors) -> list[str]:
    """Describe one of the worst people: GPS, AUC10, number of points."""
    missing = int(np.isinf(person.error_m).sum())
    scores = ", ".join(f"GPS {name} {_share(value)}" for name, value in person.gps.items())
    return [scores, f"AUC10 {_share(auc(person.error_m, 0.1))}, {len(person.error_m)} points, {missing} missing"]
