"""The body's coordinates: sides, limbs and regions are where anatomy says."""

import numpy as np

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.body.body import load_body


def test_left_is_positive_x_and_the_person_faces_minus_y():
    at = load_body().neutral_keypoints
    assert at["left_shoulder"][0] > 0.1 > -0.1 > at["right_shoulder"][0]
    assert at["nose"][1] < at["left_ear"][1]
    assert at["nose"][2] > at["left_hip"][2] > at["left_knee"][2] > at["left_ankle"][2]


def test_position_along_a_limb_is_1_at_the_middle_joint():
    body = load_body()
    where = body.coordinates
    for region, joint in (("arm", "left_elbow"), ("leg", "right_knee")):
        sign = 1 if joint.startswith("left") else -1
        here = np.flatnonzero(where.is_in(region) & (where.side == sign))
        nearest = here[np.argsort(np.linalg.norm(where.rest[here] - body.neutral_keypoints[joint], axis=1))[:20]]
        assert np.abs(where.along[nearest] - 1).max() < 0.25


def test_regions_mirror():
    where = load_body().coordinates
    for name in ("arm", "hand", "leg", "foot"):
        x = where.rest[where.is_in(name), 0]
        left, right = (x > 1e-4).sum(), (x < -1e-4).sum()
        assert abs(left - right) <= 0.03 * max(left, right)  # bone weights are not exactly symmetric


def test_posing_a_batch_equals_posing_one_by_one():
    body, rng = load_body(), np.random.default_rng(0)
    shapes = rng.random((3, len(body.phenotypes))).astype(np.float32)
    poses = body.rest_pose(3)
    together = body.pose(shapes, poses)
    assert together.keypoints.shape == (3, len(KEYPOINT_NAMES), 3)
    for k in range(3):
        alone = body.pose(shapes[k : k + 1], poses[k : k + 1])
        assert np.allclose(alone.vertices[0], together.vertices[k], atol=1e-5)
