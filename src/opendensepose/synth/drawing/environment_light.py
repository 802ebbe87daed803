"""The light of a photographed environment, split without loss into a key light that casts shadows and the rest.

A sun or lamp, if small and bright enough, is the key light. Else it is half of the light from the dominant direction,
so that overcast skies cast soft shadows too. The rest is kept as spherical harmonics.
"""

from dataclasses import dataclass

import numpy as np

from opendensepose.synth.drawing.spherical_harmonics import basis, directions, project, solid_angles

__all__ = ["LUMA", "KeyLight", "dominant_light", "find_sun", "split_key_light"]

LUMA = np.array([0.2126, 0.7152, 0.0722])  # luminance of linear RGB
SUN_RADIUS = np.radians(6)  # about the brightest spot
SUN_SHARE = 0.12  # least share of the irradiance of a surface that faces the sun
DOMINANT_SHARE = 0.5  # of the light of the dominant direction
SOFT_RADIUS = np.radians(15)


@dataclass(frozen=True)
class KeyLight:
    """A light that casts shadows."""

    direction: np.ndarray  # (3,) unit vector towards it, world
    irradiance: np.ndarray  # (3,) of a surface that faces it
    radius: float  # radians


def split_key_light(radiance: np.ndarray) -> tuple[KeyLight, np.ndarray]:
    """Split the key light off a panorama (H, W, 3); also returns the harmonics (9, 3) of the radiance without it."""
    sun = find_sun(radiance)
    if sun is not None:
        return sun[0], project(sun[1])
    return dominant_light(project(radiance))


def find_sun(radiance: np.ndarray) -> tuple[KeyLight, np.ndarray] | None:
    """Find the sun or brightest lamp; also returns the radiance (H, W, 3) without it. None if no small spot is bright.

    The sun's radiance is what exceeds the surrounding median within SUN_RADIUS of the brightest pixel.
    """
    size_hw = radiance.shape[:2]
    towards, angle = directions(size_hw), solid_angles(size_hw)
    luminance = radiance @ LUMA
    peak = towards.reshape(-1, 3)[luminance.argmax()]
    along = towards @ peak
    spot = along > np.cos(SUN_RADIUS)
    around = radiance[(along > np.cos(1.5 * SUN_RADIUS)) & ~spot]
    excess = np.where(spot[..., None], np.maximum(radiance - np.median(around, 0), 0), 0)
    irradiance = (excess * angle[..., None]).sum((0, 1))
    facing = (np.maximum(along, 0) * luminance * angle).sum()
    if irradiance @ LUMA < SUN_SHARE * facing:
        return None
    weight = (excess @ LUMA) * angle
    direction = np.einsum("hw,hwc->c", weight, towards)
    direction /= np.linalg.norm(direction)
    radius = np.arccos(np.clip((weight * (towards @ direction)).sum() / weight.sum(), -1, 1))
    return KeyLight(direction, irradiance, float(radius)), radiance - excess


def dominant_light(coefficients: np.ndarray) -> tuple[KeyLight, np.ndarray]:
    """Take a key light from the dominant direction of harmonics (9, 3); also returns the harmonics without it."""
    towards = (coefficients @ LUMA)[[3, 1, 2]]  # x, y, z
    length = np.linalg.norm(towards)
    direction = towards / length if length > 1e-9 else np.array([0.0, 0.0, 1.0])
    along = direction @ coefficients[[3, 1, 2]]
    light = DOMINANT_SHARE * along / 0.488603  # the linear harmonics of a light that small are 0.488603 times it
    light = np.clip(light, 0, 0.6 * coefficients[0] / 0.282095)  # what is left is still light
    return KeyLight(direction, light, SOFT_RADIUS), coefficients - basis(direction)[:, None] * light
