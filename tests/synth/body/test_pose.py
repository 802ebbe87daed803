"""Poses of every family are rotations and depend on their generator alone."""

import numpy as np
import pytest

from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import POSE_FAMILIES, sample_pose


@pytest.mark.parametrize("family", POSE_FAMILIES)
def test_every_family_gives_proper_rotations(family):
    pose = sample_pose(load_body(), np.random.default_rng(1), family)
    rotations = pose[:, :3, :3].astype(np.float64)
    assert np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3), atol=1e-5)
    assert np.allclose(np.linalg.det(rotations), 1, atol=1e-5)


def test_equal_generators_give_equal_poses_and_an_unknown_family_is_refused():
    body = load_body()
    assert np.array_equal(sample_pose(body, np.random.default_rng(5)), sample_pose(body, np.random.default_rng(5)))
    with pytest.raises(ValueError, match="pose family must be one of standing, .*, got 'flying'"):
        sample_pose(body, np.random.default_rng(0), "flying")
