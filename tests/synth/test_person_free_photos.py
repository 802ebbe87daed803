"""The photos show no people, and those held out reach no picture of training."""

import numpy as np
import pytest

from opendensepose.synth.backgrounds import background, materials
from opendensepose.synth.generate import render_images
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.person_free_photos import (
    HELD_OUT_PHOTOS,
    PERSON_FREE_PHOTOS,
    TRAINING_PHOTOS,
    load_person_free_photo,
    photos_in_use,
    use_photos,
)
from opendensepose.synth.textures import prints


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
    with pytest.raises(ValueError, match="photo must be one of brick, .*, got 'astronaut'"):
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

    for module in (materials, prints):
        monkeypatch.setattr(module, "load_person_free_photo", recorded)
    background.pool_canvas.cache_clear()
    materials._tile.cache_clear()
    for pool_seed in range(2):
        rngs = np.random.default_rng([9, pool_seed]).spawn(8)
        render_images(rngs, (48, 64), framing="portrait", ingredients=ingredients, pool_seed=pool_seed)
    return read


def test_no_held_out_photo_reaches_a_picture_unless_they_are_switched_on(monkeypatch):
    assert not _photos_read(monkeypatch, Ingredients()) & set(HELD_OUT_PHOTOS)
    assert _photos_read(monkeypatch, Ingredients.version_1()) & set(HELD_OUT_PHOTOS)
    assert photos_in_use() == PERSON_FREE_PHOTOS
