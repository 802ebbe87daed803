"""Natural and abstract backgrounds: nature, leaves, photo, gradient noise. (H, W, 3) float32 canvases."""

from typing import NamedTuple

import cv2
import numpy as np

from opendensepose.synth.backgrounds.materials import (
    between,
    colour,
    material,
    noise_field,
    photo_crop,
    three,
    warp_quad,
)

__all__ = ["gradient_noise", "leaves", "nature", "photo", "sky", "tree"]

GREENS = np.array(
    [(0.30, 0.38, 0.18), (0.18, 0.28, 0.12), (0.42, 0.44, 0.22), (0.12, 0.19, 0.1), (0.5, 0.42, 0.24)], np.float32
)
SKIES = np.array(
    [(0.38, 0.58, 0.86), (0.62, 0.75, 0.90), (0.85, 0.87, 0.90), (0.55, 0.57, 0.62), (0.90, 0.70, 0.55)], np.float32
)


class Ground(NamedTuple):
    """What the ground of a landscape is made of."""

    colour: tuple[float, float, float]
    contrast: float
    cells: float  # of its noise, as the next two, see fbm_2d()
    stretch_yx: tuple[float, float]
    gain: float


GROUNDS = {
    "snow": Ground((0.92, 0.94, 0.97), 0.25, 5, (1.5, 1.0), 0.7),
    "sand": Ground((0.80, 0.72, 0.57), 0.5, 10, (3.0, 1.0), 0.8),
    "grass": Ground((0.34, 0.42, 0.18), 1.2, 24, (0.5, 2.0), 0.9),
    "earth": Ground((0.44, 0.36, 0.27), 1.0, 10, (2.0, 1.0), 0.85),
    "asphalt": Ground((0.46, 0.46, 0.47), 0.5, 20, (2.0, 1.0), 0.9),
    "water": Ground((0.22, 0.36, 0.44), 1.2, 6, (6.0, 0.6), 0.8),
}


def scatter_leaves(
    rng: np.random.Generator,
    canvas: np.ndarray,
    palette: np.ndarray,
    smallest: float,
    largest: float,
    count: int,
    top: float = 0.0,
) -> None:
    """Drop `count` leaf-like ellipses and triangles, power-law sizes, from `top` (share of H) downwards."""
    height, width = canvas.shape[:2]
    sizes = smallest * (1 - rng.random(count) * (1 - (smallest / largest) ** 2)) ** -0.5
    centres = rng.random((count, 2)) * (width, height * (1 - top)) + (0, height * top)
    hues = palette[rng.integers(len(palette), size=count)] * rng.uniform(0.4, 1.4, (count, 1))
    for size, (x, y), hue, angle, squash in zip(
        sizes, centres, hues, rng.uniform(0, 180, count), rng.uniform(0.15, 0.8, count), strict=True
    ):
        axes = (max(float(size), 1.0), max(float(size * squash), 1.0))
        cv2.ellipse(canvas, ((float(x), float(y)), axes, float(angle)), hue.tolist(), -1)


def sky(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw a sky with a gradient and clouds: (H, W, 3)."""
    height, width = size_hw
    zenith = SKIES[rng.integers(len(SKIES))] * rng.uniform(0.7, 1.1)
    horizon = zenith + rng.uniform(0.2, 0.9) * (np.array([0.9, 0.92, 0.94], np.float32) - zenith)
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None].repeat(width, 1)
    canvas = between(ramp, zenith, horizon)
    if rng.random() < 0.7:
        cloud = noise_field(rng, size_hw, 5, 3, stretch_yx=(1.5, 0.7))
        cloud = np.clip((cloud - rng.uniform(0.4, 0.8)) * rng.uniform(1.5, 5), 0, 1)
        canvas += three(cloud) * (np.float32(rng.uniform(0.75, 1.0)) - canvas)
    return canvas


def ridge(rng: np.random.Generator, canvas: np.ndarray, level: float, roughness: float, surface: np.ndarray) -> None:
    """Cover everything below a noisy line about `level` pixels from the top with `surface` (H, W, 3)."""
    height, width = canvas.shape[:2]
    line = noise_field(rng, (16, width), 5, rng.uniform(0.5, 2))[8]
    line = level + (line - 0.5) * roughness
    first = int(np.clip(line.min() - 2, 0, height))
    rows = np.arange(first, height, dtype=np.float32)[:, None]
    canvas[first:] += three(np.clip(rows - line[None, :] + 0.5, 0, 1)) * (surface[first:] - canvas[first:])


def tree(rng: np.random.Generator, canvas: np.ndarray, x: float, bottom: float, tall: float) -> None:
    """Draw a tree lit from above; small ones resemble house plants."""
    bark, green = np.array([0.25, 0.2, 0.16], np.float32) * rng.uniform(0.5, 1.6), GREENS[rng.integers(len(GREENS))]
    reach, trunk = tall * rng.uniform(0.2, 0.4), max(1, int(tall * rng.uniform(0.02, 0.06)))
    crown = np.array([x + rng.normal(0, 0.05) * tall, bottom - tall * rng.uniform(0.6, 0.75)])
    cv2.line(canvas, (int(x), int(bottom)), tuple(crown.astype(int).tolist()), bark.tolist(), trunk, cv2.LINE_AA)
    for _ in range(4):
        end = crown + rng.normal(0, 0.6, 2) * reach
        start, stop = (tuple(point.astype(int).tolist()) for point in (crown, end))
        cv2.line(canvas, start, stop, bark.tolist(), max(1, trunk // 2), cv2.LINE_AA)
    count = int(rng.integers(60, 260))
    offsets = rng.normal(0, 0.5, (count, 2))
    sizes = np.maximum(tall * rng.uniform(0.01, 0.09) * rng.uniform(0.3, 1.5, (count, 2)), 1.0)
    shades = (1.0 - 0.5 * np.sort(offsets[:, 1])[::-1]) * rng.uniform(0.35, 1.3, count)
    offsets = offsets[np.argsort(-offsets[:, 1])]
    angles = rng.uniform(0, 180, count)
    for (px, py), axes, shade, angle in zip(crown + offsets * reach, sizes, shades, angles, strict=True):
        box = ((float(px), float(py)), (float(axes[0]), float(axes[1])), float(angle))
        cv2.ellipse(canvas, box, (green * float(shade)).tolist(), -1)


def hills(rng: np.random.Generator, canvas: np.ndarray, horizon: float) -> None:
    """One to four ranges of hills or woods, paler the farther."""
    height = canvas.shape[0]
    layers = int(rng.integers(1, 5))
    air = canvas[: max(1, int(horizon))].mean((0, 1))
    for layer in range(layers):
        haze = 0.6 * (1 - (layer + 1) / layers)
        base = colour(rng) if rng.random() < 0.25 else GREENS[rng.integers(len(GREENS))]
        noise = noise_field(rng, canvas.shape[:2], 4, 16, gain=0.95)
        level = horizon - height * rng.uniform(0.0, 0.3) * (1 - layer / layers)
        surface = between(noise, (1 - haze) * 0.2 * base + haze * air, (1 - haze) * 1.8 * base + haze * air)
        ridge(rng, canvas, level, height * rng.uniform(0.05, 0.4), surface)


def nature(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw a landscape: sky, hills or woods, trees, and a ground of grass, snow, sand, earth, asphalt or water."""
    height, width = size_hw
    canvas = sky(rng, size_hw)
    horizon = height * rng.uniform(0.2, 0.75)
    hills(rng, canvas, horizon)
    if rng.random() < 0.6:
        for _ in range(int(rng.integers(1, 7))):
            tree(rng, canvas, rng.uniform(0, width), horizon * rng.uniform(0.95, 1.2), rng.uniform(0.15, 0.6) * height)
    kind = GROUNDS[list(GROUNDS)[rng.integers(len(GROUNDS))]]
    grain = noise_field(rng, size_hw, 5, kind.cells, gain=kind.gain, stretch_yx=kind.stretch_yx)
    base, depth = np.array(kind.colour, np.float32) * rng.uniform(0.7, 1.1), kind.contrast * rng.uniform(0.6, 1.2)
    ground = between(grain, base * (1 - depth), base * (1 + depth))
    if rng.random() < 0.7:  # in perspective: finer towards the horizon
        spread = rng.uniform(0.3, 1.2) * width
        corners = [(-20, horizon - 8), (width + 20, horizon - 8), (width + spread, height), (-spread, height)]
        warp_quad(ground, ground.copy(), corners)
    ridge(rng, canvas, horizon, height * rng.uniform(0.0, 0.08), ground)
    if rng.random() < 0.5:
        palette = GREENS * rng.uniform(0.6, 1.4)
        scatter_leaves(rng, canvas, palette, 2, height * 0.08, 300, top=min(0.95, horizon / height + 0.1))
    for _ in range(int(rng.integers(1, 3)) if rng.random() < 0.4 else 0):  # trees close by
        bottom = rng.uniform(horizon, 1.1 * height)
        tree(rng, canvas, rng.uniform(0, width), bottom, rng.uniform(0.7, 1.5) * height)
    return canvas


def leaves(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw dead leaves: shapes of power-law sizes that hide each other, some with textures."""
    palette = np.stack([colour(rng) for _ in range(int(rng.integers(3, 14)))])
    if rng.random() < 0.4:
        palette = GREENS * rng.uniform(0.7, 1.5)
    canvas = material(rng, size_hw, palette[0], busy=0.8)
    smallest, largest = rng.uniform(0.012, 0.04) * size_hw[0], rng.uniform(0.2, 0.7) * size_hw[0]
    scatter_leaves(rng, canvas, palette, smallest, largest, int(rng.integers(700, 1500)))
    surface = material(rng, size_hw, np.ones(3, np.float32), busy=rng.uniform(0.1, 0.6))  # veins, bark, grain
    return canvas * surface


def photo(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Cut, warp, recolour and mix one or two person-free photos."""
    height, width = size_hw
    canvas = photo_crop(rng, size_hw, 0.5)
    if rng.random() < 0.4:
        mask = np.clip((noise_field(rng, size_hw, 3, 2) - 0.5) * rng.uniform(1, 30) + 0.5, 0, 1)
        canvas += three(mask) * (photo_crop(rng, size_hw) - canvas)
    if rng.random() < 0.6:
        x, y = (np.arange(n, dtype=np.float32) for n in (width, height))
        bend = rng.uniform(0.02, 0.2) * height
        shift = [(noise_field(rng, size_hw, 2, 2) - 0.5) * bend for _ in range(2)]
        canvas = cv2.remap(canvas, x[None] + shift[0], y[:, None] + shift[1], 1, borderMode=cv2.BORDER_REFLECT)
    return canvas


def gradient_noise(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw coloured 1/f noise between soft gradients."""
    first, second, third = colour(rng), colour(rng), colour(rng)
    canvas = between(noise_field(rng, size_hw, 7, rng.uniform(1, 4), gain=rng.uniform(0.5, 0.8)), first, second)
    mask = noise_field(rng, size_hw, 6, rng.uniform(1, 4), gain=0.6) ** 2
    return canvas + three(mask) * (third - canvas) * np.float32(rng.uniform(0, 1))
