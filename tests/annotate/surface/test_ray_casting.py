import numpy as np
import pytest
from tests.annotate.surface.surface_points import spread

from opendensepose.annotate.surface import views
from opendensepose.annotate.surface.ray_casting import ViewRays
from opendensepose.surface import PART_NAMES, SurfacePoints, load_surface

PARTS = range(1, len(PART_NAMES))


def grazing_angles(part: int, points: SurfacePoints) -> np.ndarray:
    """(P,) degrees: the least angle between the surface's normal and the line of sight among the views that show each
    point; 180 where none does."""
    surface = load_surface()
    corner = surface.vertices[surface.faces[points.face]].astype(np.float64)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    least = np.full(len(points), 180.0)
    for view in views.views_of(part):
        angle = np.degrees(np.arccos(np.clip(normal @ view.towards, -1, 1)))
        better = np.flatnonzero(angle < least)
        visible = ViewRays(view).places(SurfacePoints(points.face[better], points.barycentric[better]))[1]
        least[better[visible]] = angle[better[visible]]
    return least


LEAST_SHARE = dict.fromkeys(PARTS, 0.9999) | {1: 0.998, 2: 0.996, 3: 0.996, 4: 0.99, 5: 0.99, 14: 0.80}


@pytest.mark.parametrize("part", PARTS)
def test_a_view_shows_each_point_well(part):
    """All but slits between toes and fingers; of the head, 13 % lies in eye sockets, mouth and ears where no direction
    from outside sees it well."""
    angle = grazing_angles(part, spread(part, 3000))
    assert (angle < 70).mean() >= LEAST_SHARE[part]


def test_what_lies_behind_is_not_shown():
    """A ray through the upper arm: of the two skins only the nearer one is shown."""
    view = views.views_of(10)[0]
    near = views.point_at(10, 0, *view.project(view.centre)[0])
    far = views.point_at(10, 2, *views.views_of(10)[2].project(view.centre)[0])
    assert [number for number, *_ in views.visible_places(10, near)[0]].count(0) == 1
    assert 0 not in [number for number, *_ in views.visible_places(10, far)[0]]
