"""The prevailing colour around each place of the body: what large unseen areas are filled with.

Continuing the colours at the border alone would spread a strap or a shadow that happens to lie there over a whole leg.
So the vertices seen around a place vote, weighted by how much of them was seen and how near they are.

Letters: V vertices; P patches; K vertices that vote.
"""

from functools import cache

import numpy as np

from opendensepose.surface import SurfacePoints, load_charts, load_surface

__all__ = ["prevailing_colours"]

CELLS = 5  # patches along U and along V of a chart: up to 15 cm on the torso, 3 cm on a hand
REACH_M = 0.08  # vertices this much farther away than the nearest seen ones count 1/e of them
MOST_VOTERS = 1000  # of the seen vertices, evenly taken


def prevailing_colours(colours: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Find the prevailing colour (V, 3) of what was seen around each vertex of `load_surface()`.

    colours (V, 3), valid where seen (V,) >= 0, how much of a vertex was seen, is above 0. The result is that seen
    colour which is nearest to all others, weighted: a median, which ignores the few that differ. One for each patch of
    the body. ValueError if nothing was seen.
    """
    known = np.flatnonzero(seen > 0)
    if not len(known):
        raise ValueError("nothing was seen: no colour prevails.")
    known = known[:: -(-len(known) // MOST_VOTERS)]  # (K,)
    patch_of, distance_m = _patches()
    far = distance_m[:, patch_of[known]]
    votes = np.exp(-(far - far.min(1, keepdims=True)) / REACH_M) * seen[known]  # (P, K)
    unlike = np.linalg.norm(colours[known, None] - colours[None, known], axis=2)
    return colours[known[(votes @ unlike).argmin(1)]][patch_of]


@cache
def _patches() -> tuple[np.ndarray, np.ndarray]:
    """The patch (V,) of each vertex, a cell of its chart's U and V, and the distance (P, P) between patches in metres,
    along the surface from centre to centre."""
    surface = load_surface()
    vertices = surface.vertices.astype(np.float64)
    points = SurfacePoints.at_vertices(np.arange(len(vertices)), surface.faces)
    i, u, v = load_charts().from_points(points)
    cell_u, cell_v = (np.minimum((one * CELLS).astype(int), CELLS - 1) for one in (u, v))
    _, patch_of = np.unique((i * CELLS + cell_u) * CELLS + cell_v, return_inverse=True)
    count = np.bincount(patch_of)
    centre = np.stack([np.bincount(patch_of, vertices[:, k]) for k in range(3)], 1) / count[:, None]
    distance = np.full((len(count), len(count)), np.inf)
    np.fill_diagonal(distance, 0)
    for one, two in ((0, 1), (1, 2), (2, 0)):
        a, b = patch_of[surface.faces[:, one]], patch_of[surface.faces[:, two]]
        distance[a, b] = distance[b, a] = np.linalg.norm(centre[a] - centre[b], axis=1)
    for via in range(len(count)):  # Floyd and Warshall
        np.minimum(distance, distance[:, via, None] + distance[via], out=distance)
    return patch_of, distance
