"""Rendered truth is true: labels project onto their pixels, seeds decide pictures, people hide each other."""

from dataclasses import replace

import numpy as np
import pytest

from opendensepose.surface import SurfacePoints, load_charts, load_surface
from opendensepose.synth.generate import OUTSIDE_GREY, render_image, render_images
from opendensepose.synth.ingredients import Ingredients

SIZE = (128, 96)


def _rngs(seed, count=6):
    return np.random.default_rng(seed).spawn(count)


def projection_error_px(picture) -> np.ndarray:
    """Distance in pixels between each labelled pixel's centre and the projection of its posed surface point."""
    surface = load_surface()
    errors = []
    for k in range(len(picture.boxes_xyxy)):
        rows, columns = np.nonzero(picture.person == k + 1)
        if not len(rows):
            continue
        points = SurfacePoints(picture.face[rows, columns], picture.barycentric[rows, columns])
        posed = picture.vertices[k][surface.anny_vertex]
        xy = picture.camera.project(points.xyz(posed, surface.faces))
        errors.append(np.linalg.norm(xy - np.stack([columns, rows], 1) - 0.5, axis=1))
    return np.concatenate(errors) if errors else np.zeros(0)


@pytest.mark.parametrize("framing", ["portrait", "scene"])
def test_the_surface_point_of_a_labelled_pixel_projects_onto_it(framing):
    errors = np.concatenate([projection_error_px(p) for p in render_images(_rngs(3, 12), SIZE, framing=framing)])
    assert len(errors) > 5000
    assert (errors < 0.6).mean() >= 0.999


def test_i_u_v_are_the_code_of_face_and_barycentric():
    charts = load_charts()
    for picture in render_images(_rngs(4), SIZE, framing="portrait"):
        rows, columns = np.nonzero(picture.i)
        face, barycentric = picture.face[rows, columns], picture.barycentric[rows, columns]
        assert (charts.face_chart[face] == picture.i[rows, columns]).all()
        uv = (charts.face_uv[face] * barycentric[..., None]).sum(1)
        assert np.allclose(uv, np.stack([picture.u[rows, columns], picture.v[rows, columns]], 1), atol=1e-5)


def test_background_is_empty_everywhere_in_the_truth():
    for picture in render_images(_rngs(5), SIZE):
        nobody = picture.person == 0
        assert (picture.i[nobody] == 0).all() and (picture.face[nobody] == -1).all()
        assert np.isinf(picture.depth[nobody]).all() and (picture.u[nobody] == 0).all()
        assert ((picture.i > 0) == (picture.person > 0)).all()


def test_boxes_hold_exactly_the_labelled_pixels():
    for picture in render_images(_rngs(6), SIZE, num_people=3):
        for k, (x0, y0, x1, y1) in enumerate(picture.boxes_xyxy.astype(int)):
            rows, columns = np.nonzero(picture.person == k + 1)
            if len(rows):
                assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x0, y0, x1, y1)
            else:
                assert x0 == x1 == 0


def test_equal_seeds_give_equal_pictures_whatever_was_rendered_before():
    first = render_image(np.random.default_rng(11), SIZE, framing="portrait")
    render_images(_rngs(12), SIZE)
    again = render_image(np.random.default_rng(11), SIZE, framing="portrait")
    assert np.array_equal(first.image_rgb, again.image_rgb) and np.array_equal(first.i, again.i)
    assert not np.array_equal(
        first.image_rgb, render_image(np.random.default_rng(13), SIZE, framing="portrait").image_rgb
    )


def test_a_scene_without_people_has_no_labels():
    picture = render_image(np.random.default_rng(2), SIZE, num_people=0)
    assert picture.i.max() == 0 and picture.boxes_xyxy.shape == (0, 4) and picture.keypoints.shape == (0, 17, 3)


def test_a_naked_body_on_grey_is_the_only_thing_that_is_not_grey():
    picture = render_image(np.random.default_rng(2), SIZE, framing="portrait", ingredients=Ingredients.none())
    assert (picture.image_rgb[picture.person == 0] == 128).all()
    assert (picture.image_rgb[picture.person == 1] != 128).any(1).mean() > 0.99


def test_keypoints_lie_near_their_own_labels():
    picture = render_image(np.random.default_rng(2), (256, 192), framing="portrait", ingredients=Ingredients.none())
    at = picture.keypoints[0]
    nose, left_knee, right_knee = (at[k, :2].astype(int) for k in (0, 13, 14))
    assert picture.i[nose[1], nose[0]] in (23, 24)
    assert picture.i[left_knee[1], left_knee[0]] in (10, 14) and picture.i[right_knee[1], right_knee[0]] in (9, 13)
    assert left_knee[0] > right_knee[0]  # facing us, the person's left is on our right


def test_a_photo_s_edge_is_grey_beyond_and_unlabelled():
    seen = 0
    for picture in render_images(_rngs(8, 20), SIZE, framing="portrait"):
        columns = (picture.image_rgb == OUTSIDE_GREY).all((0, 2))
        seen += columns.any()
        assert not picture.i[:, columns].any()
    assert seen


def test_occluders_and_other_people_only_remove_labels_of_the_first_person():
    alone = replace(Ingredients(), occluders=False, other_people=False)
    pictures = render_images(_rngs(9), SIZE, framing="portrait", ingredients=alone)
    assert all(len(picture.boxes_xyxy) == 1 for picture in pictures)


def test_an_unknown_framing_is_refused():
    with pytest.raises(ValueError, match='framing must be "scene" or "portrait", got \'selfie\''):
        render_image(np.random.default_rng(0), SIZE, framing="selfie")
