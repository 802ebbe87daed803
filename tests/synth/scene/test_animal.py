"""Animals stand on the floor, in proportion, and look towards -y."""

import numpy as np
import pytest

from opendensepose.synth.scene.animal import animal


@pytest.mark.parametrize("seated", [False, True])
def test_an_animal_stands_on_the_floor_and_its_head_is_in_front(seated):
    for seed in range(10):
        parts = animal(np.random.default_rng(seed), seated)
        points = np.concatenate([part.vertices for part in parts])
        height = np.ptp(points[:, 2])
        assert np.isfinite(points).all() and abs(points[:, 2].min()) < 0.15 * height and height < 4
        eyes = np.stack([part.vertices.mean(0) for part in parts if (part.material.colour == 0.03).all()])
        assert eyes.shape == (2, 3) and eyes[:, 1].max() < points[:, 1].mean()
        assert abs(eyes[:, 0].sum()) < 1e-3 * height  # one on each side
