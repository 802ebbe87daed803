"""Furniture and bars for backgrounds, drawn onto an (H, W, 3) float32 canvas; x, y in pixels."""

from collections.abc import Iterable

import cv2
import numpy as np

from opendensepose.synth.backgrounds.materials import colour, fill_polygon, material, shadow, warp_quad

__all__ = ["box_in_perspective", "chair", "sofa", "stick", "table"]


def box_in_perspective(
    rng: np.random.Generator, canvas: np.ndarray, x: float, bottom: float, w: float, h: float
) -> None:
    """Draw a furniture-like block that stands at (x, bottom): front, side and top in different light."""
    depth = np.array([rng.uniform(-0.4, 0.4) * w, -rng.uniform(0.1, 0.35) * h])
    front = np.array([(x, bottom - h), (x + w, bottom - h), (x + w, bottom), (x, bottom)])
    base = colour(rng)
    shadow(canvas, (x + w / 2, bottom), (0.8 * w, 0.2 * h), 0.5)
    top = np.array([front[0], front[1], front[1] + depth, front[0] + depth])
    fill_polygon(canvas, top, base * rng.uniform(1.0, 1.4))
    edge = (1, 2) if depth[0] > 0 else (0, 3)
    side = np.array([front[edge[0]], front[edge[0]] + depth, front[edge[1]] + depth, front[edge[1]]])
    fill_polygon(canvas, side, base * rng.uniform(0.35, 0.7))
    warp_quad(canvas, material(rng, (h, w), base), front)
    if rng.random() < 0.5:  # drawers, doors
        for cut in np.linspace(0, 1, int(rng.integers(2, 5)))[1:-1]:
            y = int(bottom - h * cut)
            cv2.line(canvas, (int(x), y), (int(x + w), y), (base * 0.4).tolist(), max(1, int(h * 0.015)))


def table(rng: np.random.Generator, canvas: np.ndarray, x: float, bottom: float, w: float, h: float) -> None:
    """Draw a table top on thin legs, and things standing on it."""
    base, leg = colour(rng), max(2, int(0.04 * w))
    shadow(canvas, (x + w / 2, bottom), (0.6 * w, 0.15 * h), 0.4)
    for share in (0.02, 0.2, 0.8, 0.98):
        foot, at = bottom - (0.12 * h if 0.1 < share < 0.9 else 0), int(x + share * w)
        cv2.line(canvas, (at, int(bottom - h)), (at, int(foot)), (base * 0.6).tolist(), leg)
    slant, top = 0.1 * w, bottom - h
    corners = [(x + slant, top - 0.15 * h), (x + w - slant, top - 0.15 * h), (x + w, top), (x, top)]
    warp_quad(canvas, material(rng, (40, 80), base * 1.2), corners)
    fill_polygon(canvas, [(x, top), (x + w, top), (x + w, top + 0.05 * h), (x, top + 0.05 * h)], base * 0.7)
    for _ in range(int(rng.integers(0, 6))):
        tx, tw, th = x + rng.uniform(0.1, 0.8) * w, rng.uniform(0.04, 0.2) * w, rng.uniform(0.05, 0.4) * h
        ty = top - rng.uniform(0.02, 0.1) * h
        fill_polygon(canvas, [(tx, ty - th), (tx + tw, ty - th), (tx + tw, ty), (tx, ty)], colour(rng))


def stick(
    rng: np.random.Generator,
    canvas: np.ndarray,
    start: Iterable[float],
    end: Iterable[float],
    width: float,
    base: np.ndarray,
) -> None:
    """Draw a rounded, shaded bar between two points, lighter on one side."""
    a, b = (tuple(int(v * 16) for v in p) for p in (start, end))
    for share, light in ((1.0, 0.6), (0.72, 0.85), (0.4, 1.1)):
        thick = max(1, int(width * share))
        cv2.line(canvas, a, b, np.clip(base * light, 0, 1).tolist(), thick, cv2.LINE_AA, shift=4)


def chair(rng: np.random.Generator, canvas: np.ndarray, x: float, bottom: float, size: float) -> None:
    """Draw a chair: seat, back and four legs."""
    base, width = colour(rng), max(2.0, size * rng.uniform(0.03, 0.08))
    seat_y, half, lean = bottom - 0.5 * size, 0.28 * size, rng.uniform(-0.15, 0.15) * size
    for leg in (-1, -0.5, 0.6, 1):
        stick(rng, canvas, (x + leg * half, seat_y), (x + leg * half * 1.1, bottom), width, base)
    stick(rng, canvas, (x - half, seat_y), (x + half, seat_y), 2.5 * width, base * 1.1)
    for post in (-1, 0, 1):
        stick(rng, canvas, (x + post * half, seat_y), (x + post * half + lean, bottom - 1.05 * size), width, base)
    top = bottom - rng.uniform(0.8, 1.05) * size
    stick(rng, canvas, (x - half + lean, top), (x + half + lean, top), rng.uniform(1, 5) * width, base)


def sofa(rng: np.random.Generator, canvas: np.ndarray, x: float, bottom: float, w: float, h: float) -> None:
    """Draw a sofa: back, seat cushions and arms under one cover, some pillows."""
    cover = material(rng, (int(h) + 8, int(w) + 8), busy=rng.uniform(0, 0.8))
    shadow(canvas, (x + w / 2, bottom), (0.6 * w, 0.2 * h), 0.6)
    seat, arm, count = bottom - 0.45 * h, 0.12 * w, int(rng.integers(1, 4))
    warp_quad(canvas, cover * 0.8, [(x, bottom - h), (x + w, bottom - h), (x + w, bottom), (x, bottom)])
    for k in range(count):
        left, right = (x + arm + (w - 2 * arm) * (k + end) / count for end in (0.02, 0.98))
        warp_quad(
            canvas, cover * 0.95, [(left, bottom - 0.9 * h), (right, bottom - 0.9 * h), (right, seat), (left, seat)]
        )
        low = bottom - 0.22 * h
        warp_quad(canvas, cover * 1.15, [(left, seat), (right, seat), (right + 0.02 * w, low), (left - 0.02 * w, low)])
    for left in (x, x + w - arm):
        corners = [(left, bottom - 0.62 * h), (left + arm, bottom - 0.62 * h), (left + arm, bottom), (left, bottom)]
        warp_quad(canvas, cover * rng.uniform(0.85, 1.1), corners)
    for _ in range(int(rng.integers(0, 4))):
        centre, size = np.array([rng.uniform(x + arm, x + w - arm), seat - 0.1 * h]), rng.uniform(0.1, 0.2) * h
        pillow = centre + size * np.array([(-1, -1), (1, -0.9), (0.9, 1), (-1, 0.9)]) * rng.uniform(0.8, 1.2, (4, 2))
        warp_quad(canvas, material(rng, (30, 30), busy=1.0), pillow)
