import numpy as np
import pytest
from tests.annotate.surface.surface_points import spread, xyz

from opendensepose.annotate.surface import views
from opendensepose.annotate.surface.cameras import NUM_VIEWS, part_faces
from opendensepose.surface import SurfacePoints


@pytest.mark.parametrize("part", [1, 3, 5, 13, 14])
def test_a_click_gives_the_point_that_lies_there_and_it_is_shown_there(part):
    rng = np.random.default_rng(part)
    hits = 0
    for view in range(NUM_VIEWS):
        for place in rng.uniform(0, 480, (25, 2)):
            try:
                point = views.point_at(part, view, *place)
            except ValueError:
                continue
            hits += 1
            xy, _ = views.views_of(part)[view].project(xyz(point))
            np.testing.assert_allclose(xy[0], place, atol=1e-5)
            seen = {number: (x, y) for number, x, y in views.visible_places(part, point)[0]}
            np.testing.assert_allclose(seen[view], place, atol=1e-5)
            assert np.isin(point.face, part_faces(part)).all()
    assert hits > 20


@pytest.mark.parametrize("part", [2, 7, 14])
def test_where_a_point_is_shown_a_click_gives_it_back(part):
    points = spread(part, 60)
    where = views.visible_places(part, points)
    for k, places in enumerate(where):
        for view, x, y in places:
            again = views.point_at(part, view, x, y)
            one = SurfacePoints(points.face[[k]], points.barycentric[[k]])
            assert np.linalg.norm(xyz(again) - xyz(one)) < 2e-3  # one of two faces at an outline may be hit


def test_a_click_beside_the_part_is_refused_with_a_hint():
    with pytest.raises(ValueError, match="beside the left hand: click on the coloured part"):
        views.point_at(3, 0, 1.5, 1.5)
    for x, y in ((-1, 5), (5, 480), (1e9, 0), (float("nan"), 3)):
        with pytest.raises(ValueError, match="beside"):
            views.point_at(3, 0, x, y)
    with pytest.raises(ValueError, match="0 to 5, got 6"):
        views.point_at(3, 6, 5, 5)
    with pytest.raises(ValueError, match="1 to 14, got 15"):
        views.views_of(15)


def test_points_of_other_parts_are_shown_nowhere():
    assert views.visible_places(3, spread(2, 4)) == [[], [], [], []]
