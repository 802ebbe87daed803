"""The evaluation as one HTML page that needs no network: curves, tables, the body by error, the ten worst people."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from opendensepose.evaluation.gps import NORMALISERS
from opendensepose.evaluation.measures import MAX_BOXES, MAX_DETECTIONS, Measures, PersonErrors
from opendensepose.evaluation.plots import Curve, colour_scale_svg, curves_svg
from opendensepose.evaluation.rcp import auc, capped_mean, rcp
from opendensepose.evaluation.tables import pointwise_numbers, summary
from opendensepose.surface import CHART_COLOURS, CHART_TO_PART, css_colour

__all__ = [
    "CAP_M",
    "PersonPicture",
    "chart_errors",
    "error_page",
    "person_lines",
    "report_page",
    "worst_people",
]

CAP_M = 0.30  # an error counts as at most this much in the picture of the body
FARTHEST_CM = 40
NUM_WORST = 10
NUM_CURVE_RESAMPLES = 300
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
    """The ten people of the lowest GPS, the worst first; those of whom nothing was predicted come last: all alike."""
    return sorted(measures.people, key=lambda one: (np.isinf(one.error_m).all(), one.gps[normaliser]))[:NUM_WORST]


def chart_errors(chart: np.ndarray, error_m: np.ndarray) -> np.ndarray:
    """(25,) mean error in metres by chart, each counted as at most 30 cm, as a missing point is; NaN without points."""
    return np.array([capped_mean(error_m[chart == k], CAP_M) for k in range(25)])


def report_page(
    measures: Measures, *, title: str, body_png: bytes, scale: Sequence[Sequence[int]], worst: Sequence[PersonPicture]
) -> str:
    """The page. body_png: the body coloured by `chart_errors`; scale: its colours from 0 to 30 cm, RGB."""
    numbers = summary(measures)
    facts = {
        "people": f"{numbers['people']:,}",
        "points": f"{numbers['points']:,}",
        "images": f"{numbers['images']:,}",
        "detections": f"{numbers['detections']:,}",
    }
    pointwise = numbers[next(iter(measures.gps))]["rcp"]
    cards = [_card(f"AUC{cm}", _share(pointwise[f"auc{cm}"])) for cm in (10, 30)]
    cards += [_card(f"AP, GPS, {name}", _hundredths(numbers[name]["gps"]["ap"])) for name in measures.gps]
    sections = [
        f'<p class="facts">{" · ".join(f"<b>{value}</b> {key}" for key, value in facts.items())}<br>'
        f"Surface: {escape(measures.surface)}</p>",
        f'<div class="cards">{"".join(cards)}</div>',
        _section(
            "Pointwise", _rcp_text(measures), f'<div class="two">{_rcp_chart(measures)}{_rcp_rows(measures)}</div>'
        ),
        _section("Where on the body", _body_text(measures), _picture(body_png, "the body by error") + _scale(scale)),
        *(_instance_section(measures, numbers, name) for name in measures.gps),
        _section(
            "The ten worst people",
            "Lowest GPS of their points; people of whom nothing was predicted come last "
            f"({_missed(measures)} of {len(measures.people)}). Left: the predicted charts. Right: the annotated points "
            "by error; a blue ring has no prediction.",
            f'<div class="worst">{"".join(_figure(person) for person in worst)}</div>',
        ),
    ]
    return error_page(title, "".join(sections))


def error_page(title: str, body: str) -> str:
    """An HTML page with this package's style around `body`."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def _card(label: str, value: str) -> str:
    return f"<div><b>{value}</b><span>{escape(label)}</span></div>"


def _section(title: str, text: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{content}</section>\n"


def _missed(measures: Measures) -> int:
    return sum(bool(np.isinf(person.error_m).all()) for person in measures.people)


def _picture(content: bytes, alt: str) -> str:
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f'<img alt="{escape(alt)}" src="data:image/{kind};base64,{b64encode(content).decode()}">'


def _figure(person: PersonPicture) -> str:
    lines = "<br>".join(escape(line) for line in person.lines)
    picture = _picture(person.image_bytes, person.title)
    return f"<figure>{picture}<figcaption><b>{escape(person.title)}</b><br>{lines}</figcaption></figure>"


def _scale(colours: Sequence[Sequence[int]]) -> str:
    return colour_scale_svg(colours, ["0 cm", "5", "10", "15", "20", "25", "30+"])


def _rcp_text(measures: Measures) -> str:
    return (
        f"Share of the points that lie within a geodesic distance on {measures.surface} (no normaliser). A point "
        "without a prediction is wrong at any distance. The band holds 95 % of the curves when people are drawn again."
    )


def _body_text(measures: Measures) -> str:
    return (
        "Mean geodesic error of each chart in cm; an error counts as at most 30 cm, as a missing point does. Measured "
        f"on {measures.surface}; drawn on opendensepose's body. Grey: no points."
    )


def _rcp_chart(measures: Measures) -> str:
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
    svg = curves_svg(
        curves,
        x_label="geodesic error, cm",
        y_label="ratio of correct points",
        x_ticks=range(0, FARTHEST_CM + 1, 5),
        title="RCP curve",
    )
    return f"<div>{svg}</div>"


def _rcp_band(measures: Measures, at_m: np.ndarray) -> np.ndarray:
    """(2, T): the 2.5 and 97.5 % quantiles of RCP when people are drawn again."""
    right = np.array([rcp(person.error_m, at_m) * len(person.error_m) for person in measures.people])
    count = np.array([len(person.error_m) for person in measures.people])
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(count), np.full(len(count), 1 / len(count)), size=NUM_CURVE_RESAMPLES)
    return np.quantile((drawn @ right) / (drawn @ count)[:, None], [0.025, 0.975], axis=0)


def _rcp_rows(measures: Measures) -> str:
    rows = pointwise_numbers(measures)
    heads = ["part", "points", "RCP 5 cm", "10 cm", "20 cm", "30 cm", "AUC10", "AUC30"]
    body = []
    for name, row in rows.items():
        cells = [_share(value) for key, value in row.items() if key != "points" and not key.endswith("interval")]
        body.append([name, f"{row['points']:,}", *cells])
    ends = [
        f"AUC{k}: {_share(low)} to {_share(high)}" for k in (10, 30) for low, high in [rows["all"][f"auc{k}_interval"]]
    ]
    return f"<div>{_table(heads, body)}<p>95 % intervals over people: {'; '.join(ends)}</p></div>"


def _instance_section(measures: Measures, numbers: dict, name: str) -> str:
    of = numbers[name]
    kinds = {"gps": "GPS", "gpsm": "GPSm", "mask": "mask IoU", "box": "box IoU"}
    shown = [key for key in kinds if of[key] is not None]
    rows = [[figure.upper(), *(_hundredths(of[key][figure]) for key in shown)] for figure in of["box"]]
    table = _table(["", *(kinds[key] for key in shown)], rows)
    text = (
        f"GPS on {measures.surface}, normaliser {NORMALISERS[name]}; the {MAX_DETECTIONS} surest detections per image. "
        f"Boxes: plain COCO, {MAX_BOXES} per image."
    )
    content = f'<div class="two">{_pr_chart(measures, name)}<div>{table}</div></div>'
    return _section(f"Per instance, {name}", text, content)


def _pr_chart(measures: Measures, name: str) -> str:
    recall, curves = np.linspace(0, 1, 101), []
    for threshold, colour in _THRESHOLDS.items():
        precision = measures.gps[name].precision[round((threshold - 0.5) / 0.05)]
        if np.isfinite(precision).all():
            area = _hundredths(float(precision.mean()))
            curves.append(Curve(f"GPS ≥ {threshold:.2f}: AP {area}", recall, precision, colour, 2.2))
    ticks = np.round(np.arange(0, 1.01, 0.2), 1)
    title = f"precision and recall, GPS, {name}"
    return f"<div>{curves_svg(curves, x_label='recall', y_label='precision', x_ticks=ticks, title=title)}</div>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _share(value: float | None) -> str:
    return "–" if value is None or np.isnan(value) else f"{value:.3f}".replace("0.", ".", 1)


def _hundredths(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def person_lines(person: PersonErrors) -> list[str]:
    """What stands below one of the worst people."""
    missing = int(np.isinf(person.error_m).sum())
    scores = ", ".join(f"GPS {name} {_share(value)}" for name, value in person.gps.items())
    return [scores, f"AUC10 {_share(auc(person.error_m, 0.1))}, {len(person.error_m)} points, {missing} missing"]


_STYLE = """
:root{color-scheme:light;--ink:#1a2038;--soft:#5c6480;--line:#e3e6ef;--paper:#fff;--back:#f5f6fa}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);
 font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1240px;margin:0 auto;padding:36px 24px 60px}
h1{font-size:28px;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:19px;margin:0 0 4px}
p{margin:0 0 14px;color:var(--soft);max-width:860px}
.facts b{color:var(--ink)}
section{background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:22px 24px;margin:18px 0}
.cards{display:flex;flex-wrap:wrap;gap:14px;margin:18px 0}
.cards div{background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:14px 22px;min-width:150px}
.cards b{display:block;font-size:30px;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.cards span{color:var(--soft);font-size:13px}
.two{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:28px;align-items:start}
.two>div{overflow-x:auto}
@media(max-width:960px){.two{grid-template-columns:minmax(0,1fr)}}
svg{display:block;width:100%;height:auto}
.grid{stroke:var(--line)}
.tick{font-size:12px;fill:var(--soft)}
.label{font-size:13px;fill:var(--ink)}
.scale{max-width:420px;margin:10px auto 0}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 0 56px;font-size:13px;color:var(--soft)}
.legend i{display:inline-block;width:20px;border-radius:2px;margin-right:6px;vertical-align:middle}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums;margin-bottom:10px}
th,td{padding:5px 6px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:600}
th:first-child,td:first-child{text-align:left}
tbody tr:first-child td{font-weight:600}
img{display:block;max-width:100%;margin:0 auto;border-radius:8px}
.worst{display:grid;grid-template-columns:repeat(auto-fill,minmax(205px,1fr));gap:20px}
figure{margin:0}
figure img{width:100%;height:240px;object-fit:contain;background:var(--back)}
figcaption{font-size:13px;color:var(--soft);margin-top:6px;overflow-wrap:anywhere}
figcaption b{color:var(--ink)}
"""
