"""What people wear suits them."""

import numpy as np
import pytest
from tests.synth.wardrobe.tiny_wardrobe import tiny_wardrobe

from opendensepose.synth.body.body import load_body
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.wardrobe.choose import Person, choose_garments
from opendensepose.synth.wardrobe.wardrobe import Wardrobe


@pytest.fixture
def wardrobe() -> Wardrobe:
    return tiny_wardrobe()


def test_who_bends_over_wears_no_long_hair_and_women_s_skirts(wardrobe):
    where = load_body().coordinates
    person = Person(gender=1.0, age=0.6, origin=(0.0, 0.0, 1.0), upright=False)
    for seed in range(80):
        chosen = choose_garments(np.random.default_rng(seed), wardrobe, where, person, Ingredients())
        assert not {worn.piece.item for worn in chosen.worn} & {"long01", "Braid01"}
        assert "skirt" not in {worn.piece.kind for worn in chosen.worn}


def test_an_afro_is_never_light(wardrobe):
    where = load_body().coordinates
    person = Person(gender=0.0, age=0.6, origin=(1.0, 0.0, 0.0), upright=True)
    worn = [
        w
        for seed in range(120)
        for w in choose_garments(np.random.default_rng(seed), wardrobe, where, person, Ingredients()).worn
    ]
    afros = [w.material.colour for w in worn if w.piece.item == "afro01"]
    assert len(afros) > 20 and np.max(afros) <= 0.2
