import numpy as np
import pytest
from tests.annotate.surface.surface_points import spread, xyz

from opendensepose.annotate.surface import service
from opendensepose.annotate.surface.service import SurfaceService


def test_charts_and_back_is_the_same_point():
    surface, points = SurfaceService(), spread(7, 30)
    again = surface.to_points(*surface.to_iuv(points))
    assert np.linalg.norm(xyz(again) - xyz(points), axis=1).max() < 1e-4


def test_warming_up_draws_nothing_itself(monkeypatch):
    made = []
    monkeypatch.setattr(service.PictureCache, "prepare", lambda self: made.append(1))
    SurfaceService().warm_up()
    assert made == [1]


def test_a_click_is_visible_where_it_was_made():
    surface = SurfaceService()
    view = surface.views_of(14)[0]
    point = surface.point_at(14, 0, view.width / 2, view.height / 2)
    (places,) = surface.visible_places(14, point)
    place = next(place for place in places if place.view == 0)
    assert (place.x, place.y) == pytest.approx((view.width / 2, view.height / 2))
