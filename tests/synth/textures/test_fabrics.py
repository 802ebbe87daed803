"""Fabrics and hair tile, and depend on their seeds alone."""

import numpy as np
import pytest
import torch

from opendensepose.synth.textures import fabrics as texture
from opendensepose.synth.textures.fabrics import FABRIC_KINDS, make_hair_texture, make_texture


def edge_jump(image: torch.Tensor, axis: int) -> tuple[float, float]:
    """Mean absolute step over the edge along `axis`, and the largest mean step inside."""
    steps = (image.roll(-1, axis) - image).abs().mean((1 - axis, 2))
    return float(steps[-1]), float(steps[:-1].max())


@pytest.mark.parametrize("kind", FABRIC_KINDS)
def test_every_fabric_has_shape_and_range_and_tiles(kind):
    for seed in range(3):
        # the pool's own picture: make_texture rolls it, which hides a seam at the edge but not the seam itself
        slot = texture.FABRIC_SLOTS[kind][0]
        fabric = texture.pool_fabric(seed, slot, "cpu")
        assert fabric.shape == (256, 256, 3) and fabric.dtype == torch.float32
        assert 0 <= fabric.min() and fabric.max() <= 1
        for axis in (0, 1):
            over, inside = edge_jump(fabric, axis)
            assert over <= 1.3 * inside + 0.01, (kind, seed, axis)


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
