"""The manager's plots as SVG files, without style sheets: they are shown as pictures."""

from collections.abc import Sequence
from html import escape

from opendensepose.surface import PART_NAMES

__all__ = ["PLOTS", "bars_svg"]

_WIDTH, _ROW, _LEFT, _TOP, _RIGHT = 640, 22, 170, 44, 70
_COLOUR, _GREY, _INK = "#2b6cb0", "#dddddd", "#222222"


def bars_svg(title: str, unit: str, bars: Sequence[tuple[str, float | None]]) -> str:
    """Horizontal bars, one per name, each with its number; a dash where there is none."""
    height = _TOP + _ROW * max(1, len(bars)) + 12
    largest = max((value for _, value in bars if value is not None), default=0) or 1
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        f' role="img" font-family="sans-serif" font-size="13"><title>{escape(title)}</title>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" font-weight="bold" fill="{_INK}">{escape(title)}</text>',
    ]
    if not bars:
        lines.append(f'<text x="12" y="{_TOP + 15}" fill="{_INK}">nothing measured yet</text>')
    for k, (name, value) in enumerate(bars):
        y = _TOP + k * _ROW
        length = 0 if value is None else (_WIDTH - _LEFT - _RIGHT) * value / largest
        label = name if len(name) <= 22 else name[:21] + "…"
        number = "–" if value is None else f"{value:.3g} {unit}".strip()
        lines += [
            f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end" fill="{_INK}">{escape(label)}</text>',
            f'<rect x="{_LEFT}" y="{y + 3}" width="{_WIDTH - _LEFT - _RIGHT}" height="{_ROW - 8}" fill="{_GREY}"/>',
            f'<rect x="{_LEFT}" y="{y + 3}" width="{length:.1f}" height="{_ROW - 8}" fill="{_COLOUR}"/>',
            f'<text x="{_WIDTH - _RIGHT + 6}" y="{y + 14}" fill="{_INK}">{escape(number)}</text>',
        ]
    return "\n".join([*lines, "</svg>"])


def _error(quality: dict) -> str:
    bars = [(one["name"], one["error_cm"]) for one in quality["annotators"] if one["gold_people"]]
    return bars_svg("Geodesic error on gold people", "cm", bars)


def _error_by_part(quality: dict) -> str:
    bars = []
    for part in PART_NAMES[1:]:
        known = [one["per_part"][part] for one in quality["annotators"] if one["per_part"].get(part) is not None]
        if known:
            bars.append((part, sum(known) / len(known)))
    return bars_svg("Error by part, mean of annotators", "cm", bars)


def _time(quality: dict) -> str:
    known = [one for one in quality["annotators"] if one["seconds_per_point"] is not None]
    return bars_svg("Time per point, median", "s", [(one["name"], one["seconds_per_point"]) for one in known])


def _agreement(quality: dict) -> str:
    pairs: dict[str, list[float]] = {}
    for one in quality["agreement"]:
        if one["distance_cm"] is not None:
            pairs.setdefault(" – ".join(sorted(one["annotators"])), []).append(one["distance_cm"])
    bars = [(name, sum(values) / len(values)) for name, values in sorted(pairs.items())]
    return bars_svg("Distance between two annotators' points", "cm", bars)


def _progress(quality: dict) -> str:
    return bars_svg("Submitted per day", "", quality["progress"]["days"][-30:])


PLOTS = {
    "error": _error,
    "error_by_part": _error_by_part,
    "time": _time,
    "agreement": _agreement,
    "progress": _progress,
}
