"""Fabrics and hair tile, and depend on their seeds alone."""

import numpy as np
import pytest
import torch
from tests.synth.textures.tiling import edge_jump

from opendensepose.synth.textures import fabrics as texture
from opendensepose.synth.textures.fabrics import make_hair_texture, make_texture


def test_a_texture_depends_on_rng_and_pool_seed_but_not_on_history():
    first = make_texture(np.random.default_rng(4), pool_seed=9)
    for seed in range(30):
        make_texture(np.random.default_rng(seed), pool_seed=seed)
    assert torch.equal(first, make_texture(np.random.default_rng(4), pool_seed=9))
    texture.pool_fabric.cache_clear()
    assert torch.equal(first, make_texture(np.random.default_rng(4), pool_seed=9))
    assert not torch.equal(first, make_texture(np.random.default_rng(4), pool_seed=10))


def test_a_texture_handed_out_can_be_changed_without_changing_the_pool():
    first = make_texture(np.random.default_rng(2))
    kept = first.clone()
    first.zero_()
    assert torch.equal(kept, make_texture(np.random.default_rng(2)))


def test_unknown_kinds_are_named():
    with pytest.raises(ValueError, match="fabric kind must be one of plain, .*, got 'silk'"):
        make_texture(np.random.default_rng(0), kind="silk")


def test_hair_runs_along_the_first_axis_and_tiles():
    for seed in range(5):
        hair = make_hair_texture(np.random.default_rng(seed))
        assert hair.shape == (128, 128, 3) and 0 <= hair.min() and hair.max() <= 1
        assert hair.diff(dim=1).abs().mean() > 1.5 * hair.diff(dim=0).abs().mean()
        for axis in (0, 1):
            over, inside = edge_jump(hair, axis)
            assert over <= 1.3 * inside
