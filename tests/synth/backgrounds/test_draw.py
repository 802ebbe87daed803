import numpy as np
import pytest
import torch

from opendensepose.synth.backgrounds import draw as background
from opendensepose.synth.backgrounds import materials as background_materials
from opendensepose.synth.backgrounds.draw import (
    BACKGROUND_KINDS,
    PERSON_FREE_PHOTOS,
    load_person_free_photo,
    make_background,
)
from opendensepose.synth.generate import render_images
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.person_free_photos import HELD_OUT_PHOTOS, TRAINING_PHOTOS, photos_in_use, use_photos
from opendensepose.synth.textures import prints as texture_print


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
    with pytest.raises(ValueError, match="unknown background kind 'moonbase'; known: studio"):
        make_background(np.random.default_rng(0), (20, 20), kind="moonbase")


def test_photos_are_rgb_without_download_and_without_the_two_that_show_people():
    assert len(PERSON_FREE_PHOTOS) >= 12
    assert not {"astronaut", "camera"} & set(PERSON_FREE_PHOTOS)
    for name in PERSON_FREE_PHOTOS:
        photo = load_person_free_photo(name)
        assert photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3
        assert min(photo.shape[:2]) >= 100


def test_a_photo_has_the_pixels_of_its_package():
    from skimage.data import coffee

    assert np.array_equal(load_person_free_photo("coffee"), coffee())


def test_photos_of_people_are_refused():
    with pytest.raises(ValueError, match="unknown photo 'astronaut'; known: brick"):
        load_person_free_photo("astronaut")


def test_held_out_photos_are_a_third_and_training_has_the_rest():
    assert set(HELD_OUT_PHOTOS) | set(TRAINING_PHOTOS) == set(PERSON_FREE_PHOTOS)
    assert not set(HELD_OUT_PHOTOS) & set(TRAINING_PHOTOS) and "chelsea" in TRAINING_PHOTOS
    assert 0.3 <= len(HELD_OUT_PHOTOS) / len(PERSON_FREE_PHOTOS) <= 0.4
    assert len({name.split("_")[0] for name in HELD_OUT_PHOTOS} & {"motorcycle"}) == 1
    assert not {"motorcycle_left", "motorcycle_right"} & set(TRAINING_PHOTOS)


def test_photos_can_only_be_chosen_inside_their_context():
    assert photos_in_use() == PERSON_FREE_PHOTOS
    with pytest.raises(RuntimeError), use_photos(("coffee",)):
        assert photos_in_use() == ("coffee",)
        raise RuntimeError("a failing render")
    assert photos_in_use() == PERSON_FREE_PHOTOS
    with pytest.raises(ValueError, match="photos must be some of brick"), use_photos(("astronaut",)):
        pass


def _photos_read(monkeypatch, ingredients) -> set[str]:
    """Names of the photos that are opened while pictures are rendered, nothing kept from earlier ones."""
    read = set()

    def recorded(name):
        read.add(name)
        return load_person_free_photo(name)

    for module in (background_materials, texture_print):
        monkeypatch.setattr(module, "load_person_free_photo", recorded)
    background.pool_canvas.cache_clear()
    background_materials._tile.cache_clear()
    for pool_seed in range(2):
        rngs = np.random.default_rng([9, pool_seed]).spawn(8)
        render_images(rngs, (48, 64), framing="portrait", ingredients=ingredients, pool_seed=pool_seed)
    return read


def test_no_held_out_photo_reaches_a_picture_unless_they_are_switched_on(monkeypatch):
    assert not _photos_read(monkeypatch, Ingredients()) & set(HELD_OUT_PHOTOS)
    assert _photos_read(monkeypatch, Ingredients.version_1()) & set(HELD_OUT_PHOTOS)
    assert photos_in_use() == PERSON_FREE_PHOTOS
