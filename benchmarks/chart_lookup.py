"""Speed of (I, U, V) -> surface points, beside a brute-force search over all faces of the chart; then of each step of
pixel -> surface point -> nearest vertex -> place at rest, and back. In CPU time of one core.

python benchmarks/chart_lookup.py
"""

import time

import numpy as np

from opendensepose.iuv import IUV, PixelLookup, labelled_points
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


def per_second(work) -> tuple[float, object]:
    """The highest of three rates of a function that handles a million points, millions per second; its result."""
    times = []
    for _ in range(3):
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return 1 / min(times), result


def time_chain(rng: np.random.Generator) -> None:
    """Each step from a million labelled pixels to the body at rest and back."""
    surface, charts = load_surface(), load_charts()
    mesh = surface.vertices, surface.faces
    i, u, v = (one.reshape(1000, 1000) for one in charts.from_points(random_points(1_000_000, rng)))
    iuv = IUV(i, u.clip(0, 1), v.clip(0, 1))
    lookup = PixelLookup(iuv)
    surface.to_points(surface.vertices[:10])  # builds the tables
    _, points = labelled_points(iuv)
    vertex, xyz = points.nearest_vertex(*mesh), points.xyz(*mesh)
    steps = {
        "pixels -> surface points": lambda: labelled_points(iuv),
        "surface points -> nearest vertices": lambda: points.nearest_vertex(*mesh),
        "surface points -> places at rest": lambda: points.xyz(*mesh),
        "places at rest -> surface points": lambda: surface.to_points(xyz),
        "vertices -> surface points": lambda: SurfacePoints.at_vertices(vertex, surface.faces),
        "surface points -> I, U, V": lambda: charts.from_points(points),
        "surface points -> pixels": lambda: lookup.find(points),
    }
    for name, work in steps.items():
        print(f"{name:<36} {per_second(work)[0]:6.2f} million/s")


def main() -> None:
    rng, charts = np.random.default_rng(0), load_charts()
    i, u, v = charts.from_points(random_points(1_000_000, rng))
    charts.to_points(i[:10], u[:10], v[:10])  # builds the tables
    times = []
    for _ in range(3):
        start = time.process_time()
        points = charts.to_points(i, u, v)
        times.append(time.process_time() - start)
    start = time.process_time()
    brute_force(charts, i[:2000], u[:2000], v[:2000])
    brute = (time.process_time() - start) / 2000
    fast = min(times) / len(i)
    again = charts.from_points(points)
    worst = max(np.abs(again[1] - u).max(), np.abs(again[2] - v).max())
    rate = f"{1e-6 / fast:8.2f} million points/s {brute / fast:8.0f} x"
    print(f"look-up      {rate}   worst round trip {worst:.1e}")
    print(f"brute force  {1e-6 / brute:8.5f} million points/s          1 x")
    time_chain(rng)


if __name__ == "__main__":
    main()
