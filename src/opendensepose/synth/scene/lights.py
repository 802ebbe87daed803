"""Lights of a picture without a panorama: studio, overcast sky, sun or lamp; and the view of the key light."""

import numpy as np
import torch

from opendensepose.camera import cross
from opendensepose.synth.drawing.shade import Lighting
from opendensepose.synth.ingredients import Ingredients

__all__ = ["light_matrix", "sample_lighting"]


def sample_lighting(
    rng: np.random.Generator, camera_rotation: np.ndarray, enabled_ingredients: Ingredients
) -> tuple[Lighting, np.ndarray]:
    """Draw a picture's lights in camera space, and the key light's direction (3,) in the world."""
    if not enabled_ingredients.lights:
        key_world = np.array([0.3, -0.8, 0.6])
        grey = np.full(3, 0.55)
        return _lighting(
            camera_rotation, key_world, grey, grey * 0.8, np.full(3, 0.6), np.zeros(3), 2.0, 0.5, enabled_ingredients
        ), key_world
    kind = rng.choice(4, p=[0.36, 0.24, 0.25, 0.15])  # studio, overcast, sun, lamp
    tint = np.clip(1 + rng.normal(0, 0.06, 3), 0.7, 1.3)
    azimuth, elevation = rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(12, 80))
    if kind == 0:
        azimuth = -np.pi / 2 + rng.normal(0, 0.8)  # from about the camera's side
        ambient, key, softness, strength = rng.uniform(0.6, 1.0), rng.uniform(0.15, 0.55), rng.uniform(4, 10), 0.5
    elif kind == 1:
        ambient, key, softness, strength = rng.uniform(0.6, 1.0), rng.uniform(0.05, 0.3), rng.uniform(5, 12), 0.4
    elif kind == 2:
        ambient, key, softness, strength = rng.uniform(0.3, 0.6), rng.uniform(0.6, 1.3), rng.uniform(0.6, 2), 0.9
    else:
        ambient, key, softness, strength = rng.uniform(0.15, 0.4), rng.uniform(0.5, 1.1), rng.uniform(1, 5), 0.9
    key_world = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
    sky = ambient * np.clip(1 + rng.normal(0, 0.05, 3), 0.8, 1.2)
    ground = sky * rng.uniform(0.35, 0.9) * np.clip(1 + rng.normal(0, 0.05, 3), 0.8, 1.2)
    fill = rng.uniform(0, 0.25) * np.ones(3)
    return _lighting(
        camera_rotation, key_world, sky, ground, key * tint, fill, softness, strength, enabled_ingredients, rng
    ), key_world


def _lighting(
    rotation: np.ndarray,
    key_world: np.ndarray,
    sky: np.ndarray,
    ground: np.ndarray,
    key: np.ndarray,
    fill: np.ndarray,
    softness: float,
    strength: float,
    enabled_ingredients: Ingredients,
    rng: np.random.Generator | None = None,
) -> Lighting:
    fill_world = np.array([1.0, 0.0, 0.3]) if rng is None else rng.normal(0, 1, 3)
    unit = lambda v: (rotation @ v) / np.linalg.norm(v)  # noqa: E731
    return Lighting(sky, ground, unit(np.array([0.0, 0, 1.0])), unit(key_world), key, unit(fill_world), fill,
                    softness, strength if enabled_ingredients.shadows else 0.0)  # fmt: skip


def light_matrix(points: torch.Tensor, key_world: np.ndarray, map_size: int) -> np.ndarray:
    """Compute the matrix (4, 4) from the world to a square shadow map: pixels x, y, and depth in metres + 1.

    points: (N, 3) that the map must show. key_world: (3,) towards the light. map_size: pixels of a side.
    """
    forward = -key_world / np.linalg.norm(key_world)
    right = cross(forward, np.array([0.0, 0.0, 1.0]))
    right = right / np.linalg.norm(right) if np.linalg.norm(right) > 1e-3 else np.array([1.0, 0.0, 0.0])
    axes = np.stack([right, cross(forward, right), forward])
    # Every fourth point is enough: the map has a margin of two pixels.
    there = points[::4] @ torch.from_numpy(axes.T.astype(np.float32)).to(points.device)
    low, high = there.amin(0).cpu().numpy(), there.amax(0).cpu().numpy()
    scale = (map_size - 4) / max(high[0] - low[0], high[1] - low[1], 1e-3)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array([[scale], [scale], [1.0]])
    matrix[:3, 3] = -low * np.array([scale, scale, 1.0]) + np.array([2, 2, 1.0])
    return matrix
