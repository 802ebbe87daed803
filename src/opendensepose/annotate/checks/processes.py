"""How a person's answers hang together, described twice, each time by a Gaussian process over all answers.

`places_by_pixel`: the place on the body at rest is a smooth function of the pixel, within a part and less so across a
joint. `pixels_by_place`: the body is a puppet seen from afar. The pixels of a part are an affine function of its places
at rest, the functions of adjacent parts agree at their joint, and their slopes are alike.

Both predict each answer, or each part's answers, from the others (Rasmussen and Williams, Gaussian Processes for
Machine Learning, 2006, equations 5.10 to 5.12). Amplitudes and lengths are those that make careful answers likeliest.

Letters: P answers; D dimensions of what is predicted; B parts; K answers of one part.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from opendensepose.annotate.checks.body import joint, path_to_torso

__all__ = ["Process", "padded", "pixels_by_place", "places_by_pixel"]

# Of places by pixel, metres.
ANYWHERE_M = 1.0  # of a person's mean place, or pixel
FAR_M, FAR_LENGTH_M = 0.35, 0.56
NEAR_M, NEAR_LENGTH_M = 0.036, 0.12
ACROSS_JOINT = 0.6  # the correlation of adjacent parts
# Of the puppet: a part seen from an unknown direction, or shortened by it.
SLOPE = 0.45  # metres in the photo per metre at rest
SLOPE_ACROSS_JOINT = 0.57
NUM_PARTS, TORSO, HEAD = 14, 1, 14


@dataclass(frozen=True)
class Process:
    """P observations of D values, and the inverse of their covariance, which all dimensions share."""

    value: np.ndarray  # (P, D), about their mean
    noise: np.ndarray  # (P,) variance of an observation
    precision: np.ndarray  # (P, P)

    def left_out(self) -> tuple[np.ndarray, np.ndarray]:
        """Return residuals (P, D) of each observation from what all others predict, and their variance (P,)."""
        variance = 1 / np.diag(self.precision)
        return (self.precision @ self.value) * variance[:, None], variance

    def without(self, k: int) -> "Process":
        """Return the process without observation k, in whose place stands one that tells nothing."""
        value, precision = self.value.copy(), self.precision
        precision = precision - np.outer(precision[:, k], precision[k]) / precision[k, k]
        precision[k], precision[:, k], precision[k, k], value[k] = 0, 0, 1, 0
        return Process(value, self.noise, precision)

    def without_part(self, own: np.ndarray, is_there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean (B, K, D) and covariance (B, K, K), without noise, of each part's values by all other parts.

        own: (B, K) the observations of B parts. is_there: (B, K) False where a part has fewer than K.
        """
        of_values = np.linalg.inv(padded(self.precision[own[:, :, None], own[:, None]], is_there))
        pull = np.where(is_there[..., None], (self.precision @ self.value)[own], 0)
        noise = np.where(is_there, self.noise[own], 0)[:, :, None] * np.eye(own.shape[1])
        return self.value[own] - of_values @ pull, of_values - noise


def padded(matrices: np.ndarray, is_there: np.ndarray) -> np.ndarray:
    """Return the matrices (..., B, K, K) with the identity in rows and columns that are not there (B, K)."""
    return np.where(is_there[:, :, None] & is_there[:, None], matrices, np.eye(is_there.shape[1]))


def places_by_pixel(part: np.ndarray, xy_m: np.ndarray, rest: np.ndarray, noise: np.ndarray) -> Process:
    """Observe places at rest (P, 3), metres, at pixels xy_m (P, 2), by the person's pixels per metre."""
    squared = ((xy_m[:, None] - xy_m[None]) ** 2).sum(2)
    smooth = FAR_M**2 * np.exp(squared / (-2 * FAR_LENGTH_M**2))
    smooth += NEAR_M**2 * np.exp(squared / (-2 * NEAR_LENGTH_M**2))
    return _observed(rest, _correlations(ACROSS_JOINT)[part[:, None], part[None]] * smooth, noise)


def pixels_by_place(part: np.ndarray, xy_m: np.ndarray, rest: np.ndarray, noise: np.ndarray) -> Process:
    """Observe pixels xy_m (P, 2), by the person's pixels per metre, of places at rest (P, 3), metres."""
    own, anchors = _puppet()
    lever = own[part][:, :, None] * rest[:, None] + anchors[part]  # (P, 14, 3)
    correlation = SLOPE**2 * _correlations(SLOPE_ACROSS_JOINT)[1:, 1:]
    covariance = np.tensordot(lever, correlation @ lever, axes=((1, 2), (1, 2)))
    return _observed(xy_m, covariance, noise)


def _observed(value: np.ndarray, covariance: np.ndarray, noise: np.ndarray) -> Process:
    mean = value.mean(0) if len(value) else 0
    return Process(value - mean, noise, np.linalg.inv(ANYWHERE_M**2 + covariance + np.diag(noise)))


@cache
def _puppet() -> tuple[np.ndarray, np.ndarray]:
    """Which slopes move a place X of part p, and by which lever: own (15, 14) of p, X + anchors (15, 14, 3) of p.

    Part p's pixels are those of its joint with its parent, plus its slope times X minus that joint; the joint is moved
    by the parent in the same way, up to the torso.
    """
    own, anchors = np.zeros((15, NUM_PARTS)), np.zeros((15, NUM_PARTS, 3))
    for part in range(1, NUM_PARTS + 1):
        path = path_to_torso(part)
        own[part, part - 1] = 1
        held = [joint(*pair) for pair in zip(path, path[1:], strict=False)] + [joint(HEAD, TORSO)]
        for index, number in enumerate(path):
            anchors[part, number - 1] = (held[index - 1] if index else 0) - held[index]
    return own, anchors


@cache
def _correlations(across_joint: float) -> np.ndarray:
    """(15, 15): of two parts, across_joint to the power of the joints between them."""
    table = np.ones((15, 15))
    for a in range(1, 15):
        for b in range(1, 15):
            table[a, b] = across_joint ** len(set(path_to_torso(a)) ^ set(path_to_torso(b)))
    return table
