"""Seats lie under the people who sit on them and not in them."""

import numpy as np
import pytest

from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import sample_posture
from opendensepose.synth.scene.person import placed, sample_shape
from opendensepose.synth.scene.seats import SINK_M, BodyFrame, bicycle, seat, seat_height


def _seated(seed, family="sitting", yaw=0.6):
    """The frame of a random seated body on the floor, and the rng."""
    body, rng = load_body(), np.random.default_rng(seed)
    posture = sample_posture(body, rng, family)
    posed = body.pose(sample_shape(body, rng)[None], posture.rotations[None])
    vertices = posed.vertices[0].numpy()
    rotation, shift = placed(vertices, yaw, np.array([0.3, 1.0]), posture.lift_m)
    keypoints = posed.keypoints[0].numpy() @ rotation.T + shift
    return BodyFrame.of(vertices @ rotation.T + shift, keypoints), rng


@pytest.mark.parametrize("seed", range(10))
def test_a_seat_touches_the_buttocks_below_the_hips(seed):
    frame, rng = _seated(seed)
    where = load_body().coordinates
    top = seat_height(frame, where)
    assert 0 < top < frame.hips[2]
    slab = seat(rng, frame, where)[0]
    assert slab.vertices[:, 2].max() == pytest.approx(top, abs=1e-5)
    assert slab.vertices[:, 2].min() >= -1e-5


@pytest.mark.parametrize("seed", range(10))
def test_no_thigh_or_buttock_sinks_deep_into_the_seat(seed):
    frame, rng = _seated(seed)
    where = load_body().coordinates
    slab = seat(rng, frame, where)[0]
    corners = (slab.vertices - frame.hips) @ frame.axes.T
    low, high = corners[:, :2].min(0), corners[:, :2].max(0)
    lap = where.is_in("torso") | (where.is_in("leg") & (where.along < 0.9))
    points = frame.local[lap]
    above = ((points[:, :2] > low) & (points[:, :2] < high)).all(1)
    depth = slab.vertices[:, 2].max() - points[above, 2]
    assert above.any() and depth.max() < SINK_M + 0.016


@pytest.mark.parametrize("seed", range(6))
def test_a_bicycle_stands_on_the_floor_and_carries_its_rider(seed):
    frame, rng = _seated(seed, "riding")
    parts = bicycle(rng, frame, load_body().coordinates)
    points = np.concatenate([part.vertices for part in parts])
    assert abs(points[:, 2].min()) < 0.03
    saddle = parts[0].vertices
    assert saddle[:, 2].max() < frame.hips[2] and np.linalg.norm(saddle.mean(0)[:2] - frame.hips[:2]) < 0.15


def test_the_axes_of_a_body_turn_with_it():
    for yaw in (0.0, 1.2, -2.5):
        frame, _ = _seated(0, "standing", yaw)
        assert np.allclose(frame.axes @ frame.axes.T, np.eye(3), atol=1e-6)
        nose = (frame.joints["nose"] - frame.hips) @ frame.axes[1]
        assert nose < 0  # faces forwards
