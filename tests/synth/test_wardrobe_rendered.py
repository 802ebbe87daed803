"""People in a wardrobe made here: every piece is a part of the body's own skin, a centimetre above it."""

import functools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from opendensepose.synth import Ingredients, render_image
from opendensepose.synth.body.body import load_body
from opendensepose.synth.wardrobe.choose import Person, take
from opendensepose.synth.wardrobe.garments import BASE_VERTICES
from opendensepose.synth.wardrobe.wardrobe import Wardrobe, load_garments

SIZE = (128, 96)
SUITS = ("male_casualsuit02", "female_casualsuit01")
HEAD = ("short01", "short02", "short03", "short04", "bob01", "bob02", "ponytail01", "Braid01", "long01", "afro01",
        "fedora", "eyebrow001", "Eyelashes01")  # fmt: skip
DRESSED = replace(Ingredients.none(), garments=True, shoes=True, skin_tones=True, hair=True, wardrobe=True)


def webp(colour) -> np.ndarray:
    return cv2.imencode(".webp", np.full((64, 64, len(colour)), colour, np.uint8))[1].reshape(-1)


def item(vertices: np.ndarray, colour) -> dict[str, np.ndarray]:
    """The arrays of an item over the body's triangles that lie in vertices (V,) bool."""
    body = load_body()
    triangles = body.triangles.numpy()
    quads = triangles[vertices[triangles].all(1)][:, [0, 1, 2, 2]]  # the second half of each has no area
    used = np.unique(quads)
    references = np.tile(body.base.skin[used][:, None], (1, 3))
    uv = np.random.default_rng(0).integers(0, 65535, (len(used), 2)).astype(np.uint16)
    return {
        "references": references.astype(np.uint16),
        "weights": np.tile(np.float32([1, 0, 0]), (len(used), 1)),
        "offsets": (body.coordinates.normal[used] * 0.1).astype(np.float16),
        "denominators": np.ones(3, np.float32),
        "quads": np.searchsorted(used, quads).astype(np.uint16),
        "uv_quads": np.searchsorted(used, quads).astype(np.uint16),
        "uvs": uv,
        "hides": np.packbits(np.zeros(BASE_VERTICES, bool)),
        "texture/0": webp(colour),
    }


@functools.cache
def tiny_wardrobe() -> Wardrobe:
    where = load_body().coordinates
    top, bottom = where.is_in("torso", "arm") & (where.rest[:, 2] > 0.08), where.is_in("leg") & (where.rest[:, 2] < 0)
    items = {name: item(top | bottom, (40, 160, 40)) for name in SUITS}
    items["male_casualsuit01"] = item(where.is_in("torso", "leg", "arm"), (160, 40, 40))
    items["shoes01"] = item(where.is_in("foot") & (where.rest[:, 2] < -0.77), (40, 40, 160))
    items["HighPolyEyes"] = item(where.is_in("eye"), (255, 255, 255, 255))
    scalp = where.is_in("head") & (where.rest[:, 2] > 0.7)
    items |= {name: item(scalp, (90, 90, 90, 0 if name in ("eyebrow001", "Eyelashes01") else 255)) for name in HEAD}
    arrays = {f"wardrobe/{name}/{key}": value for name, made in items.items() for key, value in made.items()}
    skins = {f"wardrobe/young_{origin}_{gender}/texture/0": webp((90, 120, 200))
             for origin in ("african", "asian", "caucasian") for gender in ("male", "female")}  # fmt: skip
    return load_garments(arrays | skins, load_body())


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


def test_who_bends_over_wears_no_long_hair_and_women_s_skirts(wardrobe):
    where = load_body().coordinates
    person = Person(gender=1.0, age=0.6, origin=(0.0, 0.0, 1.0), upright=False)
    for seed in range(80):
        taken = take(np.random.default_rng(seed), wardrobe, where, person, Ingredients())
        assert not {worn.piece.item for worn in taken.worn} & {"long01", "Braid01"}
        assert "skirt" not in {worn.piece.kind for worn in taken.worn}


def test_an_afro_is_never_light(wardrobe):
    where = load_body().coordinates
    person = Person(gender=0.0, age=0.6, origin=(1.0, 0.0, 0.0), upright=True)
    worn = [
        w for seed in range(120) for w in take(np.random.default_rng(seed), wardrobe, where, person, Ingredients()).worn
    ]
    afros = [w.material.colour for w in worn if w.piece.item == "afro01"]
    assert len(afros) > 20 and np.max(afros) <= 0.2


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
