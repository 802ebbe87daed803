"""Things like people are drawn, hide people, and are never labelled."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from opendensepose.synth.generate import render_image, render_images
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.hard_negatives import NEGATIVE_KINDS, hard_negative

SIZE = (96, 128)


@pytest.mark.parametrize("kind", NEGATIVE_KINDS)
def test_every_kind_is_a_mesh_on_the_floor_at_its_spot(kind):
    for seed in range(3):
        mesh = hard_negative(np.random.default_rng(seed), np.array([2.0, 5.0]), pool_seed=1, kind=kind)
        points = mesh.vertices.numpy()
        assert np.isfinite(points).all() and points[:, 2].min() > -0.1 and points[:, 2].max() < 2.3
        assert np.abs(points[:, :2].mean(0) - [2.0, 5.0]).max() < 1.0
        assert int(mesh.triangles.min()) >= 0 and int(mesh.triangles.max()) < len(points)
        assert int(mesh.material.max()) < len(mesh.table.rows) and len(mesh.material) == len(mesh.triangles)
        assert mesh.cloth.shape == mesh.facing.shape == mesh.paint.shape == mesh.vertices.shape


def test_a_thing_depends_on_rng_and_pool_seed_and_not_on_history():
    first = hard_negative(np.random.default_rng(3), np.zeros(2), pool_seed=2, kind="hanging")
    for seed in range(6):
        hard_negative(np.random.default_rng(seed), np.zeros(2), pool_seed=0)
    again = hard_negative(np.random.default_rng(3), np.zeros(2), pool_seed=2, kind="hanging")
    assert torch.equal(first.vertices, again.vertices) and (first.table.rows == again.table.rows).all()


def test_mannequins_show_no_skin_and_clothes_no_body():
    for kind in ("mannequin", "hanging"):
        mesh = hard_negative(np.random.default_rng(0), np.zeros(2), kind=kind)
        assert not mesh.table.rows["is_skin"][mesh.material.numpy()].any()


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="kind of hard negative must be one of hanging, .*, got 'ghost'"):
        hard_negative(np.random.default_rng(0), np.zeros(2), kind="ghost")


def test_pictures_without_people_have_things_but_no_boxes_or_labels():
    with_things = replace(Ingredients(), sensor=False)
    rngs = lambda: np.random.default_rng(5).spawn(8)  # noqa: E731
    pictures = render_images(rngs(), SIZE, num_people=0, ingredients=with_things)
    bare = render_images(rngs(), SIZE, num_people=0, ingredients=replace(with_things, hard_negatives=False))
    for picture in pictures:
        assert picture.i.max() == 0 and picture.boxes_xyxy.shape == (0, 4) and np.isinf(picture.depth).all()
    assert sum(not np.array_equal(a.image_rgb, b.image_rgb) for a, b in zip(pictures, bare, strict=True)) >= 3


def test_a_mannequin_in_front_of_a_person_takes_the_labels_it_hides(monkeypatch):
    from opendensepose.synth import generate
    from opendensepose.synth.scene import plan

    def render(enabled):
        return render_image(np.random.default_rng(1), SIZE, framing="portrait", num_people=1, ingredients=enabled)

    free = render(Ingredients.none())
    monkeypatch.setattr(plan, "_beside", lambda rng, enabled, share: np.array([[0.0, -0.5]]))  # towards the camera
    mannequin = lambda rng, spot, pool, device: hard_negative(rng, spot, pool, device, kind="mannequin")  # noqa: E731
    monkeypatch.setattr(generate, "hard_negative", mannequin)
    hidden = render(replace(Ingredients.none(), hard_negatives=True))
    assert 0 < (hidden.i > 0).sum() < 0.9 * (free.i > 0).sum()
    assert not (hidden.i[free.i == 0] > 0).any()


def test_what_has_no_head_is_left_out_where_the_photo_ends_above_it(monkeypatch):
    from opendensepose.synth import generate
    from opendensepose.synth.scene import plan

    enabled = replace(Ingredients.none(), hard_negatives=True)
    free = render_image(
        np.random.default_rng(1), SIZE, framing="portrait", num_people=1, ingredients=Ingredients.none()
    )
    monkeypatch.setattr(plan, "_beside", lambda rng, enabled, share: np.array([[0.3, -3.2]]))  # close to the camera
    mannequin = lambda rng, spot, pool, device: hard_negative(rng, spot, pool, device, kind="mannequin")  # noqa: E731
    monkeypatch.setattr(generate, "hard_negative", mannequin)
    cut = render_image(np.random.default_rng(1), SIZE, framing="portrait", num_people=1, ingredients=enabled)
    assert np.array_equal(cut.image_rgb, free.image_rgb)
