"""Backgrounds of every kind, from a pool that depends on its seed alone."""

import numpy as np
import pytest
import torch

from opendensepose.synth.backgrounds import background
from opendensepose.synth.backgrounds.background import BACKGROUND_KINDS, make_background


@pytest.mark.parametrize("kind", BACKGROUND_KINDS)
@pytest.mark.parametrize("size_hw", [(256, 192), (37, 91), (1, 5), (411, 333)])
def test_every_kind_runs_at_odd_sizes(kind, size_hw):
    picture = make_background(np.random.default_rng(1), size_hw, pool_seed=3, kind=kind)
    assert picture.shape == (*size_hw, 3) and picture.dtype == torch.float32
    assert 0 <= picture.min() and picture.max() <= 1
    assert torch.isfinite(picture).all()


def test_a_background_depends_on_rng_and_pool_seed_but_not_on_history():
    size_hw = (64, 48)
    first = make_background(np.random.default_rng(8), size_hw, pool_seed=2)
    for seed in range(20):
        make_background(np.random.default_rng(seed), size_hw, pool_seed=0)
    background.pool_canvas.cache_clear()
    assert torch.equal(first, make_background(np.random.default_rng(8), size_hw, pool_seed=2))
    assert not torch.equal(first, make_background(np.random.default_rng(8), size_hw, pool_seed=4))


def test_a_background_handed_out_can_be_changed_without_changing_the_pool():
    first = make_background(np.random.default_rng(2), (50, 40))
    kept = first.clone()
    first.zero_()
    assert torch.equal(kept, make_background(np.random.default_rng(2), (50, 40)))


def test_studio_is_the_plainest_kind_and_leaves_are_busy():
    def detail(kind):
        pictures = [make_background(np.random.default_rng(s), (128, 96), pool_seed=s, kind=kind) for s in range(4)]
        return np.median([float(p.diff(dim=0).abs().mean()) for p in pictures])

    assert 4 * detail("studio") < detail("leaves")


def test_a_third_of_the_backgrounds_are_studio_walls():
    share = len(background.KIND_SLOTS["studio"]) / background.NUM_SLOTS
    assert 0.25 <= share <= 0.4


def test_unknown_kind_is_named():
    with pytest.raises(ValueError, match="background kind must be one of studio, .*, got 'moonbase'"):
        make_background(np.random.default_rng(0), (20, 20), kind="moonbase")
