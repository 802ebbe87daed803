"""Geodesic distances on the body: accuracy against exact ones, symmetry, speed, time and memory of making the table.

python benchmarks/geodesics.py [--sources 200] [--exact FILE]

Exact distances (Mitchell et al. 1987, in libigl, on the mesh with the points put in as vertices) take two to three
seconds per source; --exact keeps them in a file, and an interrupted run goes on from there.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from opendensepose.surface import PART_NAMES, GeodesicDistances, SurfacePoints, load_charts, load_surface

NUM_SOURCES = 200
NUM_BY_AREA, NUM_BY_FACE = 2200, 100  # inserted points: spread over the area; over the faces, most on hands and head
FAR_M = 0.05


def face_areas() -> np.ndarray:
    a, b, c = (load_surface().vertices[load_surface().faces[:, k]].astype(np.float64) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def chosen_points() -> SurfacePoints:
    """(P,) points in faces of their own; the first NUM_SOURCES are the sources, spread over the area."""
    rng, area = np.random.default_rng(1), face_areas()
    by_area = rng.choice(len(area), NUM_BY_AREA, False, p=area / area.sum())
    by_face = rng.choice(np.setdiff1d(np.arange(len(area)), by_area), NUM_BY_FACE, False)
    face = np.r_[by_area[:NUM_SOURCES], by_face, by_area[NUM_SOURCES:]]
    weights = rng.dirichlet([1, 1, 1], len(face)).astype(np.float32).clip(1e-3)
    return SurfacePoints(face, weights / weights.sum(1, keepdims=True))


def exact_distances(points: SurfacePoints, num_sources: int, path: Path | None) -> np.ndarray:
    """(num_sources, V + P) float32 metres from the first points to all vertices and points."""
    import igl

    v, f = load_surface().vertices.astype(np.float64), load_surface().faces.astype(np.int64)
    own = len(v) + np.arange(len(points))
    a, b, c = f[points.face].T
    fans = [np.stack(corners, 1) for corners in ((a, b, own), (b, c, own), (c, a, own))]
    faces = np.concatenate([np.delete(f, points.face, axis=0), *fans])
    vertices = np.concatenate([v, points.xyz(v, f)])
    every, none = np.arange(len(vertices)), np.empty(0, np.int64)
    known = np.load(path) if path and path.exists() else np.empty((0, len(vertices)), np.float32)
    rows = list(known[:num_sources])
    while len(rows) < num_sources:
        rows.append(igl.exact_geodesic(vertices, faces, own[len(rows) : len(rows) + 1], none, every, none))
        print(f"\rexact distances from {len(rows)} of {num_sources} sources", end="", file=sys.stderr, flush=True)
        if path and len(rows) % 10 == 0:
            np.save(path, np.array(rows, np.float32))
    return np.array(rows, np.float32)


def at_vertices() -> SurfacePoints:
    faces = load_surface().faces
    face, corner = np.zeros((2, faces.max() + 1), np.int64)
    for k in range(3):
        face[faces[:, k]], corner[faces[:, k]] = np.arange(len(faces)), k
    return SurfacePoints(face, np.eye(3)[corner])


def random_points(count: int, rng: np.random.Generator) -> SurfacePoints:
    area = face_areas()
    return SurfacePoints(rng.choice(len(area), count, p=area / area.sum()), rng.dirichlet((1, 1, 1), count))


def mirrored(points: SurfacePoints) -> SurfacePoints:
    from scipy.spatial import cKDTree

    v, f = load_surface().vertices, load_surface().faces
    centres = v[f].mean(1)
    image = cKDTree(centres).query(centres * [-1, 1, 1])[1]
    corner = np.linalg.norm(v[f][:, None] - (v[f[image]] * [-1, 1, 1])[:, :, None], axis=3).argmin(2)
    return SurfacePoints(image[points.face], np.take_along_axis(points.barycentric, corner[points.face], axis=1))


def accuracy(distances: GeodesicDistances, num_sources: int, path: Path | None) -> None:
    points = chosen_points()
    truth = exact_distances(points, num_sources, path).astype(np.float64)
    vertices = at_vertices()
    targets = SurfacePoints(
        np.r_[vertices.face, points.face], np.concatenate([vertices.barycentric, points.barycentric])
    )
    got = np.empty_like(truth)
    for k in range(num_sources):
        source = SurfacePoints(
            np.repeat(points.face[k : k + 1], len(targets)),
            np.repeat(points.barycentric[k : k + 1], len(targets), axis=0),
        )
        got[k] = distances.between(source, targets)
    print(f"\rexact distances from {num_sources} sources to {len(vertices)} vertices and {len(points)} points")
    error = np.abs(got - truth)
    far = truth > FAR_M
    relative = error[far] / truth[far]
    row("mean relative error beyond 5 cm", f"{relative.mean():.2%}", "1 %")
    row("  99.9 of 100 are below", f"{np.percentile(relative, 99.9):.2%}", "")
    row("  the largest", f"{relative.max():.2%}", "3 %")
    row("  above 3 %", f"{(relative > 0.03).sum()} of {far.sum()} pairs", "0")
    row(
        "  of those to points, not vertices",
        f"{(error[:, len(vertices) :] / truth.clip(1e-9)[:, len(vertices) :])[far[:, len(vertices) :]].max():.2%}",
        "3 %",
    )
    for low, high in ((0, 0.01), (0.01, 0.02), (0.02, 0.05)):
        here = (truth > max(low, 1e-6)) & (truth <= high)
        worst = f"mean {(error[here] / truth[here]).mean():.2%}, largest {error[here].max() * 1000:.2f} mm"
        row(f"error from {low * 100:.0f} to {high * 100:.0f} cm ({here.sum()} pairs)", worst, "")


def properties(distances: GeodesicDistances) -> None:
    rng = np.random.default_rng(0)
    a, b, c = (random_points(1_000_000, rng) for _ in range(3))
    walls, cores = [], []
    for _ in range(3):
        wall, core = time.perf_counter(), time.process_time()
        ab = distances.between(a, b)
        walls.append(time.perf_counter() - wall)
        cores.append(time.process_time() - core)
    image = distances.between(mirrored(a), mirrored(b))
    around = ab.astype(np.float64) + distances.between(b, c)
    row("queries per second", f"{1 / min(walls):.2f} million", "1 million, 1 or 2 cores")
    row("  per second of one core's time", f"{1 / min(cores):.2f} million", "")
    row("between(b, a) differs by", f"{np.abs(ab - distances.between(b, a)).max():g} m", "0")
    row("mirrored pairs differ by", f"{np.abs(ab - image).max():g} m", "0")
    row("between(a, a)", f"{distances.between(a, a).max():g} m", "0")
    row("d(a, c) over d(a, b) + d(b, c), largest", f"{(distances.between(a, c) / around).max():.4f}", "1.01")


MAKE = """
import resource, sys, time
from opendensepose.surface import GeodesicDistances, load_surface
wall, cpu = time.perf_counter(), time.process_time()
GeodesicDistances(load_surface(), sys.argv[1])
print(time.perf_counter() - wall, time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def making(cache_dir: str) -> None:
    for what in ("making the table", "opening it"):
        done = subprocess.run([sys.executable, "-c", MAKE, cache_dir], stdout=subprocess.PIPE, text=True, check=True)
        wall, cpu, memory = map(float, done.stdout.split())
        target = "10 min on 2 cores; 1 GB" if what == "making the table" else "1 GB"
        row(what, f"{wall:.1f} s ({cpu:.1f} s of one core), {memory:.2f} GB", target)
    size = sum(path.stat().st_size for path in Path(cache_dir).iterdir())
    row("the table's size", f"{size / 1e6:.0f} MB", "")


def row(what: str, value: str, target: str) -> None:
    print(f"{what:48s} {value:40s} {target}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=NUM_SOURCES, choices=range(1, NUM_SOURCES + 1), metavar="N")
    parser.add_argument("--exact", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache_dir:
        row("", "here", "target")
        making(cache_dir)
        distances = GeodesicDistances(load_surface(), cache_dir)
        properties(distances)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        row("memory after 8 million queries, points included", f"{peak:.2f} GB", "1 GB")
        means = distances.part_means(load_charts())
        accuracy(distances, given.sources, given.exact)
    print("\nmean distance within a part, metres")
    for name, mean in zip(PART_NAMES[1:], means[1:], strict=True):
        print(f"  {name:18s} {mean:.3f}")


if __name__ == "__main__":
    main()
