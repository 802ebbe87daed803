"""Who is upright, by hand from joints."""

import numpy as np
import pytest

from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import sample_pose
from opendensepose.synth.wardrobe.garment_mesh import person_of

TRAITS = {"gender": 1.0, "age": 0.6, "african": 0.5, "asian": 0.5, "caucasian": 1.0}


def _joints(pose=None) -> np.ndarray:
    body = load_body()
    pose = body.rest_pose(1)[0] if pose is None else pose
    return body.pose(np.full((1, len(body.phenotypes)), 0.5, np.float32), pose[None]).keypoints[0].numpy()


def test_shares_of_origin_add_up():
    assert person_of(TRAITS, _joints()).origin == pytest.approx((0.25, 0.25, 0.5))
    assert sum(person_of(TRAITS | {"african": 0, "asian": 0, "caucasian": 0}, _joints()).origin) == pytest.approx(1)


def test_people_at_rest_are_upright_and_seated_or_lying_ones_are_not():
    assert person_of(TRAITS, _joints()).upright
    seated = sample_pose(load_body(), np.random.default_rng(0), "sitting")
    assert not person_of(TRAITS, _joints(seated)).upright
    assert not person_of(TRAITS, _joints() @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])).upright
