"""Irradiance by harmonics: by hand for simple environments, against the integral for others, and under rotation."""

import numpy as np
import pytest

from opendensepose.synth.drawing.spherical_harmonics import (
    Irradiance,
    basis,
    cosine_convolved,
    directions,
    project,
    solid_angles,
)

SIZE = (64, 128)
AXES = np.concatenate([np.eye(3), -np.eye(3)])


def irradiance_of(radiance: np.ndarray) -> Irradiance:
    return Irradiance.from_coefficients(cosine_convolved(project(radiance)))


def about_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def test_pixels_cover_the_sphere_once():
    assert solid_angles(SIZE).sum() * SIZE[1] == pytest.approx(4 * np.pi)


def test_a_panorama_is_seen_from_inside():
    towards = directions((4, 4))
    assert np.allclose(np.linalg.norm(towards, axis=-1), 1)
    assert (towards[0, :, 2] > 0).all() and (towards[3, :, 2] < 0).all()  # the zenith is above
    ahead_left, ahead_right = towards[1, 1], towards[1, 2]
    assert ahead_left[1] > 0 and ahead_right[1] > 0  # the middle lies towards +y
    assert ahead_left[0] < 0 < ahead_right[0]  # and what is right of it towards +x


def test_the_basis_is_orthonormal():
    values = basis(directions(SIZE)).reshape(-1, 9)
    weights = np.broadcast_to(solid_angles(SIZE), SIZE).reshape(-1, 1)
    assert np.allclose(values.T @ (values * weights), np.eye(9), atol=2e-3)


def test_a_constant_environment_gives_pi_times_its_radiance():
    radiance = np.ones((*SIZE, 3)) * [1.0, 2.0, 0.5]
    assert np.allclose(irradiance_of(radiance).at(AXES), np.pi * np.array([1.0, 2.0, 0.5]), rtol=1e-3)


def test_light_in_proportion_to_a_direction_by_hand():
    """Radiance 1 + z: its irradiance is pi + 2 pi / 3 n_z, since the cosine's first coefficient is 2 pi / 3."""
    radiance = np.repeat(1 + directions(SIZE)[..., 2:], 3, -1)
    assert np.allclose(irradiance_of(radiance).at(AXES)[:, 0], np.pi + 2 * np.pi / 3 * AXES[:, 2], rtol=2e-3)


def test_the_integral_over_the_hemisphere_by_another_route():
    towards = directions(SIZE)
    radiance = np.stack(
        [(towards @ [0.6, 0.0, 0.8]).clip(0), 1 + towards[..., 0] * towards[..., 1], towards[..., 1] ** 2], -1
    )
    for normal in (*AXES, np.array([0.48, 0.6, 0.64])):
        cosine = (towards @ normal).clip(0)[..., None] * solid_angles(SIZE)[..., None]
        assert np.allclose(irradiance_of(radiance).at(normal), (radiance * cosine).sum((0, 1)), atol=0.08)


def test_a_panorama_shifted_sideways_is_one_rotated_about_the_vertical():
    radiance = np.random.default_rng(0).random((*SIZE, 3)) ** 4
    shifted = np.roll(radiance, 16, 1)  # an eighth of a turn to the right, clockwise seen from above
    one, other = irradiance_of(radiance).rotated(about_z(-np.pi / 4)), irradiance_of(shifted)
    assert np.allclose(one.linear, other.linear, atol=1e-9)
    assert np.allclose(one.quadratic, other.quadratic, atol=1e-9)


def test_rotating_the_light_and_the_surface_changes_nothing():
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    light = irradiance_of(rng.random((*SIZE, 3)))
    assert np.allclose(light.rotated(rotation).at(AXES @ rotation.T), light.at(AXES))


def test_scaling():
    light = irradiance_of(np.random.default_rng(2).random((*SIZE, 3)))
    assert np.allclose(light.scaled([1, 2, 3]).at(AXES), light.at(AXES) * [1, 2, 3])
