"""Backgrounds full of objects: boxes, balls, cylinders, sticks and jointed shapes, some of them skin-coloured."""

import numpy as np

from opendensepose.synth.backgrounds.furniture import box_in_perspective, chair, stick
from opendensepose.synth.backgrounds.indoor import soft_light, studio
from opendensepose.synth.backgrounds.materials import colour, material, noise_field, photo_crop, shadow, three

__all__ = ["objects"]

SKIN = np.array([(0.93, 0.76, 0.66), (0.82, 0.60, 0.47), (0.62, 0.42, 0.30), (0.36, 0.23, 0.17)], np.float32)


def thing_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour, one in four that of skin."""
    return SKIN[rng.integers(4)] * rng.uniform(0.8, 1.1) if rng.random() < 0.25 else colour(rng)


def paste(canvas: np.ndarray, patch: np.ndarray, alpha: np.ndarray, x: float, y: float) -> None:
    """Lay a patch (h, w, 3) with alpha (h, w) on the canvas, its top left corner at (x, y)."""
    x, y = int(x), int(y)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + patch.shape[1], canvas.shape[1]), min(y + patch.shape[0], canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    inside = slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)
    whole = canvas[y0:y1, x0:x1]
    whole += three(alpha[inside]) * (patch[inside] - whole)


def ball(rng: np.random.Generator, canvas: np.ndarray, x: float, y: float, radius: float) -> None:
    """A shaded sphere, textured or plain."""
    n = max(4, int(2 * radius))
    grid = (np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1
    gx, gy = np.meshgrid(grid, grid)
    gz = np.sqrt(np.clip(1 - gx * gx - gy * gy, 0, 1))
    light = rng.normal(size=3) * (1, 1, 0.5) + (0, -0.5, 0.8)
    light /= np.linalg.norm(light)
    shade = 0.35 + 0.75 * np.clip(gx * light[0] + gy * light[1] + gz * light[2], 0, 1)
    surface = material(rng, (n, n), thing_colour(rng)) * three(shade)
    surface += float(rng.random() < 0.4) * three(np.clip(shade - 0.95, 0, 1) * 4)
    alpha = np.clip((1 - np.hypot(gx, gy)) * radius + 0.5, 0, 1)
    shadow(canvas, (x, y + radius), (radius, 0.3 * radius), 0.5)
    paste(canvas, surface.astype(np.float32), alpha, x - radius, y - radius)


def turned(rng: np.random.Generator, canvas: np.ndarray, x: float, bottom: float, width: float, height: float) -> None:
    """A body of revolution: bottle, vase, can, lamp; the outline from a random profile."""
    h, w = max(6, int(height)), max(6, int(width))
    profile = np.interp(np.linspace(0, 1, h), np.linspace(0, 1, 5), rng.uniform(0.25, 1.0, 5))
    if rng.random() < 0.3:
        profile = np.ones(h)
    grid = ((np.arange(w) + 0.5) / w * 2 - 1)[None, :] / profile[:, None]
    side = rng.uniform(-0.7, 0.7)
    shade = 0.35 + 0.7 * np.clip(1 - (grid - side) ** 2, 0, 1)
    shade += rng.uniform(0, 0.6) * np.exp(-(((grid - side) / 0.12) ** 2))
    surface = material(rng, (h, w), thing_colour(rng)) * three(shade)
    alpha = np.clip((1 - np.abs(grid)) * w / 2 + 0.5, 0, 1).astype(np.float32)
    shadow(canvas, (x, bottom), (0.7 * width, 0.2 * width), 0.5)
    paste(canvas, surface.astype(np.float32), alpha, x - width / 2, bottom - height)


def jointed(rng: np.random.Generator, canvas: np.ndarray, x: float, y: float, length: float) -> None:
    """Connected sticks: chair, lamp, tripod, branch - limb-like, but no body."""
    base, width = thing_colour(rng), length * rng.uniform(0.02, 0.14)
    point, angle = np.array([x, y], float), rng.uniform(0, 2 * np.pi)
    for _ in range(int(rng.integers(2, 8))):
        end = point + length * rng.uniform(0.2, 0.7) * np.array([np.cos(angle), np.sin(angle)])
        stick(rng, canvas, point, end, width, base)
        angle += rng.choice([np.pi / 2, -np.pi / 2, np.pi]) if rng.random() < 0.5 else rng.normal(0, 0.8)
        point = end if rng.random() < 0.7 else point


def objects(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw many things in front of a wall."""
    height, width = size_hw
    wall = rng.random()
    canvas = studio(rng, size_hw) if wall < 0.4 else photo_crop(rng, size_hw) if wall < 0.6 else None
    canvas = material(rng, size_hw, busy=0.6) if canvas is None else canvas
    for depth in np.sort(rng.random(int(rng.integers(6, 28)))):
        size = height * (0.05 + 0.3 * rng.random() * (0.4 + depth))
        x, bottom = rng.uniform(0, width), height * (0.25 + 0.8 * depth)
        shape = rng.integers(6)
        if shape == 0:
            box_in_perspective(rng, canvas, x, bottom, size * rng.uniform(0.5, 1.5), size)
        elif shape == 1:
            ball(rng, canvas, x, bottom - size / 2, size / 2)
        elif shape == 2:
            turned(rng, canvas, x, bottom, size * rng.uniform(0.2, 0.8), size * rng.uniform(0.8, 2))
        elif shape == 3:
            jointed(rng, canvas, x, bottom - size, size)
        elif shape == 4:
            chair(rng, canvas, x, bottom, size * 1.4)
        else:  # a round top on a stem or block
            turned(rng, canvas, x, bottom, size * rng.uniform(0.3, 0.9), size * 1.5)
            ball(rng, canvas, x + rng.normal(0, 0.1) * size, bottom - 1.7 * size, size * rng.uniform(0.15, 0.35))
    grain = noise_field(rng, size_hw, 4, 6, gain=0.8)
    return canvas * three(0.85 + 0.3 * grain) * soft_light(rng, size_hw, 0.3)
