"""Outfits cover what they should, and switches switch."""

from dataclasses import replace

import numpy as np
import pytest

from opendensepose.synth.body.body import load_body
from opendensepose.synth.clothes.outfit import random_colour, sample_outfit
from opendensepose.synth.ingredients import Ingredients


def _outfits(enabled, count=12):
    body = load_body()
    triangles = body.triangles.numpy()
    return [sample_outfit(body.coordinates, triangles, np.random.default_rng(k), enabled) for k in range(count)]


def test_nothing_on_means_bare_skin():
    for outfit in _outfits(Ingredients.none()):
        assert not outfit.thickness.any() and not outfit.material.any()
        assert not outfit.skirt and not outfit.hair and not outfit.brim


def test_every_triangle_has_a_material_and_cloth_lies_outside_of_the_skin():
    for outfit in _outfits(Ingredients()):
        assert outfit.material.min() >= 0 and outfit.material.max() < len(outfit.materials)
        assert outfit.thickness.min() >= 0 and np.isfinite(outfit.thickness).all()
        assert (outfit.colour > 0).all() and (outfit.colour <= 1).all()


def test_tight_clothes_stay_within_6_mm():
    tight = replace(Ingredients(), loose_garments=False, hair=False, hats=False, shoes=False)
    torso = load_body().coordinates.is_in("torso", "leg")
    assert all(outfit.thickness[torso].max() <= 0.0061 for outfit in _outfits(tight))
    assert not any(outfit.skirt for outfit in _outfits(tight))


def test_hands_and_face_are_mostly_bare():
    body = load_body()
    hands = body.coordinates.is_in("hand")
    bare = np.mean([(outfit.thickness[hands] == 0).mean() for outfit in _outfits(Ingredients(), 40)])
    assert bare > 0.85


@pytest.mark.parametrize("seed", range(20))
def test_colours_are_colours(seed):
    colour = random_colour(np.random.default_rng(seed))
    assert colour.shape == (3,) and (colour >= 0).all() and (colour <= 1).all()
