"""The 24 charts: (I, U, V) of a surface point and back (DensePose, Güler et al. 2018, section 2.1)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from opendensepose.surface.lookup import ChartLookup
from opendensepose.surface.points import SurfacePoints


@dataclass(frozen=True)
class Charts:
    """A chart and chart coordinates for every face corner.

    face_chart (F,) uint8 in 1..24; face_uv (F, 3, 2) float32 in [0, 1]. ValueError if shapes or ranges differ.
    """

    face_chart: np.ndarray
    face_uv: np.ndarray

    def __post_init__(self) -> None:
        chart, uv = self.face_chart, self.face_uv
        if chart.ndim != 1 or uv.shape != (len(chart), 3, 2):
            raise ValueError(f"face_chart and face_uv must be (F,) and (F, 3, 2), got {chart.shape} and {uv.shape}.")
        if len(chart) and not (1 <= chart.min() <= chart.max() <= 24 and 0 <= uv.min() <= uv.max() <= 1):
            raise ValueError(
                f"charts must be in 1..24 and uv in [0, 1], "
                f"got {chart.min()}..{chart.max()} and [{uv.min()}, {uv.max()}]."
            )
        chart.flags.writeable = uv.flags.writeable = False

    @cached_property
    def lookup(self) -> ChartLookup:
        """The search tables of `to_points`, built at the first use (about three seconds)."""
        return ChartLookup(self.face_chart, self.face_uv)

    def to_points(self, i: ArrayLike, u: ArrayLike, v: ArrayLike) -> SurfacePoints:
        """The surface points that labels i (P,) in 1..24, u, v (P,) in [0, 1] name.

        Values outside [0, 1] are clipped. Where a chart does not fill its square, the nearest of its points is taken.
        ValueError if shapes differ, a chart is not in 1..24 or a value is not finite.
        """
        i, u, v = np.asarray(i), np.asarray(u, np.float32), np.asarray(v, np.float32)
        if i.ndim != 1 or not i.shape == u.shape == v.shape:
            raise ValueError(f"i, u and v must have one shape (P,), got {i.shape}, {u.shape}, {v.shape}.")
        if i.size and not 1 <= i.min() <= i.max() <= 24:
            raise ValueError(f"charts must be in 1..24 (no background), got {i.min()}..{i.max()}.")
        if not (np.isfinite(u).all() and np.isfinite(v).all()):
            raise ValueError("u and v must be finite, got NaN or infinity.")
        return self.lookup.find(i, np.clip(u, 0, 1), np.clip(v, 0, 1))

    def from_points(self, points: SurfacePoints) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """i (P,) uint8, u (P,), v (P,) float32 of surface points."""
        corner_uv = self.face_uv[points.face]  # (P, 3, 2)
        uv = np.einsum("pkc,pk->pc", corner_uv, points.barycentric)
        return self.face_chart[points.face], uv[:, 0], uv[:, 1]
