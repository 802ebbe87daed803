"""Geodesic error of every annotated point (DensePose, Güler et al. 2018, section 4: d = g(i_p, î_p)).

Letters: P annotated points, Q predictions at them.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from opendensepose.surface import Charts, SurfacePoints

__all__ = ["ChartDistances", "LabelDistances", "Labels", "between_labels", "point_errors"]


class Labels(NamedTuple):
    """I, U, V of points, arrays of one shape."""

    i: np.ndarray  # (P,) uint8: 0 no label, 1..24 charts
    u: np.ndarray  # (P,) float in [0, 1]
    v: np.ndarray  # (P,) float in [0, 1]


class PointDistances(Protocol):
    """Distances between surface points, as `GeodesicDistances` gives."""

    def between(self, a: SurfacePoints, b: SurfacePoints) -> np.ndarray:
        """(P,) metres."""


class LabelDistances(Protocol):
    """Distances on a surface between points given as labels."""

    @property
    def surface(self) -> str:
        """Its name, as tables print it."""

    def locate(self, labels: Labels) -> Any:
        """The places (P,) of labels i in 1..24, u, v in [0, 1], to be indexed as an array is."""

    def between(self, a: Any, b: Any) -> np.ndarray:
        """(P,) float metres between places and others."""


@dataclass(frozen=True)
class ChartDistances:
    """Distances on our own surface: labels become surface points."""

    charts: Charts
    geodesics: PointDistances
    surface: str = "opendensepose's body (Anny, neutral adult)"

    def locate(self, labels: Labels) -> SurfacePoints:
        return self.charts.to_points(*labels)

    def between(self, a: SurfacePoints, b: SurfacePoints) -> np.ndarray:
        return self.geodesics.between(a, b)


def between_labels(distances: LabelDistances, a: Labels, b: Labels) -> np.ndarray:
    """Compute the distances between labels i in 1..24, u, v in [0, 1] and others: (P,) metres."""
    return distances.between(distances.locate(a), distances.locate(b))


def point_errors(
    true: Labels, predicted: Labels, distances: LabelDistances, of: np.ndarray | None = None
) -> np.ndarray:
    """Compute geodesic errors: (Q,) float64 metres, infinite where nothing is predicted (i = 0).

    true: labels (P,) of the annotated points, i in 1..24; predicted: labels (Q,), i in 0..24; of (Q,) int: the true
    point of each, None: the one at the same place. ValueError if shapes differ.
    """
    true, predicted = (Labels(*(np.asarray(value) for value in labels)) for labels in (true, predicted))
    shapes = [np.shape(value) for value in (*true, *predicted)]
    size = true.i.shape if of is None else np.shape(of)
    if len(set(shapes[:3])) > 1 or any(shape != size for shape in shapes[3:]):
        raise ValueError(f"true and predicted i, u and v must have one shape (P,), got {shapes}.")
    error_m = np.full(len(predicted.i), np.inf)
    found = np.flatnonzero(predicted.i > 0)
    if len(found):
        place = distances.locate(true)[found if of is None else of[found]]
        error_m[found] = distances.between(place, distances.locate(Labels(*(value[found] for value in predicted))))
    return error_m
