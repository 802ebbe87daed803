"""Curves as SVG text, to stand inside an HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

__all__ = ["Curve", "colour_scale_svg", "curves_svg"]

_WIDTH, _HEIGHT = 640, 400  # of the picture
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 14, 46  # margins


@dataclass(frozen=True)
class Curve:
    """x, y (N,) finite; band (2, N): lower and upper ends of an interval around it, or None."""

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: str
    width: float = 1.6
    band: np.ndarray | None = None


def curves_svg(curves: Sequence[Curve], *, x_label: str, y_label: str, x_ticks: Sequence[float], title: str) -> str:
    """A chart with x from the first to the last tick and y from 0 to 1; the legend stands below the lines' order."""
    low, high = x_ticks[0], x_ticks[-1]
    inner_w, inner_h = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    place_x = lambda x: _LEFT + inner_w * (np.asarray(x, float) - low) / (high - low)  # noqa: E731
    place_y = lambda y: _TOP + inner_h * (1 - np.asarray(y, float))  # noqa: E731
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">']
    for y in np.arange(0, 1.01, 0.2):
        at = place_y(y)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{y:.1f}</text>')
    for x in x_ticks:
        at = place_x(x)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text class="tick" x="{at:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{x:g}</text>')
    middle_x, middle_y = _LEFT + inner_w / 2, _TOP + inner_h / 2
    parts.append(f'<text class="label" x="{middle_x}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>')
    turned = f'transform="translate(15 {middle_y}) rotate(-90)"'
    parts.append(f'<text class="label" {turned} text-anchor="middle">{escape(y_label)}</text>')
    for curve in curves:
        xs = place_x(curve.x)
        if curve.band is not None:
            ring = np.concatenate([xs, xs[::-1]]), place_y(np.concatenate([curve.band[0], curve.band[1][::-1]]))
            parts.append(f'<polygon points="{_points(*ring)}" fill="{curve.colour}" opacity="0.16"/>')
    for curve in curves:
        line = _points(place_x(curve.x), place_y(curve.y))
        style = f'fill="none" stroke="{curve.colour}" stroke-width="{curve.width}" stroke-linejoin="round"'
        parts.append(f'<polyline points="{line}" {style}><title>{escape(curve.name)}</title></polyline>')
    parts.append("</svg>")
    return "\n".join([*parts, _legend(curves)])


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _legend(curves: Sequence[Curve]) -> str:
    entries = "".join(
        f'<span><i style="background:{curve.colour};height:{max(2, round(curve.width * 1.4))}px"></i>'
        f"{escape(curve.name)}</span>"
        for curve in curves
    )
    return f'<div class="legend">{entries}</div>'


def colour_scale_svg(colours: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """A bar of colours (RGB, from left to right) with labels spread evenly below it."""
    stops = "".join(
        f'<stop offset="{100 * k / (len(colours) - 1):.0f}%" stop-color="rgb({r},{g},{b})"/>'
        for k, (r, g, b) in enumerate(colours)
    )
    texts = []
    for k, label in enumerate(labels):
        anchor = "start" if k == 0 else "end" if k == len(labels) - 1 else "middle"
        x = 360 * k / (len(labels) - 1)
        texts.append(f'<text class="tick" x="{x:.0f}" y="32" text-anchor="{anchor}">{escape(label)}</text>')
    return (
        '<svg class="scale" viewBox="0 0 360 38" role="img" aria-label="colour scale"><defs>'
        f'<linearGradient id="errors">{stops}</linearGradient></defs>'
        f'<rect width="360" height="14" rx="3" fill="url(#errors)"/>{"".join(texts)}</svg>'
    )
