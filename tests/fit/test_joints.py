"""The space of poses: joints by hand, and our synthetic poses are in it."""

import numpy as np
import pytest
from tests.fit.people import fitter

from opendensepose.fit.joints import JOINTS
from opendensepose.fit.rotations import rotation_matrix
from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import POSE_FAMILIES, sample_posture


def test_the_spine_shares_a_turn_and_a_knee_has_its_own():
    space, bones = fitter().skeleton.space, load_body().bone_index
    pose = np.zeros(space.num_parameters)
    pose[space.columns["spine"]] = 0.5, 0, 0
    pose[space.columns["lowerleg01.L"]] = 0.2, 0, 0
    vectors = space.vectors(pose)
    for bone, wanted in (("spine01", 0.1), ("spine05", 0.1), ("lowerleg01.L", 0.2), ("lowerleg01.R", 0.0)):
        assert vectors[bones[bone]] == pytest.approx([wanted, 0, 0])
    assert np.count_nonzero(np.abs(vectors).sum(1)) == 6
    assert sum(joint.num_parameters for joint in JOINTS) == space.num_parameters


@pytest.mark.parametrize("family", ["standing", "sitting", "crawling", "dancing"])
def test_synthetic_poses_are_in_the_space(family):
    space, rng = fitter().skeleton.space, np.random.default_rng(1)
    matrices = sample_posture(load_body(), rng, family).rotations[:, :3, :3]
    again = rotation_matrix(space.vectors(space.from_matrices(matrices)))
    assert again[1:] == pytest.approx(matrices[1:], abs=1e-6)  # the first is the root's, not a joint's
    assert family in POSE_FAMILIES
