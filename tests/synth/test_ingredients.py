"""Switches: what is off draws no random numbers, and version 1 is what the renderer had before the newer ones."""

from dataclasses import fields

import numpy as np
import pytest

from opendensepose.synth.body import pose_families
from opendensepose.synth.body.articulation import Articulation
from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import ORDINARY
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.person import sample_shape
from opendensepose.synth.scene.plan import plan_picture


def test_version_1_has_everything_but_what_came_later():
    names = {field.name for field in fields(Ingredients)}
    off = {name for name in names if not getattr(Ingredients.version_1(), name)}
    assert off == set(Ingredients.SINCE_VERSION_1) < names
    assert all(getattr(Ingredients(), name) for name in names)
    assert not any(getattr(Ingredients.none(), name) for name in names)


@pytest.mark.parametrize("seed", range(5))
def test_a_portrait_of_version_1_draws_shape_yaw_and_pose_and_nothing_else(seed):
    body, rng, again = load_body(), np.random.default_rng(seed), np.random.default_rng(seed)
    plan = plan_picture(body, rng, (64, 48), "portrait", 1, Ingredients.version_1())
    person = plan.people[0]
    shape, kind = sample_shape(body, again), again.random()
    if kind < 0.48:
        yaw = again.normal(0, np.radians(25))
    elif kind < 0.70:
        yaw = np.pi + again.normal(0, np.radians(35))
    else:
        yaw = again.uniform(-np.pi, np.pi)
    look = 0.0
    if abs(yaw) > np.radians(35) and again.random() < 0.45:
        look = -np.sign(yaw) * min(np.degrees(abs(yaw)), again.uniform(35, 100))
    shares = np.array([0.46, 0.05, 0.12, 0.05, 0.12, 0.04, 0.02, 0.06, 0.08])
    family = again.choice(9, p=shares / shares.sum())
    pose = Articulation(body)
    list(ORDINARY.values())[family].make(pose, again)
    if look:
        pose.spine(0.0, 0.0, 0.2 * look)
    pose.head(again.normal(3, 12), again.normal(0, 8), again.normal(0, 22 if look == 0 else 8) + 0.8 * look)
    for side in "LR":
        pose.hand(side, again.uniform(-5, 55), again.normal(0, (12, 15, 12)))
    assert np.array_equal(person.shape, shape) and person.yaw == yaw
    assert np.array_equal(person.posture.rotations, pose.matrices())
    assert rng.bit_generator.state == again.bit_generator.state
    assert person.traits is None and not person.posture.grips and not person.posture.pockets
    assert pose_families.standing is ORDINARY["standing"].make
