"""Four-legged animals of ellipsoids and tubes: hard negatives with limbs, trunk and head."""

import numpy as np

from opendensepose.synth.scene.solid import Solid, ellipsoid, tube
from opendensepose.synth.textures.material_table import Material

__all__ = ["animal"]

_FUR = np.array([[0.1, 0.08, 0.07], [0.35, 0.22, 0.13], [0.62, 0.42, 0.24], [0.85, 0.72, 0.52], [0.9, 0.88, 0.85],
                 [0.45, 0.44, 0.43], [0.22, 0.2, 0.2], [0.72, 0.35, 0.15]])  # fmt: skip


def animal(rng: np.random.Generator, seated: bool | None = None) -> list[Solid]:
    """Build a random animal like a cat, dog, calf or horse on the floor at the origin, its head towards -y.

    seated: None draws it.
    """
    height = float(np.exp(rng.uniform(np.log(0.25), np.log(1.5))))  # of the shoulders
    seated = height < 0.9 and rng.random() < 0.35 if seated is None else seated
    fur = Material(np.clip(_FUR[rng.integers(len(_FUR))] + rng.normal(0, 0.03, 3), 0.02, 1), "hair", 3 / height)
    second = Material(_FUR[rng.integers(len(_FUR))], "hair", 3 / height) if rng.random() < 0.3 else fur
    thick, long = height * rng.uniform(0.16, 0.26), height * rng.uniform(0.5, 0.8)
    shoulder = np.array([0, -long / 2, height - thick])
    rump = np.array([0, long / 2, thick if seated else shoulder[2] + rng.normal(0, 0.04) * height])
    spine = np.stack([shoulder, (shoulder + rump) / 2 - [0, 0, 0.05 * height], rump])
    parts = [tube(spine, thick * np.array([1, rng.uniform(0.85, 1.15), rng.uniform(0.8, 1.05)]), fur, 10, 1.15)]
    for center in (shoulder, rump):  # round ends
        parts.append(ellipsoid(center, np.diag([1.0, 0.9, 1.1]) * thick, fur, 7, 10))
    leg = thick * rng.uniform(0.22, 0.4)
    for side in (-1, 1):
        x = side * 0.55 * thick
        parts.append(_leg(rng, np.array([x, shoulder[1], shoulder[2] - 0.3 * thick]), leg, second))
        if seated:
            knee = np.array([1.6 * x, rump[1] - 0.3 * long, 0.55 * height])
            foot = np.array([1.6 * x, rump[1] - 0.45 * long, leg])
            parts.append(tube([rump + [x, 0, 0], knee, foot], 1.3 * leg, second, 7))
        else:
            parts.append(_leg(rng, np.array([x, rump[1], rump[2] - 0.3 * thick]), leg, second))
    parts += _head(rng, shoulder, height, thick, fur, second)
    tail = rump + np.cumsum(rng.normal([0, 0.12, rng.uniform(-0.2, 0.2)], 0.04, (5, 3)), 0) * height
    tail[:, 2] = np.maximum(tail[:, 2], 0.03)
    return parts + [tube(np.concatenate([rump[None], tail]), 0.14 * thick * np.array([2, 1.4, 1, 1, 0.9, 0.6]), fur, 6)]


def _leg(rng: np.random.Generator, top: np.ndarray, radius: float, fur: Material) -> Solid:
    sway = rng.normal(0, 0.12) * top[2]
    knee, foot = top * [1, 1, 0.5] + [0, -0.5 * sway, 0], top * [1, 1, 0] + [0, sway, 0]
    return tube([top, knee, foot + [0, 0, radius], foot - [0, radius, 0]], radius * np.array([1.6, 1, 0.8, 1]), fur, 7)


def _head(
    rng: np.random.Generator, shoulder: np.ndarray, height: float, thick: float, fur: Material, second: Material
) -> list[Solid]:
    size = thick * rng.uniform(0.5, 0.8)
    center = shoulder + np.array([0, -rng.uniform(0.2, 0.55), rng.uniform(0.05, 0.6)]) * height * 0.6
    center[1] = min(center[1], shoulder[1] - thick)
    snout = center + np.array([0, -size * rng.uniform(0.7, 1.6), -0.3 * size])
    parts = [
        tube([shoulder, center], [0.75 * thick, 0.8 * size], fur, 8),
        ellipsoid(center, np.diag([0.9, 1.1, 1.0]) * size, fur, 8, 10),
        tube([center, snout], [0.7 * size, 0.35 * size], second, 8),
        ellipsoid(snout, 0.38 * size * np.eye(3), second, 6, 8),
    ]
    hanging = rng.random() < 0.4
    black = Material(np.full(3, 0.03), specular=0.5)
    for side in (-1, 1):
        root = center + np.array([side * 0.6, 0.2, 0.7]) * size
        tip = root + np.array([side * 0.45, 0, -0.9 if hanging else 0.9]) * size
        parts.append(tube([root, tip], [0.3 * size, 0.08 * size], second, 5, 0.4))
        parts.append(
            ellipsoid(center + np.array([side * 0.42, -0.93, 0.3]) * size, 0.13 * size * np.eye(3), black, 4, 6)
        )
    return parts
