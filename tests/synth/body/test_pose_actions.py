"""Families of poses put the parts of the body where their names say."""

import numpy as np
import pytest
import torch

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import POSE_FAMILIES, sample_family, sample_posture
from opendensepose.synth.body.pose_actions import ACTIONS
from opendensepose.synth.scene.person import placed

NEUTRAL = np.full((1, 11), 0.5, np.float32)


def _standing_on_the_floor(family, seed):
    """Vertices and joints by name in the world, and the posture."""
    body = load_body()
    posture = sample_posture(body, np.random.default_rng(seed), family)
    posed = body.pose(NEUTRAL, posture.rotations[None])
    vertices = posed.vertices[0].numpy()
    rotation, shift = placed(vertices, 0.0, np.zeros(2), posture.lift_m)
    joints = posed.keypoints[0].numpy() @ rotation.T + shift
    return vertices @ rotation.T + shift, dict(zip(KEYPOINT_NAMES, joints, strict=True)), posture


@pytest.mark.parametrize("seed", range(6))
def test_people_on_the_floor_sit_on_it(seed):
    _, joints, _ = _standing_on_the_floor("on_the_floor", seed)
    assert joints["left_hip"][2] < 0.25


@pytest.mark.parametrize("seed", range(6))
def test_who_kneels_has_a_knee_and_its_shin_on_the_floor(seed):
    _, joints, _ = _standing_on_the_floor("kneeling", seed)
    knees = [joints[f"{side}_knee"][2] for side in ("left", "right")]
    lower = ("left", "right")[int(np.argmin(knees))]
    assert min(knees) < 0.18 and joints[f"{lower}_ankle"][2] < 0.25


@pytest.mark.parametrize("seed", range(6))
def test_who_jumps_is_off_the_floor_and_everybody_else_on_it(seed):
    vertices, _, posture = _standing_on_the_floor("jumping", seed)
    assert vertices[:, 2].min() == pytest.approx(posture.lift_m, abs=1e-4) and posture.lift_m >= 0.05
    vertices, _, _ = _standing_on_the_floor("bent_double", seed)
    assert vertices[:, 2].min() == pytest.approx(0.0, abs=1e-4)


def test_bent_double_brings_the_head_towards_the_hips_height():
    heights = []
    for seed in range(8):
        _, joints, _ = _standing_on_the_floor("bent_double", seed)
        heights.append(joints["nose"][2] - joints["left_hip"][2])
    assert np.median(heights) < 0.35  # standing: 0.65


def test_crawling_brings_hands_and_knees_to_the_floor():
    for seed in range(4):
        _, joints, _ = _standing_on_the_floor("crawling", seed)
        assert min(joints["left_wrist"][2], joints["right_wrist"][2]) < 0.25
        assert min(joints["left_knee"][2], joints["right_knee"][2]) < 0.22
        assert joints["left_hip"][2] < 0.7


def test_hands_in_pockets_are_at_the_hips():
    for seed in range(4):
        _, joints, posture = _standing_on_the_floor("pockets", seed)
        for side in posture.pockets:
            name = "left" if side == "L" else "right"
            assert np.linalg.norm(joints[f"{name}_wrist"] - joints[f"{name}_hip"]) < 0.2


def test_ordinary_people_stay_the_most_and_some_families_are_only_for_pairs():
    rng = np.random.default_rng(0)
    drawn = [sample_family(rng, actions=True) for _ in range(600)]
    new = np.mean([family in ACTIONS for family in drawn])
    assert 0.15 < new < 0.4
    assert set(drawn) <= set(POSE_FAMILIES) - {"hugging", "arm_around_left", "arm_around_right"}


def test_a_hand_s_triangles_lie_at_its_wrist():
    body = load_body()
    for side, name in (("L", "left_wrist"), ("R", "right_wrist")):
        corners = body.triangles[body.hand_triangles(side)].long()
        points = torch.from_numpy(body.coordinates.rest)[corners].numpy().reshape(-1, 3)
        assert np.linalg.norm(points - body.neutral_keypoints[name], axis=1).max() < 0.3
        assert len(points) > 1000
