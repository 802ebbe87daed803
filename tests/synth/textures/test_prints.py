"""Prints cover a part of their square, and depend on their seed alone."""

import numpy as np
import pytest
import torch

from opendensepose.synth.textures.prints import PRINTS, make_print


@pytest.mark.parametrize("kind", PRINTS)
def test_every_print_is_an_rgba_picture_that_covers_a_part(kind):
    for seed in range(3):
        picture = make_print(np.random.default_rng(seed), kind=kind)
        assert picture.shape == (128, 128, 4) and picture.dtype == torch.float32
        assert 0 <= picture.min() and picture.max() <= 1
        assert 0.002 < picture[..., 3].mean() < 0.999
        assert torch.equal(picture, make_print(np.random.default_rng(seed), kind=kind))


def test_unknown_kinds_are_named():
    with pytest.raises(ValueError, match="print kind must be one of glyph_rows, .*, got 'x'"):
        make_print(np.random.default_rng(0), kind="x")
