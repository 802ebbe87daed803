"""Every pattern is a picture that tiles."""

import numpy as np
import pytest
import torch
from tests.synth.textures.tiling import edge_jump

from opendensepose.synth.textures.patterns import FABRICS, TEXTURE_SIZE, fabric_colour


@pytest.mark.parametrize("kind", FABRICS)
def test_every_fabric_has_shape_and_range_and_tiles(kind):
    for seed in range(3):
        fabric = torch.from_numpy(FABRICS[kind].make(np.random.default_rng(seed)).astype(np.float32)).clamp(0, 1)
        assert fabric.shape == (TEXTURE_SIZE, TEXTURE_SIZE, 3) and torch.isfinite(fabric).all()
        for axis in (0, 1):
            over, inside = edge_jump(fabric, axis)
            assert over <= 1.3 * inside + 0.01, (kind, seed, axis)


def test_colours_are_colours():
    colours = np.stack([fabric_colour(np.random.default_rng(seed)) for seed in range(200)])
    assert colours.shape == (200, 3) and colours.min() >= 0 and colours.max() <= 1
