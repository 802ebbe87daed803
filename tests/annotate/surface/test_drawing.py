import numpy as np
from tests.annotate.surface.surface_points import xyz

from opendensepose.annotate.surface import views
from opendensepose.annotate.surface.drawing import draw_view


def test_a_picture_shows_the_part_in_skin_and_paper_in_the_corner():
    view = views.views_of(8)[0]
    picture = draw_view(view).astype(int)
    assert picture.shape == (view.height, view.width, 3)
    x, y = view.project(xyz(views.point_at(8, 0, *view.project(view.centre)[0])))[0][0].astype(int)
    piece = picture[y - 6 : y + 6, x - 6 : x + 6].reshape(-1, 3).mean(0)
    assert piece[0] > piece[2] + 20  # warm
    assert np.ptp(picture[3, 3]) < 8
