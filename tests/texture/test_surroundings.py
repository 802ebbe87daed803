"""What prevails around: the many, not the few that happen to lie at the border; near ones before far ones."""

import numpy as np
import pytest

from opendensepose.surface import load_surface
from opendensepose.texture.surroundings import prevailing_colours

ORANGE, WHITE, BLUE = np.float64([[230, 110, 40], [240, 240, 240], [30, 40, 160]])
HIP_M = -0.1  # below the navel: the legs begin


@pytest.fixture(scope="module")
def xyz():
    return load_surface().vertices


def test_a_strap_at_the_border_does_not_colour_the_legs(xyz):
    trunk = (xyz[:, 2] > HIP_M) & (np.abs(xyz[:, 0]) < 0.2)
    strap = trunk & (np.abs(xyz[:, 0] - 0.08) < 0.015)  # down to the hip
    colours = np.where(strap[:, None], WHITE, ORANGE)
    found = prevailing_colours(colours, trunk.astype(float))
    assert (found[xyz[:, 2] < HIP_M - 0.05] == ORANGE).all()


def test_trousers_colour_the_legs_whatever_the_shirt_is(xyz):
    seen = xyz[:, 2] > HIP_M - 0.3
    colours = np.where(xyz[:, 2:] < HIP_M, BLUE, ORANGE)
    found = prevailing_colours(colours, seen.astype(float))
    assert (found[xyz[:, 2] < HIP_M - 0.3] == BLUE).all()


def test_what_was_hardly_seen_hardly_counts(xyz):
    legs = xyz[:, 2] < HIP_M - 0.3
    colours = np.where((np.arange(len(xyz)) % 3 > 0)[:, None], WHITE, BLUE)  # two of three are white
    seen = np.where(colours[:, 0] == WHITE[0], 0.1, 1.0) * ~legs
    assert (prevailing_colours(colours, seen)[legs] == BLUE).all()


def test_nothing_seen_is_refused(xyz):
    with pytest.raises(ValueError, match="nothing was seen"):
        prevailing_colours(np.zeros((len(xyz), 3)), np.zeros(len(xyz)))
