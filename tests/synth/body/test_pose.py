"""Poses are rotations, families differ, arms point in the given directions."""

import numpy as np
import pytest

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.body.articulation import Articulation
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


def _directions(body, pose):
    joints = body.pose(np.full((1, len(body.phenotypes)), 0.5), pose.matrices()[None]).keypoints[0].numpy()
    at = dict(zip(KEYPOINT_NAMES, joints, strict=True))
    unit = lambda a, b: (at[b] - at[a]) / np.linalg.norm(at[b] - at[a])  # noqa: E731
    return unit


@pytest.mark.parametrize(
    "upper, fore", [((1, 0, 0), (1, 0, 0.2)), ((0.3, -1, 0), (0, -0.3, 1)), ((0.4, 0, -1), (-0.8, -0.6, 0))]
)
def test_an_arm_points_in_the_given_directions_and_the_right_one_is_its_mirror(upper, fore):
    body, pose = load_body(), None
    pose = Articulation(body)
    pose.arm("L", upper, fore)
    pose.arm("R", upper, fore)
    unit = _directions(body, pose)
    mirror = np.array([-1.0, 1, 1])
    for got, want in ((unit("left_shoulder", "left_elbow"), upper), (unit("left_elbow", "left_wrist"), fore)):
        assert got @ (np.array(want) / np.linalg.norm(want)) > np.cos(
            np.radians(20)
        )  # joints move with the shoulder blade
    assert np.allclose(unit("right_shoulder", "right_elbow"), unit("left_shoulder", "left_elbow") * mirror, atol=0.02)
    assert np.allclose(unit("right_elbow", "right_wrist"), unit("left_elbow", "left_wrist") * mirror, atol=0.02)


def test_knees_bend_backwards_and_hips_forwards():
    body = load_body()
    pose = Articulation(body)
    pose.leg("L", flex=90, abduct=0, knee=90)
    unit = _directions(body, pose)
    assert unit("left_hip", "left_knee")[1] < -0.9  # the thigh points forwards (-y)
    assert unit("left_knee", "left_ankle")[2] < -0.9  # the shin down
