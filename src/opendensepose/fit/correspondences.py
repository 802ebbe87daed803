"""A person's labelled pixels as pairs of an image place and a point of the body."""

from dataclasses import dataclass

import numpy as np

from opendensepose.instance import Instance
from opendensepose.surface import SurfacePoints, load_charts

__all__ = ["LEAST_PIXELS", "Correspondences", "sample_pixels"]

LEAST_PIXELS = 60  # labelled ones: fewer say too little of pose and camera


@dataclass(frozen=True)
class Correspondences:
    """N pairs: pixel_xy (N, 2) float64, pixel centres at +0.5; points of the body; weight (N,), in (0, 1]; chart (N,) 1
    to 24."""

    pixel_xy: np.ndarray
    points: SurfacePoints
    weight: np.ndarray
    chart: np.ndarray

    def __len__(self) -> int:
        return len(self.pixel_xy)


def sample_pixels(person: Instance, count: int) -> Correspondences:
    """Take about `count` of a person's labelled pixels, balanced over charts: of each as many as the root of its share.

    So hands and feet, which fill few pixels, count beside the trunk. ValueError if fewer than LEAST_PIXELS are there.
    """
    chart_map = person.iuv.i
    rows, columns = np.nonzero(chart_map)
    if len(rows) < LEAST_PIXELS:
        raise ValueError(f"a body needs at least {LEAST_PIXELS} labelled pixels, got {len(rows)}.")
    chart = chart_map[rows, columns]
    number = np.bincount(chart, minlength=25)
    wanted = np.sqrt(number) * count / np.sqrt(number).sum()
    chosen = []
    for k in np.flatnonzero(number):
        own = np.flatnonzero(chart == k)
        take = min(len(own), max(1, round(wanted[k])))
        chosen.append(own[np.linspace(0, len(own) - 1, take).round().astype(int)])
    index = np.concatenate(chosen)
    row, column, chart = rows[index], columns[index], chart[index]
    points = load_charts().to_points(chart, person.iuv.u[row, column], person.iuv.v[row, column])
    weight = np.clip(person.confidence[row, column].astype(np.float64), 0.05, 1)
    return Correspondences(np.stack([column, row], 1) + 0.5, points, weight, chart)
