"""The pinhole camera by hand and by identities."""

import numpy as np
import pytest

from opendensepose.camera import Camera, look_at


def _camera():
    rotation, translation = look_at(np.array([0.0, -4.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    return Camera(rotation, translation, 100.0, (32.0, 24.0), (48, 64))


def test_the_target_is_seen_in_the_centre_and_axes_point_right_and_down():
    camera = _camera()
    assert np.allclose(camera.project(np.array([0.0, 0.0, 1.0])), [32, 24], atol=1e-5)
    assert np.allclose(camera.project(np.array([0.4, 0.0, 1.0])), [42, 24], atol=1e-5)  # world x to the right
    assert np.allclose(camera.project(np.array([0.0, 0.0, 1.4])), [32, 14], atol=1e-5)  # up is a smaller row
    assert np.allclose(camera.position, [0, -4, 1], atol=1e-6)


def test_points_behind_the_camera_are_nan():
    assert np.isnan(_camera().project(np.array([0.0, -5.0, 1.0]))).all()


def test_cropping_moves_and_scales_pixels():
    camera, point = _camera(), np.array([0.3, 0.2, 1.2])
    cropped = camera.cropped((16, 12, 48, 36), (96, 128))
    assert np.allclose(cropped.project(point), (camera.project(point) - [16, 12]) * 4, atol=1e-4)


def test_bad_cameras_are_refused():
    with pytest.raises(ValueError, match="rotation"):
        Camera(np.eye(4), np.zeros(3), 1.0, (0, 0), (1, 1))
    with pytest.raises(ValueError, match="focal"):
        Camera(np.eye(3), np.zeros(3), 0.0, (0, 0), (1, 1))
    with pytest.raises(ValueError, match="different points"):
        look_at(np.zeros(3), np.zeros(3))
