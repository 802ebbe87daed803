"""A panorama's light, split in two without loss."""

import numpy as np
import pytest

from opendensepose.synth.drawing.environment_light import dominant_light, find_sun, split_key_light
from opendensepose.synth.drawing.spherical_harmonics import basis, directions, project, solid_angles

SIZE = (128, 256)


def sky_with_sun(strength: float, row: int = 30, column: int = 200) -> np.ndarray:
    radiance = np.ones((*SIZE, 3)) * [0.5, 0.6, 0.9]
    radiance[row : row + 2, column : column + 2] += strength * np.array([1.0, 0.9, 0.7])
    return radiance


def test_a_sun_is_found_where_it_is_with_its_whole_energy():
    radiance = sky_with_sun(2000.0)
    sun, rest = find_sun(radiance)
    assert np.degrees(np.arccos(sun.direction @ directions(SIZE)[30:32, 200:202].mean((0, 1)))) < 1
    energy = solid_angles(SIZE)[30:32].sum() * 2 * 2000.0
    assert np.allclose(sun.irradiance, energy * np.array([1.0, 0.9, 0.7]), rtol=1e-3)
    assert np.allclose(rest, [0.5, 0.6, 0.9])
    assert 0 < sun.radius < np.radians(2)


def test_energy_is_conserved():
    rng = np.random.default_rng(0)
    radiance = sky_with_sun(1500.0) * rng.uniform(0.5, 1.5, (*SIZE, 1))
    sun, rest = find_sun(radiance)
    angle = solid_angles(SIZE)[..., None]
    assert np.allclose((radiance * angle).sum((0, 1)), (rest * angle).sum((0, 1)) + sun.irradiance)
    assert (rest >= 0).all()


def test_a_faint_spot_or_a_large_light_is_no_sun():
    assert find_sun(sky_with_sun(5.0)) is None
    assert find_sun(np.ones((*SIZE, 3))) is None
    window = np.full((*SIZE, 3), 0.1)
    window[30:70, 60:120] = 20.0
    assert find_sun(window) is None


def test_the_dominant_light_and_the_rest_are_the_whole():
    towards = directions(SIZE)
    radiance = np.repeat(1 + (towards @ [0.6, 0.0, 0.8])[..., None], 3, -1)
    whole = project(radiance)
    key, rest = dominant_light(whole)
    assert np.allclose(key.direction, [0.6, 0.0, 0.8], atol=1e-3)
    assert (key.irradiance > 0).all()
    assert np.allclose(rest + basis(key.direction)[:, None] * key.irradiance, whole)
    assert (rest[0] > 0).all()


def test_light_from_everywhere_has_no_key_light():
    key, rest = split_key_light(np.ones((*SIZE, 3)))
    assert np.linalg.norm(key.direction) == pytest.approx(1)
    assert key.irradiance.max() < 1e-3
    assert np.allclose(rest, project(np.ones((*SIZE, 3))), atol=1e-3)


def test_the_split_takes_the_sun_where_there_is_one():
    key, rest = split_key_light(sky_with_sun(2000.0))
    assert key.radius < np.radians(2)
    assert np.allclose(rest, project(np.ones((*SIZE, 3)) * [0.5, 0.6, 0.9]), atol=1e-6)
