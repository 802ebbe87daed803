"""Families of ordinary poses put the limbs where their names say."""

from functools import partial

import numpy as np
import pytest

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.body import pose_families as families
from opendensepose.synth.body.articulation import Articulation
from opendensepose.synth.body.body import load_body

SEEDS = range(6)


def joints_of(make):
    """Keypoints by name, (number of seeds, 3) metres each, of one pose per seed on the average body."""
    body = load_body()
    poses = [Articulation(body) for _ in SEEDS]
    for seed, pose in enumerate(poses):
        make(pose, np.random.default_rng(seed))
    neutral = np.full((len(poses), len(body.phenotypes)), 0.5, np.float32)
    found = body.pose(neutral, np.stack([pose.matrices() for pose in poses])).keypoints.numpy()
    return {name: found[:, k] for k, name in enumerate(KEYPOINT_NAMES)}


def direction(joints, start, end):
    way = joints[end] - joints[start]
    return way / np.linalg.norm(way, axis=1, keepdims=True)


def test_noise_has_the_given_spread_and_none_leaves_the_vector():
    rng, vector = np.random.default_rng(0), (1.0, -2.0, 0.5)
    assert families.jitter(rng, vector, 0.0).tolist() == list(vector)
    drawn = np.array([families.jitter(rng, vector, 0.3) for _ in range(2000)])
    assert drawn.mean(axis=0) == pytest.approx(vector, abs=0.03) and drawn.std(axis=0) == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("name", families.ARMS)
def test_both_arms_point_as_named(name):
    joints = joints_of(partial(families.set_arms, names=(name, name), spread=0.0))
    upper, fore = (np.array(one) / np.linalg.norm(one) for one in families.ARMS[name])
    for side, mirror in (("left", 1), ("right", -1)):
        for start, end, given in (("shoulder", "elbow", upper), ("elbow", "wrist", fore)):
            way = direction(joints, f"{side}_{start}", f"{side}_{end}") * [mirror, 1, 1]
            assert (way @ given > np.cos(np.radians(30))).all()  # elbows bend by 145 degrees at most


def test_who_stands_has_feet_below_the_knees_below_the_hips():
    for make in (families.standing, families.crossed_arms, families.arms_up):
        joints = joints_of(make)
        for side in ("left", "right"):
            hip, knee, ankle = (joints[f"{side}_{name}"][:, 2] for name in ("hip", "knee", "ankle"))
            assert (hip > knee + 0.3).all() and (knee > ankle + 0.2).all()


def test_crossed_arms_bring_each_wrist_towards_the_other_side():
    joints = joints_of(families.crossed_arms)
    for side, sign in (("left", 1), ("right", -1)):
        across = sign * (joints[f"{side}_wrist"] - joints[f"{side}_elbow"])[:, 0]
        assert (across < -0.1).all()


@pytest.mark.parametrize("make", [families.walking, families.running])
def test_who_walks_or_runs_swings_one_leg_forwards_and_the_arm_of_the_other_side(make):
    joints = joints_of(make)
    legs = [direction(joints, f"{side}_hip", f"{side}_knee")[:, 1] for side in ("left", "right")]
    arms = [direction(joints, f"{side}_shoulder", f"{side}_elbow")[:, 1] for side in ("left", "right")]
    assert np.median(np.abs(legs[0] - legs[1])) > 0.3
    assert (np.sign(legs[0] - legs[1]) == -np.sign(arms[0] - arms[1])).mean() > 0.8  # forwards is -y


def test_who_sits_has_level_thighs_and_who_crouches_low_hips():
    joints = joints_of(families.sitting)
    thighs = np.concatenate([direction(joints, f"{side}_hip", f"{side}_knee") for side in ("left", "right")])
    assert np.median(thighs[:, 1]) < -0.7 and np.median(np.abs(thighs[:, 2])) < 0.5

    def hips_above_ankles(make):
        at = joints_of(make)
        return np.median(at["left_hip"][:, 2] - at["left_ankle"][:, 2])

    assert hips_above_ankles(families.crouching) < 0.75 * hips_above_ankles(families.standing)


def test_who_lies_is_level_and_raised_arms_are_higher_than_hanging_ones():
    assert np.abs(direction(joints_of(families.lying), "left_hip", "left_shoulder")[:, 2]).max() < 0.8
    up, down = (
        joints_of(partial(families.set_arms, names=(name, name)))["left_wrist"][:, 2] for name in ("up", "hanging")
    )
    assert (up > down + 0.8).all()


def test_sports_are_the_most_varied():
    def spread(make):
        return np.mean([direction(joints_of(make), "left_shoulder", "left_elbow").std(axis=0).sum()])

    assert spread(families.sports) > 1.5 * spread(families.crossed_arms)
