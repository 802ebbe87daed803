"""What is likely before a photo is seen: poses and shapes as normal distributions, drawn from our synthetic people.

The poses' table is `pose_prior.npz`, made by `scripts/make_pose_prior.py`.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

__all__ = ["PosePrior", "SHAPE_MEAN", "SHAPE_SPREAD", "load_pose_prior", "pose_prior_of"]

FILE = Path(__file__).parent / "pose_prior.npz"
SHRINK = 0.1  # share of the covariance's off-diagonal that is given up: real people move joints more independently
LEAST_SPREAD = np.radians(5.0)  # real ankles and elbows also turn about axes that our poses leave alone
LIMIT_MARGIN = np.radians(10.0)  # beyond the extremes of our poses
# Anny's phenotypes in [0, 1] (synth.scene.person.sample_shape): mean and standard deviation.
SHAPE_MEAN = {"gender": 0.5, "age": 0.65, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.6,
              "cupsize": 0.55, "firmness": 0.55, "african": 0.33, "asian": 0.33, "caucasian": 0.33}  # fmt: skip
SHAPE_SPREAD = {"gender": 0.45, "age": 0.17, "muscle": 0.2, "weight": 0.22, "height": 0.2, "proportions": 0.2,
                "cupsize": 0.2, "firmness": 0.2, "african": 0.3, "asian": 0.3, "caucasian": 0.3}  # fmt: skip


@dataclass(frozen=True)
class PosePrior:
    """mean (P,) and covariance (P, P) of poses, radians; low, high (P,): the joints' limits; starts (M, P): typical
    poses, the likeliest first."""

    mean: np.ndarray
    covariance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    starts: np.ndarray

    @cached_property
    def precision(self) -> np.ndarray:
        """The inverse covariance (P, P)."""
        return np.linalg.inv(self.covariance)


def pose_prior_of(poses: np.ndarray, starts: np.ndarray) -> PosePrior:
    """Make the prior of sampled poses (M, P), with the starts given."""
    covariance = np.cov(poses.T)
    covariance *= 1 - SHRINK * (1 - np.eye(len(covariance)))
    covariance += np.diag(np.maximum(LEAST_SPREAD**2 - np.diag(covariance), 0))
    low, high = np.quantile(poses, (0.001, 0.999), axis=0)
    return PosePrior(poses.mean(0), covariance, low - LIMIT_MARGIN, high + LIMIT_MARGIN, starts)


@cache
def load_pose_prior() -> PosePrior:
    """Load the package's prior of `JOINTS`."""
    with np.load(FILE) as file:
        return PosePrior(**{name: file[name].astype(np.float64) for name in file.files})
