"""Clicks on the surface: the surface point under a click on one of the six views, and its places in the others.

The paper's second stage (DensePose, Güler et al. 2018, section 3): the annotator clicks on one of the views, and the
point is shown at once in all others.
"""

from functools import cache

import numpy as np

from opendensepose.annotate.part_names import display_name
from opendensepose.annotate.surface.cameras import NUM_VIEWS, PlaceInView, View, load_views
from opendensepose.annotate.surface.ray_casting import ViewRays
from opendensepose.surface import SurfacePoints

__all__ = ["point_at", "views_of", "visible_places"]


def views_of(part: int) -> tuple[View, ...]:
    """Return the six views of a part 1..14. ValueError if there is no such part."""
    views = load_views()
    if not 1 <= part <= len(views):
        raise ValueError(f"the part must be 1 to {len(views)}, got {part}.")
    return views[part - 1]


def point_at(part: int, view: int, x: float, y: float) -> SurfacePoints:
    """Return the one surface point of a part 1..14 that its view 0..5 shows at x, y pixels, exactly.

    ValueError if there is no such view, or, as a hint for the annotator, if the click misses the part.
    """
    points = _rays(part, view).point_at(float(x), float(y))
    if points is None:
        raise ValueError(f"The click is beside the {display_name(part)}: click on the coloured part.")
    return points


def visible_places(part: int, points: SurfacePoints) -> list[list[PlaceInView]]:
    """Return, for each of P points, its places in those of the part's views that show it."""
    seen: list[list[PlaceInView]] = [[] for _ in range(len(points))]
    for view in range(NUM_VIEWS):
        xy, visible = _rays(part, view).places(points)
        for k in np.flatnonzero(visible):
            seen[k].append(PlaceInView(view, float(xy[k, 0]), float(xy[k, 1])))
    return seen


def _view(part: int, view: int) -> View:
    views = views_of(part)
    if not 0 <= view < NUM_VIEWS:
        raise ValueError(f"the view must be 0 to {NUM_VIEWS - 1}, got {view}.")
    return views[view]


@cache
def _rays(part: int, view: int) -> ViewRays:
    return ViewRays(_view(part, view))
