"""The manager's plots as SVG files, without style sheets: the page shows them as pictures."""

from collections.abc import Iterable
from typing import NamedTuple

from opendensepose.annotate.part_names import display_name
from opendensepose.annotate.server.markup import render
from opendensepose.surface import PART_NAMES

__all__ = ["PLOTS", "Bar", "bars_svg"]

_TOP, _ROW, _WIDTH = 44, 22, 400  # pixels: above the first bar, from bar to bar, of the longest bar


class Bar(NamedTuple):
    """A bar's name and number; None: a dash is shown."""

    name: str
    value: float | None


def bars_svg(title: str, unit: str, bars: Iterable[tuple[str, float | None]]) -> str:
    """Draw horizontal bars with their names and numbers."""
    rows = [Bar(*bar) for bar in bars]
    height = _TOP + _ROW * max(1, len(rows)) + 12
    largest = max((bar.value for bar in rows if bar.value is not None), default=0) or 1
    size = {"height": height, "top": _TOP, "row": _ROW, "width": _WIDTH}
    return render("bars.svg", title=title, unit=unit, bars=rows, largest=largest, **size)


def _error(quality: dict) -> str:
    bars = [(one["name"], one["error_cm"]) for one in quality["annotators"] if one["gold_people"]]
    return bars_svg("Geodesic error on gold people", "cm", bars)


def _error_by_part(quality: dict) -> str:
    bars = []
    for number, part in enumerate(PART_NAMES[1:], 1):
        known = [one["per_part"][part] for one in quality["annotators"] if one["per_part"].get(part) is not None]
        if known:
            bars.append((display_name(number), sum(known) / len(known)))
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
