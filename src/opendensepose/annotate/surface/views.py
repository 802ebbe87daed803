"""Clicking on the surface: the six pre-rendered views of a part, the point that a click names, where a point is shown.

The paper's second stage (DensePose, Güler et al. 2018, section 3): the annotator clicks on the view that suits, and the
point is shown at once in all others.
"""

import threading
from functools import cache

import numpy as np

from opendensepose.annotate.surface.cameras import NUM_VIEWS, PlaceInView, View, load_views
from opendensepose.annotate.surface.ray_casting import ViewRays
from opendensepose.surface import PART_NAMES, SurfacePoints

__all__ = ["make_pictures", "picture_png", "point_at", "shown", "spoken_name", "views_of"]

_LOCK = threading.Lock()


def views_of(part: int) -> tuple[View, ...]:
    """The six views of part 1..14. ValueError if there is no such part."""
    views = load_views()
    if not 1 <= part <= len(views):
        raise ValueError(f"parts are numbered 1 to {len(views)}, got {part}.")
    return views[part - 1]


def point_at(part: int, view: int, x: float, y: float) -> SurfacePoints:
    """The one surface point of a part 1..14 that its view 0..5 shows at x, y pixels, exactly.

    ValueError if there is no such view, or, as a hint for the annotator, if the place is beside the part.
    """
    points = _rays(part, view).point_at(float(x), float(y))
    if points is None:
        raise ValueError(f"The click is beside the {spoken_name(part)}: click on the coloured part.")
    return points


def shown(part: int, points: SurfacePoints) -> list[list[PlaceInView]]:
    """Where each of P points is seen in the views of a part, point by point."""
    seen: list[list[PlaceInView]] = [[] for _ in range(len(points))]
    for view in range(NUM_VIEWS):
        xy, visible = _rays(part, view).places(points)
        for k in np.flatnonzero(visible):
            seen[k].append(PlaceInView(view, float(xy[k, 0]), float(xy[k, 1])))
    return seen


def picture_png(part: int, view: int) -> bytes:
    """The picture of a view as a PNG file. The first call on a machine draws all 84 and keeps them in the cache."""
    _view(part, view)
    return make_pictures()[part - 1, view]


def make_pictures() -> dict[tuple[int, int], bytes]:
    """All pictures by (part - 1, view), from the user's cache; drawn and kept there if they are not there yet."""
    with _LOCK:  # two requests at once draw them once
        return _pictures()


@cache
def _pictures() -> dict[tuple[int, int], bytes]:
    from opendensepose.annotate.surface.picture_file import load_or_draw

    return load_or_draw()


def spoken_name(part: int) -> str:
    """`left upper arm` for the part that files call `upper arm left`."""
    *words, last = PART_NAMES[part].split()
    return " ".join([last, *words] if last in ("left", "right") else [*words, last])


def _view(part: int, view: int) -> View:
    views = views_of(part)
    if not 0 <= view < NUM_VIEWS:
        raise ValueError(f"the views of a part are numbered 0 to {NUM_VIEWS - 1}, got {view}.")
    return views[view]


@cache
def _rays(part: int, view: int) -> ViewRays:
    return ViewRays(_view(part, view))
