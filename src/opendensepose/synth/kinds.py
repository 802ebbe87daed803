"""Kinds of things that are drawn by weight: fabrics, prints, poses, props, backgrounds."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

__all__ = ["Kind", "draw_kind", "slots_by_kind"]


class Kind(NamedTuple):
    """One kind of a table by name."""

    weight: float  # how often it is drawn, relative to the table's other kinds
    make: Callable


def draw_kind(rng: np.random.Generator, kinds: Mapping, kind: str | None = None, what: str = "kind") -> str:
    """Draw a name of `kinds` by weight, or return the given one.

    kinds: records with a `weight`, by name. what: what an error calls the kind. ValueError if the given one is unknown.
    """
    if kind is None:
        weights = np.array([one.weight for one in kinds.values()], float)
        return list(kinds)[rng.choice(len(weights), p=weights / weights.sum())]
    if kind not in kinds:
        raise ValueError(f"{what} must be one of {', '.join(kinds)}, got {kind!r}")
    return kind


def slots_by_kind(kinds: Mapping[str, Kind], num_slots: int) -> dict[str, range]:
    """Share `num_slots` consecutive slots of a pool among the kinds by weight, at least one for each."""
    ends = np.cumsum([kind.weight for kind in kinds.values()])
    ends = np.round(ends / ends[-1] * (num_slots - len(kinds))).astype(int) + np.arange(1, len(kinds) + 1)
    starts = [0, *ends[:-1]]
    return {name: range(int(a), int(b)) for name, a, b in zip(kinds, starts, ends, strict=True)}
