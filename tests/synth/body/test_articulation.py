"""Limbs point in the given directions; hands get where they reach for, as far as arms are long."""

import numpy as np
import pytest

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.body.articulation import Articulation
from opendensepose.synth.body.body import load_body


def _joints(pose):
    body = load_body()
    posed = body.pose(np.full((1, len(body.phenotypes)), 0.5, np.float32), pose.matrices()[None])
    return dict(zip(KEYPOINT_NAMES, posed.keypoints[0].numpy(), strict=True))


@pytest.mark.parametrize("target", [(0.16, -0.05, 0.02), (0.02, -0.2, 0.1), (0.1, -0.3, 0.3), (0.3, -0.2, 0.2)])
def test_both_wrists_reach_a_place_of_the_neutral_body(target):
    pose = Articulation(load_body())
    for side in "LR":
        pose.reach(side, target, (1.0, 0.6, -0.3))
    joints = _joints(pose)
    for name, mirror in (("left", 1), ("right", -1)):
        assert np.linalg.norm(joints[f"{name}_wrist"] * [mirror, 1, 1] - target) < 0.045  # shoulders move along


def test_a_place_too_far_away_is_reached_for_with_a_straight_arm():
    pose = Articulation(load_body())
    pose.reach("L", (3.0, -0.01, 0.45), (0, 0, -1.0))
    joints = _joints(pose)
    upper, fore = joints["left_elbow"] - joints["left_shoulder"], joints["left_wrist"] - joints["left_elbow"]
    assert upper @ fore > 0.95 * np.linalg.norm(upper) * np.linalg.norm(fore)
    assert upper[0] > 0.9 * np.linalg.norm(upper)


def test_an_elbow_points_in_the_given_direction():
    pose = Articulation(load_body())
    pose.reach("L", (0.15, -0.25, 0.3), (1.0, 0.0, 0.0))
    joints = _joints(pose)
    assert joints["left_elbow"][0] > max(joints["left_shoulder"][0], joints["left_wrist"][0]) + 0.05


def _directions(pose):
    joints = _joints(pose)
    return lambda a, b: (joints[b] - joints[a]) / np.linalg.norm(joints[b] - joints[a])


@pytest.mark.parametrize(
    "upper, fore", [((1, 0, 0), (1, 0, 0.2)), ((0.3, -1, 0), (0, -0.3, 1)), ((0.4, 0, -1), (-0.8, -0.6, 0))]
)
def test_an_arm_points_in_the_given_directions_and_the_right_one_is_its_mirror(upper, fore):
    pose = Articulation(load_body())
    pose.arm("L", upper, fore)
    pose.arm("R", upper, fore)
    unit = _directions(pose)
    mirror = np.array([-1.0, 1, 1])
    for got, want in ((unit("left_shoulder", "left_elbow"), upper), (unit("left_elbow", "left_wrist"), fore)):
        assert got @ (np.array(want) / np.linalg.norm(want)) > np.cos(
            np.radians(20)
        )  # joints move with the shoulder blade
    assert np.allclose(unit("right_shoulder", "right_elbow"), unit("left_shoulder", "left_elbow") * mirror, atol=0.02)
    assert np.allclose(unit("right_elbow", "right_wrist"), unit("left_elbow", "left_wrist") * mirror, atol=0.02)


def test_knees_bend_backwards_and_hips_forwards():
    pose = Articulation(load_body())
    pose.leg("L", flex=90, abduct=0, knee=90)
    unit = _directions(pose)
    assert unit("left_hip", "left_knee")[1] < -0.9  # the thigh points forwards (-y)
    assert unit("left_knee", "left_ankle")[2] < -0.9  # the shin down
