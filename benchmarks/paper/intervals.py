"""Intervals of a line's figures, and of the difference of two lines: resampling people and seeds.

Letters: S seeds, K people, B resamples.
"""

from collections.abc import Sequence

import numpy as np

NUM_RESAMPLES = 4000
SUMS = ("boxes_auc10", "boxes_auc30", "found_auc10", "found_auc30")  # what the rows of a run's sums are


def figure(sums: np.ndarray, num_points: np.ndarray) -> float:
    """AUC over all points of K people, mean over seeds. sums (S, K) of what each point counts, num_points (K,)."""
    return float((sums.sum(1) / num_points.sum()).mean())


def interval(sums: np.ndarray, num_points: np.ndarray, seed: int = 0, level: float = 0.95) -> tuple[float, float]:
    """The bootstrap interval of `figure`: people and seeds are drawn again, with replacement. With one seed it is that
    over people alone."""
    return _quantiles(_resampled(sums, num_points, np.random.default_rng(seed)), level)


def difference(
    sums: np.ndarray, other: np.ndarray, num_points: np.ndarray, seed: int = 0, level: float = 0.95
) -> tuple[float, float, float]:
    """How much `other` (S, K) is better than `sums` (S', K), and its interval: the same people and seeds are drawn
    for both, of the seeds that both have."""
    both = min(len(sums), len(other))
    sums, other = sums[:both], other[:both]
    low, high = _quantiles(_resampled(other - sums, num_points, np.random.default_rng(seed)), level)
    return figure(other, num_points) - figure(sums, num_points), low, high


def _resampled(sums: np.ndarray, num_points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    num_seeds, num_people = sums.shape
    people = rng.multinomial(num_people, np.full(num_people, 1 / num_people), NUM_RESAMPLES)  # (B, K)
    seeds = rng.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), NUM_RESAMPLES) / num_seeds  # (B, S)
    return ((people @ sums.T) * seeds).sum(1) / (people @ num_points)


def _quantiles(values: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def stacked(runs: Sequence[np.ndarray], row: str) -> np.ndarray:
    """One figure's sums (S, K) of a line's runs (4, K) each, which are kept as hundredths."""
    return np.stack([run[SUMS.index(row)] for run in runs]).astype(float) / 100
