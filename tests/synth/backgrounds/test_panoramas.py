"""Pictures inside a panorama: the background is what lies in that direction, the light is of the same place."""

import cv2
import numpy as np
import pytest

import opendensepose.synth.generate as generate
from opendensepose.camera import Camera, look_at
from opendensepose.synth import Ingredients, render_image
from opendensepose.synth.backgrounds.panoramas import panorama_view, panoramas_of, surroundings
from opendensepose.synth.drawing.environment_light import LUMA, split_key_light
from opendensepose.synth.drawing.spherical_harmonics import directions
from opendensepose.synth.wardrobe import IngredientArrays
from opendensepose.synth.wardrobe.panorama_files import decode_radiance, encode_radiance

SIZE = (64, 128)
IMAGE = (48, 64)


def ingredients_of(**environments: np.ndarray) -> IngredientArrays:
    """What pack_panoramas() makes, of panoramas (64, 128, 3) made up here."""
    arrays = {"panoramas/names": np.array(list(environments))}
    keys, coefficients = zip(*(split_key_light(radiance) for radiance in environments.values()), strict=True)
    arrays["panoramas/unit"] = np.ones(len(environments), np.float32)
    arrays["panoramas/coefficients"] = np.float32(coefficients)
    for part in ("direction", "irradiance", "radius"):
        arrays[f"panoramas/key_{part}"] = np.float32([getattr(key, part) for key in keys])
    for name, radiance in environments.items():
        coded = cv2.imencode(".png", encode_radiance(radiance, 1.0)[..., ::-1])[1]
        arrays[f"panoramas/images/{name}"] = coded.reshape(-1)
    return IngredientArrays(arrays)


def smooth_environment() -> np.ndarray:
    towards = directions(SIZE)
    return 1.2 + 0.8 * np.stack([towards[..., 0], towards[..., 1], towards[..., 2]], -1)


def camera(pitch: float = -0.2, focal: float = 60.0, roll: float = 0.1) -> Camera:
    rotation, translation = look_at(np.array([0, 0, 1.5]), np.array([0.3, 1.0, 1.5 + pitch]), roll=roll)
    return Camera(rotation, translation, focal, (20.0, 30.0), IMAGE)


def about_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def test_encoded_radiance_comes_back():
    radiance = np.geomspace(0.01, 30, 300).repeat(3).reshape(-1, 3)
    assert np.allclose(decode_radiance(encode_radiance(radiance, 0.7), 0.7), radiance, rtol=0.2)
    middling = radiance[(radiance[:, 0] > 0.1) & (radiance[:, 0] < 2)]
    assert np.allclose(decode_radiance(encode_radiance(middling, 0.7), 0.7), middling, rtol=0.03)
    assert np.isfinite(decode_radiance(np.uint8([255]), 1.0)).all()


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.5])
def test_a_pixel_shows_what_lies_in_its_direction(angle):
    """The environment's colour is its direction, so each pixel can be asked which way it looks."""
    panorama = panoramas_of(ingredients_of(place=smooth_environment()), "cpu")[0]
    seen = panorama_view(panorama, camera(), IMAGE, about_z(angle)).numpy()
    height, width = seen.shape[:2]
    x, y = np.meshgrid((np.arange(width) + 0.5) * IMAGE[1] / width, (np.arange(height) + 0.5) * IMAGE[0] / height)
    rays = np.stack([(x - 20.0) / 60.0, (y - 30.0) / 60.0, np.ones_like(x)], -1)
    world = rays / np.linalg.norm(rays, axis=-1, keepdims=True) @ camera().rotation
    assert np.allclose((seen - 1.2) / 0.8, world @ about_z(angle), atol=0.05)


def test_the_view_goes_on_across_the_panoramas_edge():
    panorama = panoramas_of(ingredients_of(place=smooth_environment()), "cpu")[0]
    seen = panorama_view(panorama, camera(roll=0.0), IMAGE, about_z(np.pi)).numpy()  # now the edge lies ahead
    assert np.abs(np.diff(seen, axis=1)).max() < 0.1


def test_blur_and_narrow_views_are_sampled_coarsely():
    panorama = panoramas_of(ingredients_of(place=smooth_environment()), "cpu")[0]
    sizes = [panorama_view(panorama, camera(focal=focal), IMAGE, np.eye(3), blur).shape[0]
             for focal, blur in ((20.0, 0), (200.0, 0), (200.0, 2))]  # fmt: skip
    assert sizes[0] >= sizes[1] > sizes[2]


def lit(seed: int, panoramas, **options):
    return surroundings(np.random.default_rng(seed), panoramas, camera(), IMAGE, **options)


def test_exposure_is_sane_in_any_place():
    bright, dark = 50 * smooth_environment(), 0.004 * smooth_environment()
    for panorama in panoramas_of(ingredients_of(bright=bright, dark=dark), "cpu"):
        for seed in range(20):
            made = lit(seed, (panorama,))
            assert made.background.shape == (*IMAGE, 3)
            assert 0.15 < made.background.mean() < 0.9
            towards_camera = made.lighting.around.at(np.array([0.0, 0.0, -1.0])) @ LUMA
            assert 0.02 < towards_camera < 3
    assert 0.15 < lit(0, panoramas_of(ingredients_of(bright=bright), "cpu"), people=False).background.mean() < 0.95


def test_the_key_light_shines_from_where_the_sun_is_seen():
    radiance = np.full((*SIZE, 3), 0.3)
    radiance[20:22, 60:62] = 3000.0
    panoramas = panoramas_of(ingredients_of(place=radiance), "cpu")
    for seed in range(30):
        made = lit(seed, panoramas)
        assert np.allclose(camera().rotation @ made.key_world, made.lighting.key, atol=1e-6)
        rotation, translation = look_at(np.zeros(3), made.key_world)
        towards_sun = Camera(rotation, translation, 60.0, (32.0, 24.0), IMAGE)
        angle = np.arctan2(made.key_world[1], made.key_world[0])
        was = np.arctan2(*directions(SIZE)[21, 60:62].mean(0)[[1, 0]])
        seen = panorama_view(panoramas[0], towards_sun, IMAGE, about_z(angle - was))
        brightest = np.array(np.unravel_index(int(seen[..., 0].argmax()), seen.shape[:2])) / seen.shape[:2]
        assert np.abs(brightest - 0.5).max() < 0.1


def test_shadows_can_be_switched_off():
    panoramas = panoramas_of(ingredients_of(place=smooth_environment()), "cpu")
    assert lit(0, panoramas, shadows=False).lighting.shadow_strength == 0
    assert lit(0, panoramas, shadows=False).lighting.floor_shadow == 0
    assert 0 <= lit(0, panoramas).lighting.floor_shadow < 1


ALONE = Ingredients(sensor=False, occluders=False, truncation=False, other_people=False)


def place_of(colour) -> IngredientArrays:
    """Light of one colour, most of it from one side."""
    return ingredients_of(place=np.ones((*SIZE, 3)) * colour * (1 - 0.8 * directions(SIZE)[..., :1]))


@pytest.fixture
def go_to(monkeypatch):
    """A function: from then on, every picture is taken in that place."""
    monkeypatch.setattr(generate, "PANORAMA_SHARE", 1.0)

    def go(ingredients: IngredientArrays | None):
        there = () if ingredients is None else panoramas_of(ingredients, "cpu")
        monkeypatch.setattr(generate, "load_panoramas", lambda device: there)

    return go


def test_a_person_takes_the_light_of_the_place(go_to):
    redness = {}
    for name, colour in (("red", [1.0, 0.5, 0.3]), ("blue", [0.3, 0.5, 1.0])):
        go_to(place_of(colour))
        picture = render_image(np.random.default_rng(3), (96, 72), framing="portrait", ingredients=ALONE)
        means = [picture.image_rgb[region].mean(0) for region in (picture.person > 0, picture.person == 0)]
        redness[name] = np.array([mean[0] / mean[2] for mean in means])
    assert (redness["red"] > 1.15 * redness["blue"]).all()


def test_the_switch_keeps_the_panoramas_out(go_to):
    go_to(place_of([1, 1, 1]))
    options = {"framing": "portrait", "ingredients": Ingredients.version_1()}
    with_them = render_image(np.random.default_rng(3), (96, 72), **options)
    go_to(None)
    without = render_image(np.random.default_rng(3), (96, 72), **options)
    assert (with_them.image_rgb == without.image_rgb).all()


def test_labels_do_not_depend_on_the_light(go_to):
    go_to(place_of([1, 1, 1]))
    enabled = Ingredients.none()
    plain = render_image(np.random.default_rng(4), (96, 72), framing="portrait", ingredients=enabled)
    lit_there = Ingredients(**{**vars(enabled), "panoramas": True, "backgrounds": True, "lights": True})
    other = render_image(np.random.default_rng(4), (96, 72), framing="portrait", ingredients=lit_there)
    assert (plain.i == other.i).all() and np.array_equal(plain.u, other.u)
    assert not (plain.image_rgb == other.image_rgb).all()


def test_equal_seeds_give_equal_pictures(go_to):
    go_to(place_of([1, 1, 1]))
    first, second = (render_image(np.random.default_rng(5), (96, 72), ingredients=ALONE) for _ in range(2))
    assert (first.image_rgb == second.image_rgb).all()
