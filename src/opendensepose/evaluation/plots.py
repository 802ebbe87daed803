"""Curves as SVG pictures, drawn by matplotlib, which only the report needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

__all__ = ["Curve", "draw_curves"]

_STYLE: dict[Any, Any] = {  # matplotlib's keys
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "opendensepose",  # equal curves give equal bytes
    "xtick.color": "#5c6480",
    "ytick.color": "#5c6480",
    "grid.color": "#e3e6ef",
    "text.color": "#1a2038",
    "axes.labelcolor": "#1a2038",
}


@dataclass(frozen=True)
class Curve:
    """x, y (N,) finite; band (2, N): lower and upper ends of an interval around it, or None."""

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: str
    width: float = 1.6
    band: np.ndarray | None = None
    marker: str = ""  # of matplotlib, on every point


def draw_curves(
    curves: Sequence[Curve], *, x_label: str, y_label: str, x_ticks: Sequence[float], y_top: float = 1
) -> bytes:
    """Draw curves as SVG: x from the first to the last tick, y from 0 to y_top, a legend below."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 4.4), layout="constrained")
        axes = figure.add_subplot(xlabel=x_label, ylabel=y_label, xticks=x_ticks, ylim=(0, y_top))
        axes.set_xlim(x_ticks[0], x_ticks[-1])
        axes.grid()
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        for curve in curves:
            if curve.band is not None:
                axes.fill_between(curve.x, *curve.band, color=curve.colour, alpha=0.16, linewidth=0)
            style: dict[str, Any] = {"color": curve.colour, "linewidth": curve.width, "marker": curve.marker}
            axes.plot(curve.x, curve.y, label=curve.name, clip_on=False, **style)
        if curves:
            figure.legend(loc="outside lower center", ncols=3, frameon=False)
        content = BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None}, transparent=True)
    return content.getvalue()
