"""Pieces of a wardrobe know where they lie; people who wear them keep their labels."""

from dataclasses import replace

import numpy as np
import pytest
from tests.synth.wardrobe.tiny_wardrobe import SUITS, item, tiny_wardrobe

from opendensepose.synth import Ingredients, render_image
from opendensepose.synth.body.body import load_body
from opendensepose.synth.wardrobe.wardrobe import Wardrobe, load_garments

SIZE = (128, 96)
DRESSED = replace(Ingredients.none(), garments=True, shoes=True, skin_tones=True, hair=True, wardrobe=True)


@pytest.fixture
def wardrobe(monkeypatch) -> Wardrobe:
    made = tiny_wardrobe()
    monkeypatch.setattr("opendensepose.synth.generate.load_wardrobe", lambda device: made)
    return made


def picture(seed: int, ingredients: Ingredients):
    return render_image(np.random.default_rng(seed), SIZE, framing="portrait", num_people=1, ingredients=ingredients)


def test_a_suit_is_split_into_its_garments(wardrobe):
    kinds = {piece.name for piece in wardrobe.pieces if piece.item in SUITS}
    assert kinds == {f"{suit}/{kind}" for suit in SUITS for kind in ("top", "bottom")}


def test_pieces_hide_the_skin_under_them_but_not_at_their_open_edges(wardrobe):
    where = load_body().coordinates
    top = next(piece for piece in wardrobe.pieces if piece.kind == "top")
    x, z = np.abs(where.rest[:, 0]), where.rest[:, 2]
    back = where.is_in("torso") & (where.normal[:, 1] > 0) & (np.abs(z - 0.3) < 0.03) & (x < 0.1)
    assert top.hides[back].mean() > 0.9
    assert not top.hides[where.is_in("leg", "foot", "hand", "head")].any()
    assert not top.hides[z < 0.09].any()


def test_limb_coordinates_run_from_shoulder_to_wrist_and_from_hip_to_ankle(wardrobe):
    top, bottom = (next(piece for piece in wardrobe.pieces if piece.kind == kind) for kind in ("top", "bottom"))
    assert top.sleeve.max() > 1.9 and top.leg.max() < 0.5
    assert bottom.leg.max() > 1.9 and bottom.sleeve.max() == -1
    reach = np.abs(top.rest[:, 0])
    on_arm = top.sleeve > 0
    assert np.corrcoef(reach[on_arm], top.sleeve[on_arm])[0, 1] > 0.9


@pytest.mark.parametrize("seed", range(6))
def test_clothes_do_not_change_what_is_labelled(wardrobe, seed):
    dressed, naked = picture(seed, DRESSED), picture(seed, Ingredients.none())
    both = (dressed.i > 0) & (naked.i > 0)
    assert both.sum() >= 0.995 * (naked.i > 0).sum() and both.sum() == (dressed.i > 0).sum()
    assert np.array_equal(dressed.i[both], naked.i[both]) and np.allclose(dressed.u[both], naked.u[both], atol=0.01)


def test_clothes_are_seen_and_a_seed_gives_one_picture(wardrobe):
    pictures = [picture(seed, DRESSED).image_rgb for seed in range(6)]
    plain = [picture(seed, replace(DRESSED, wardrobe=False)).image_rgb for seed in range(6)]
    assert sum((a != b).any() for a, b in zip(pictures, plain, strict=True)) >= 5
    assert np.array_equal(pictures[2], picture(2, DRESSED).image_rgb)


def test_version_1_has_no_wardrobe(wardrobe):
    first = replace(Ingredients.version_1(), backgrounds=False)
    with_wardrobe = picture(4, first).image_rgb
    assert not first.wardrobe and np.array_equal(with_wardrobe, picture(4, replace(first)).image_rgb)


def test_ingredients_without_garments_are_one_sentence():
    with pytest.raises(ValueError, match="hold no garments"):
        load_garments({"panoramas/city": np.zeros(3)}, load_body())


def test_a_damaged_texture_is_one_sentence():
    arrays = {
        f"wardrobe/shoes01/{key}": value
        for key, value in item(load_body().coordinates.is_in("foot"), (1, 2, 3)).items()
    }
    with pytest.raises(ValueError, match="texture of shoes01 is damaged"):
        load_garments(arrays | {"wardrobe/shoes01/texture/0": np.zeros(9, np.uint8)}, load_body())
