"""Props hide people, and nothing else changes the labels."""

from dataclasses import replace

import numpy as np
import pytest

from opendensepose.synth import generate
from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import POSE_FAMILIES, sample_posture
from opendensepose.synth.generate import render_image
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.person import PersonPlan, placed, sample_shape
from opendensepose.synth.scene.props import HELD_KINDS, props_of
from opendensepose.synth.scene.solid import box
from opendensepose.synth.textures.material_table import Material

SIZE = (128, 96)
PLAIN = replace(Ingredients.none(), poses=True, shapes=True, props=True)


def _portrait(enabled, monkeypatch, solids, seed=4):
    """A portrait in which `solids` are the person's props."""
    monkeypatch.setattr(generate, "props_of", lambda *about: solids(*about))
    return render_image(np.random.default_rng(seed), SIZE, framing="portrait", num_people=1, ingredients=enabled)


def test_a_board_before_the_body_takes_exactly_the_labels_behind_it(monkeypatch):
    before = _portrait(PLAIN, monkeypatch, lambda *_: [])

    def board(rng, person, vertices, keypoints, where, alone):  # in front of the left half, towards the camera at -y
        middle = vertices.mean(0)
        return [box(middle + np.array([1.0, -1.2, 0]), (1.0, 0.01, 3.0), Material(np.array([1.0, 0, 0])))]

    after = _portrait(PLAIN, monkeypatch, board)
    red = (after.image_rgb[..., 0] > after.image_rgb[..., 1] + 40) & (after.image_rgb[..., 1] < 30)
    assert red.any() and not after.i[red].any()
    assert np.array_equal(after.i[~red], before.i[~red]) and before.i[red].any()
    x0, _, x1, _ = after.boxes_xyxy[0]
    columns = np.flatnonzero((after.i > 0).any(0))
    assert (x0, x1) == (columns[0], columns[-1] + 1)


def test_a_board_behind_the_body_hides_nothing(monkeypatch):
    before = _portrait(PLAIN, monkeypatch, lambda *_: [])
    behind = [box(np.array([0, 3.0, 1.0]), (3.0, 0.01, 3.0), Material(np.array([1.0, 0, 0])))]
    after = _portrait(PLAIN, monkeypatch, lambda *_: behind)
    assert np.array_equal(after.i, before.i) and not np.array_equal(after.image_rgb, before.image_rgb)


@pytest.mark.parametrize("family", POSE_FAMILIES)
def test_props_of_every_family_are_finite_and_above_the_floor(family):
    body = load_body()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        shape = sample_shape(body, rng, babies=True)
        posture = sample_posture(body, rng, family, holds=True)
        posed = body.pose(shape[None], posture.rotations[None])
        vertices = posed.vertices[0].numpy()
        rotation, shift = placed(vertices, 0.3, np.zeros(2), posture.lift_m)
        keypoints = posed.keypoints[0].numpy() @ rotation.T + shift
        person = PersonPlan(shape, posture, 0.3)
        for solid in props_of(rng, person, vertices @ rotation.T + shift, keypoints, body.coordinates, True):
            assert np.isfinite(solid.vertices).all() and len(solid.triangles) < 500
            assert solid.triangles.max() < len(solid.vertices)


def test_sitting_people_have_a_seat_and_shares_add_up():
    body, rng = load_body(), np.random.default_rng(0)
    posture = sample_posture(body, rng, "sitting")
    posed = body.pose(np.full((1, 11), 0.5, np.float32), posture.rotations[None])
    vertices = posed.vertices[0].numpy()
    _, shift = placed(vertices, 0.0, np.zeros(2))
    solids = props_of(rng, PersonPlan(None, posture, 0.0), vertices + shift,
                      posed.keypoints[0].numpy() + shift, body.coordinates, True)  # fmt: skip
    assert solids
    assert sum(kind.weight for kind in HELD_KINDS.values()) == pytest.approx(1.0)


def test_a_hand_in_a_pocket_is_neither_seen_nor_labelled(monkeypatch):
    from opendensepose.synth.scene import person

    monkeypatch.setattr(person, "sample_family", lambda rng, actions: "pockets")
    for seed in range(4):
        enabled = replace(PLAIN, more_poses=True)
        picture = render_image(np.random.default_rng(seed), SIZE, framing="portrait", num_people=1, ingredients=enabled)
        hands = sorted((picture.i == chart).sum() for chart in (3, 4))
        assert hands[0] < 0.01 * (picture.i > 0).sum()  # of one or both; wrists may stay
