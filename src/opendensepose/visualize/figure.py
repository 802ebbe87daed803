"""A figure of panels on white, with a title, captions, colour bars and a legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from opendensepose.atomic_write import atomic_file

__all__ = ["Caption", "compose_figure", "write_png"]

_PAPER, _INK, _PALE, _FRAME = (255, 255, 255), (28, 32, 48), (120, 126, 142), (208, 211, 218)


@dataclass(frozen=True)
class Caption:
    """The line under a panel: text, and a colour bar from 0 to 1 if there are colours (256, 3)."""

    text: str
    ramp: np.ndarray | None = None


def compose_figure(
    panels: Sequence[np.ndarray],
    captions: Sequence[Caption],
    *,
    title: str = "",
    legend: Sequence[tuple[str, tuple[int, ...]]] = (),
    labels: Sequence[tuple[str, float, float]] = (),
    columns: int | None = None,
) -> np.ndarray:
    """Arrange panels of one size (H, W, 3) uint8 in a picture (h, w, 3) uint8.

    columns: how many stand in a row; None: upright ones all in one row, others in two rows. legend: names and colours
    at the foot. labels: text at x, y of the first panel. ValueError if sizes differ.
    """
    if len(panels) != len(captions) or len({panel.shape for panel in panels}) != 1:
        raise ValueError(f"panels must have one size and a caption each, got {[p.shape for p in panels]}")
    height, width = panels[0].shape[:2]
    columns = columns or (len(panels) if height >= 0.9 * width else (len(panels) + 1) // 2)
    rows = -(-len(panels) // columns)
    font_px = int(np.clip(round(columns * width / 95), 16, 34))
    gap, strip = font_px, round(2.1 * font_px)
    title_px = round(2.2 * font_px) if title else 0
    paper_width = columns * width + (columns + 1) * gap
    places = _legend_places(legend, paper_width - 2 * gap, font_px)
    legend_px = (places[-1][1] + round(1.1 * font_px)) if places else 0
    paper = Image.new("RGB", (paper_width, gap + title_px + rows * (height + strip) + legend_px + gap // 2), _PAPER)
    draw = ImageDraw.Draw(paper)
    if title:
        draw.text((gap, gap + title_px * 0.32), title, font=_font(1.1 * font_px), fill=_INK, anchor="lm")
    for k, (panel, caption) in enumerate(zip(panels, captions, strict=True)):
        x = gap + (k % columns) * (width + gap)
        y = gap + title_px + (k // columns) * (height + strip)
        paper.paste(Image.fromarray(panel), (x, y))
        draw.rectangle((x - 1, y - 1, x + width, y + height), outline=_FRAME)
        _write_caption(paper, draw, caption, (x, y + height, width, strip), font_px)
        if k == 0:
            _write_labels(draw, labels, (x, y, width, height), font_px)
    foot = gap + title_px + rows * (height + strip) + gap // 4
    for (name, colour), (x, y) in zip(legend, places, strict=True):
        _swatch(draw, gap + x, foot + y, name, colour, font_px)
    return np.asarray(paper)


def _font(size_px: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size_px)


def _write_caption(paper: Image.Image, draw: ImageDraw.ImageDraw, caption: Caption, place: tuple, font_px: int) -> None:
    """The caption's text at the left of its strip, its colour bar at the right."""
    x, y, width, strip = place
    middle = y + strip * 0.46
    draw.text((x, middle), caption.text, font=_font(font_px), fill=_INK, anchor="lm")
    if caption.ramp is None:
        return
    bar_width, bar_height = round(min(0.45 * width, 16 * font_px)), round(0.62 * font_px)
    small = _font(0.8 * font_px)
    end = x + width - draw.textlength("1", font=small)
    start = round(end - 0.35 * font_px - bar_width)
    shades = caption.ramp[np.linspace(0, 255, bar_width).round().astype(int)].astype(np.uint8)
    paper.paste(Image.fromarray(np.repeat(shades[None], bar_height, axis=0)), (start, round(middle - bar_height / 2)))
    draw.text((start - 0.35 * font_px, middle), "0", font=small, fill=_PALE, anchor="rm")
    draw.text((end, middle), "1", font=small, fill=_PALE, anchor="lm")


def _write_labels(draw: ImageDraw.ImageDraw, labels: Sequence, place: tuple, font_px: int) -> None:
    """Small dark tags inside a panel, each at its x, y and moved inwards where it would leave the panel."""
    x0, y0, width, height = place
    font, tall = _font(0.75 * font_px), round(1.15 * font_px)
    for text, x, y in labels:
        long = int(draw.textlength(text, font=font) + 0.8 * font_px)
        x = x0 + int(min(max(x, 0), max(width - long, 0)))
        y = y0 + int(min(max(y - tall if y >= tall else y, 0), height - tall))
        draw.rounded_rectangle((x, y, x + long - 1, y + tall - 1), radius=font_px // 5, fill=_INK)
        draw.text((x + long / 2, y + tall / 2), text, font=font, fill=_PAPER, anchor="mm")


def _legend_places(legend: Sequence, width: int, font_px: int) -> list[tuple[int, int]]:
    """Where each entry of the legend stands: in columns as wide as the longest name, x and y of its left middle."""
    if not legend:
        return []
    font = _font(0.8 * font_px)
    column = max(font.getlength(name) for name, _ in legend) + 3 * font_px
    columns = max(1, min(len(legend), int(width // column)))
    columns = -(-len(legend) // -(-len(legend) // columns))  # rows of like length
    step = width / columns
    return [
        (round((k % columns) * step), round((k // columns) * 1.6 * font_px + 0.8 * font_px)) for k in range(len(legend))
    ]


def _swatch(draw: ImageDraw.ImageDraw, x: float, y: float, name: str, colour: tuple, font_px: int) -> None:
    side = 0.95 * font_px
    draw.rounded_rectangle((x, y - side / 2, x + side, y + side / 2), radius=font_px // 5, fill=colour)
    draw.text((x + 1.45 * font_px, y), name, font=_font(0.8 * font_px), fill=_INK, anchor="lm")


def write_png(path: str | Path, picture_rgb: np.ndarray) -> None:
    """Write a picture (H, W, 3) uint8 to `path` as PNG, atomically. OSError if `path` cannot be written."""
    with atomic_file(path) as part:
        Image.fromarray(picture_rgb).save(part, "PNG")
