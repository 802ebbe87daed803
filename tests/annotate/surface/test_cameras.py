import json

import cv2
import numpy as np
import pytest

from opendensepose.annotate.surface import views
from opendensepose.annotate.surface.cameras import NUM_VIEWS, VIEWS_FILE, load_views, part_faces
from opendensepose.surface import PART_NAMES, load_surface

PARTS = range(1, len(PART_NAMES))
LIMBS = range(6, 14)
LEFT_OF = {2: 3, 5: 4, 6: 7, 8: 9, 11: 10, 13: 12}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_six_views_of_different_names_and_fits_into_them(part):
    six = views.views_of(part)
    assert len(six) == NUM_VIEWS and len({view.name for view in six}) == NUM_VIEWS
    surface = load_surface()
    for number, view in enumerate(six):
        assert (view.part, view.number) == (part, number)
        np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(view.axes) > 0.99  # right, down, away: no mirror image
        xy, _ = view.project(surface.vertices[surface.faces[part_faces(part)]])
        assert xy.min() > 5 and (xy < [view.width - 5, view.height - 5]).all()
        assert np.ptp(xy.reshape(-1, 2), axis=0).max() > (0.6 * view.height if part in LIMBS else 0.85 * view.width)


@pytest.mark.parametrize("part", LIMBS)
def test_a_limb_stands_upright_and_fills_its_picture(part):
    xyz = load_surface().vertices[np.unique(load_surface().faces[part_faces(part)])]
    for view in views.views_of(part):
        xy, _ = view.project(xyz)
        hull = cv2.convexHull(xy.astype(np.float32))
        assert cv2.contourArea(hull) > 0.37 * view.width * view.height  # a fifth when it stood in a square
        low, high = xy.min(0), xy.max(0)
        assert low[1] > 0.08 * view.height and high[1] < 0.92 * view.height  # the joints show above and below
        trunk_first = xy[np.argsort(np.abs(xyz[:, 0]) - 2 * xyz[:, 2])]  # arms reach out and down, legs down
        assert trunk_first[:50, 1].mean() < trunk_first[-50:, 1].mean()
        assert view.sides["bottom"] in ("knee", "foot", "elbow", "hand")


def test_the_sides_are_the_persons_own():
    front, right, left, back = (view.sides for view in views.views_of(1)[:4])
    assert front == {"left": "R", "right": "L"} and back == {"left": "L", "right": "R"}
    assert right == {"left": "back", "right": "front"} and left == {"left": "front", "right": "back"}
    for part, of_front in ((8, {"left": "outer", "right": "inner"}), (9, {"left": "inner", "right": "outer"})):
        assert views.views_of(part)[0].sides == {**of_front, "bottom": "foot"}
    assert not any(view.sides for view in views.views_of(2))


def test_left_parts_have_the_mirrored_views_of_right_parts():
    for right, left in LEFT_OF.items():
        for one, other in zip(views.views_of(right), views.views_of(left), strict=True):
            np.testing.assert_allclose(one.towards * [-1, 1, 1], other.towards, atol=1e-3)
            assert one.name == other.name


def test_the_front_shows_the_front_with_the_left_hand_at_the_pictures_right():
    front = views.views_of(1)[0]
    assert front.name == "front" and front.towards[1] < -0.98
    assert front.axes[0] @ [1, 0, 0] > 0.98 and front.axes[1] @ [0, 0, -1] > 0.98


def test_the_stored_views_are_all_there():
    assert set(json.loads(VIEWS_FILE.read_text())) == set(PART_NAMES[1:])
    assert len(load_views()) == 14
