"""Lights are drawn in camera space, and the key light's view holds the people."""

import numpy as np
import pytest
import torch

from opendensepose.camera import look_at
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.scene.lights import light_matrix, sample_lighting

SIZE = 64


@pytest.mark.parametrize("seed", range(4))
def test_the_key_light_s_view_holds_all_points_and_looks_away_from_the_light(seed):
    rng = np.random.default_rng(seed)
    points = np.repeat(rng.uniform(-1, 1, (40, 3)), 4, axis=0).astype(np.float32)
    towards = rng.normal(0, 1, 3)
    matrix = light_matrix(torch.from_numpy(points), towards, SIZE)
    seen = points @ matrix[:3, :3].T + matrix[:3, 3]
    assert seen[:, :2].min() > 1 and seen[:, :2].max() < SIZE - 1
    assert np.ptp(seen[:, :2], axis=0).max() == pytest.approx(SIZE - 4, abs=0.1)
    apart = points @ (towards / np.linalg.norm(towards))  # the nearer the light, the less deep; depths are metres
    assert np.allclose(seen[:, 2] + apart, seen[0, 2] + apart[0], atol=1e-5)


def test_directions_are_units_in_camera_space_and_shadows_can_be_disabled():
    rotation, _ = look_at(np.array([1.0, -4.0, 2.0]), np.zeros(3))
    for seed in range(6):
        lighting, key_world = sample_lighting(np.random.default_rng(seed), rotation, Ingredients())
        assert np.allclose(rotation @ key_world, lighting.key * np.linalg.norm(key_world), atol=1e-6)
        assert np.allclose(np.linalg.norm([lighting.up, lighting.key, lighting.fill], axis=1), 1)
        without = sample_lighting(np.random.default_rng(seed), rotation, Ingredients(shadows=False))[0]
        assert without.shadow_strength == 0 < lighting.shadow_strength
