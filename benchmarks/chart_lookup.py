"""Speed of (I, U, V) -> surface points on one core, beside a brute-force search over all faces of the chart.

python benchmarks/chart_lookup.py
"""

import time

import numpy as np

from opendensepose.surface import SurfacePoints, load_charts, load_surface


def random_points(count: int, rng: np.random.Generator) -> SurfacePoints:
    """Points spread evenly over the faces."""
    face = rng.integers(len(load_surface().faces), size=count).astype(np.int32)
    weights = rng.dirichlet((1, 1, 1), size=count).astype(np.float32)
    return SurfacePoints(face, weights)


def brute_force(charts, i, u, v) -> np.ndarray:
    """The face of each point by testing every face of its chart."""
    found = np.full(len(i), -1)
    for k in range(len(i)):
        faces = np.flatnonzero(charts.face_chart == i[k])
        a, b, c = np.moveaxis(charts.face_uv[faces].astype(np.float64), 1, 0)
        p = np.array([u[k], v[k]])
        cross = lambda x, y: x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]  # noqa: E731
        area = cross(b - a, c - a)
        weights = np.stack([cross(b - p, c - p), cross(c - p, a - p), cross(a - p, b - p)]) / area
        found[k] = faces[weights.min(0).argmax()]
    return found


def main() -> None:
    rng, charts = np.random.default_rng(0), load_charts()
    i, u, v = charts.from_points(random_points(1_000_000, rng))
    charts.to_points(i[:10], u[:10], v[:10])  # builds the tables
    times = []
    for _ in range(3):
        start = time.perf_counter()
        points = charts.to_points(i, u, v)
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    brute_force(charts, i[:2000], u[:2000], v[:2000])
    brute = (time.perf_counter() - start) / 2000
    fast = min(times) / len(i)
    again = charts.from_points(points)
    worst = max(np.abs(again[1] - u).max(), np.abs(again[2] - v).max())
    rate = f"{1e-6 / fast:8.2f} million points/s {brute / fast:8.0f} x"
    print(f"look-up      {rate}   worst round trip {worst:.1e}")
    print(f"brute force  {1e-6 / brute:8.5f} million points/s          1 x")


if __name__ == "__main__":
    main()
