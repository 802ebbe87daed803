"""Which way people face, by hand."""

import numpy as np
import pytest

from opendensepose.camera import Camera, look_at
from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.truth import facing_yaws


def upright(degrees):
    """Shoulders and hips of a person at the origin who faces -y, turned by degrees about z, counter-clockwise from
    above."""
    keypoints = np.zeros((17, 3))
    for name, point in {"left_shoulder": (0.2, 0, 1.4), "right_shoulder": (-0.2, 0, 1.4), "left_hip": (0.1, 0, 0.9),
                        "right_hip": (-0.1, 0, 0.9)}.items():  # fmt: skip
        keypoints[KEYPOINT_NAMES.index(name)] = point
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return keypoints @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


@pytest.mark.parametrize(("turned", "yaw"), [(0, 0), (90, 90), (-60, -60), (150, 150)])
def test_yaw_by_hand(turned, yaw):
    """The camera looks along +y, its right is +x; turned by 90 degrees, a person faces +x, the image's right."""
    rotation, translation = look_at(np.array([0, -4.0, 1.2]), np.array([0, 0, 1.2]))
    camera = Camera(rotation, translation, 500.0, (100.0, 100.0), (200, 200))
    np.testing.assert_allclose(np.degrees(facing_yaws(upright(turned)[None], camera)), [yaw], atol=1e-3)


def test_nobody_has_no_yaw():
    rotation, translation = look_at(np.array([0, -4.0, 1.2]), np.array([0, 0, 1.2]))
    assert facing_yaws(np.zeros((0, 17, 3)), Camera(rotation, translation, 1.0, (0.0, 0.0), (1, 1))).shape == (0,)
