"""Light from all around as nine numbers per colour: spherical harmonics of order 2.

Source: Ramamoorthi and Hanrahan, "An Efficient Representation for Irradiance Environment Maps", SIGGRAPH 2001. What a
matt surface receives is the environment convolved with a clamped cosine; nine coefficients give it to about 1 %.

Directions are unit vectors in the world, z up. An environment is an equirectangular panorama (H, W, 3) of linear
radiance: its middle column lies towards +y, columns run to the right (clockwise seen from above), rows from the zenith
down to the nadir.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Irradiance", "basis", "cosine_convolved", "directions", "project", "solid_angles"]

COSINE = np.array([np.pi, *[2 * np.pi / 3] * 3, *[np.pi / 4] * 5])  # the clamped cosine's own coefficients, by order


def directions(size_hw: tuple[int, int]) -> np.ndarray:
    """Compute unit vectors (H, W, 3) towards a panorama's pixel centres."""
    height, width = size_hw
    elevation = np.pi * (0.5 - (np.arange(height) + 0.5) / height)[:, None]
    clockwise = 2 * np.pi * ((np.arange(width) + 0.5) / width - 0.5)[None]
    flat = np.cos(elevation)
    parts = flat * np.sin(clockwise), flat * np.cos(clockwise), np.sin(elevation) + 0 * clockwise
    return np.stack(parts, -1)


def solid_angles(size_hw: tuple[int, int]) -> np.ndarray:
    """Compute the steradians (H, 1) of a pixel in each row; those of all pixels add up to 4 pi."""
    height, width = size_hw
    edges = np.sin(np.pi * (0.5 - np.arange(height + 1) / height))
    return ((edges[:-1] - edges[1:]) * 2 * np.pi / width)[:, None]


def basis(unit: np.ndarray) -> np.ndarray:
    """Evaluate the nine real harmonics (..., 9) at unit vectors (..., 3); l, m = 00 1-1 10 11 2-2 2-1 20 21 22."""
    x, y, z = np.moveaxis(unit, -1, 0)
    linear = [0.488603 * y, 0.488603 * z, 0.488603 * x]
    mixed = [1.092548 * x * y, 1.092548 * y * z]
    rest = [0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y)]
    return np.stack([np.full_like(x, 0.282095), *linear, *mixed, *rest], -1)


def project(radiance: np.ndarray) -> np.ndarray:
    """Project a panorama's radiance (H, W, 3) onto the harmonics: (9, 3) coefficients."""
    size_hw = radiance.shape[:2]
    weighted = (radiance * solid_angles(size_hw)[..., None]).reshape(-1, 3)
    return basis(directions(size_hw)).reshape(-1, 9).T @ weighted


def cosine_convolved(radiance_coefficients: np.ndarray) -> np.ndarray:
    """Convolve radiance coefficients (9, 3) with the clamped cosine: (9, 3) of the irradiance."""
    return radiance_coefficients * COSINE[:, None]


@dataclass(frozen=True)
class Irradiance:
    """Irradiance by normal n: constant + linear . n + n . quadratic n, which rotates like any vector and matrix.

    constant: (3,) per colour. linear: (3 colours, 3). quadratic: (3 colours, 3, 3), symmetric.
    """

    constant: np.ndarray
    linear: np.ndarray
    quadratic: np.ndarray

    @classmethod
    def from_coefficients(cls, coefficients: np.ndarray) -> "Irradiance":
        """Convert cosine_convolved()'s result (9, 3)."""
        c00, c1y, c1z, c1x, cxy, cyz, c20, cxz, c22 = coefficients
        half = 1.092548 / 2
        rows = [
            [0.546274 * c22 - 0.315392 * c20, half * cxy, half * cxz],
            [half * cxy, -0.546274 * c22 - 0.315392 * c20, half * cyz],
            [half * cxz, half * cyz, 2 * 0.315392 * c20],
        ]
        quadratic = np.moveaxis(np.array(rows), -1, 0)
        return cls(0.282095 * c00, 0.488603 * np.stack([c1x, c1y, c1z], -1), quadratic)

    def rotated(self, rotation: np.ndarray) -> "Irradiance":
        """Rotate the environment by rotation (3, 3)."""
        return Irradiance(self.constant, self.linear @ rotation.T, rotation @ self.quadratic @ rotation.T)

    def scaled(self, gain: np.ndarray) -> "Irradiance":
        """Multiply by a gain (3,) per colour."""
        gain = np.asarray(gain, float)
        return Irradiance(self.constant * gain, self.linear * gain[:, None], self.quadratic * gain[:, None, None])

    def at(self, normal: np.ndarray) -> np.ndarray:
        """Evaluate the irradiance (..., 3) per colour at unit normals (..., 3), not below 0."""
        quadratic = np.einsum("...i,cij,...j->...c", normal, self.quadratic, normal)
        return np.maximum(self.constant + normal @ self.linear.T + quadratic, 0.0)
