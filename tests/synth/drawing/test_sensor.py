import numpy as np
import pytest
import torch

from opendensepose.synth.backgrounds.background import make_background
from opendensepose.synth.drawing.sensor import SENSOR_STEPS, apply_sensor, convolve, jpeg, photon_noise, to_uint8


@pytest.fixture(scope="module")
def picture():
    return make_background(np.random.default_rng(0), (128, 96), kind="room")


def test_strength_zero_only_rounds(picture):
    result = apply_sensor(np.random.default_rng(0), picture, strength=0)
    assert result.dtype == torch.uint8
    assert torch.equal(result, (picture * 255).round().to(torch.uint8))


def test_little_strength_changes_little(picture):
    for seed in range(30):
        result = apply_sensor(np.random.default_rng(seed), picture, strength=0.01).float() / 255
        assert (result - picture).abs().mean() < 0.02


@pytest.mark.parametrize("name", SENSOR_STEPS)
@pytest.mark.parametrize("size_hw", [(128, 96), (37, 51), (9, 8)])
def test_every_step_keeps_the_shape_and_its_input(name, size_hw):
    image = make_background(np.random.default_rng(2), size_hw, kind="photo")
    kept = image.clone()
    for seed in range(3):
        result = SENSOR_STEPS[name].apply(np.random.default_rng(seed), image, 1.0)
        assert result.shape == (*size_hw, 3) and result.dtype == torch.float32
        assert torch.isfinite(result).all()
    assert torch.equal(image, kept)


def test_the_same_rng_gives_the_same_photo(picture):
    first = [apply_sensor(np.random.default_rng(seed), picture) for seed in range(10)]
    again = [apply_sensor(np.random.default_rng(seed), picture) for seed in reversed(range(10))]
    assert all(torch.equal(a, b) for a, b in zip(first, reversed(again), strict=True))


def test_blurs_keep_the_brightness_of_a_plain_picture():
    plain = torch.full((60, 40, 3), 0.4)
    for name in ("defocus_blur", "motion_blur", "low_resolution", "sharpening_halo"):
        for seed in range(5):
            result = SENSOR_STEPS[name].apply(np.random.default_rng(seed), plain, 1.0)
            assert torch.allclose(result, plain, atol=1e-4), name


def test_convolve_on_the_cpu_agrees_with_torch(picture):
    kernel = np.random.default_rng(0).random((5, 5)).astype(np.float32)
    planes = torch.nn.functional.pad(picture.permute(2, 0, 1)[:, None], (2,) * 4, mode="replicate")
    expected = torch.nn.functional.conv2d(planes, torch.from_numpy(kernel)[None, None])[:, 0].permute(1, 2, 0)
    assert torch.allclose(convolve(picture, kernel), expected, atol=1e-4)


def test_grey_photos_have_equal_channels_or_one_tone(picture):
    grey = SENSOR_STEPS["grey"].apply(np.random.default_rng(3), picture, 1.0)
    ratio = grey / grey.mean(-1, keepdim=True).clamp_min(1e-3)
    assert ratio[grey.mean(-1) > 0.05].std(0).max() < 1e-3


def test_noise_grows_with_strength(picture):
    errors = [
        np.mean([float((photon_noise(np.random.default_rng(s), picture, k) - picture).std()) for s in range(10)])
        for k in (0.2, 1.0, 3.0)
    ]
    assert errors[0] < errors[1] < errors[2]


def test_jpeg_stays_close_to_the_picture(picture):
    image = to_uint8(picture)
    for seed in range(5):
        assert (jpeg(np.random.default_rng(seed), image, 1.0).float() - image.float()).abs().mean() < 12


def test_a_third_of_the_photos_keep_their_sharp_edges():
    stripes = torch.zeros(64, 64, 3)
    stripes[:, ::2] = 0.9
    sharp = 0
    for seed in range(200):
        result = apply_sensor(np.random.default_rng(seed), stripes).float() / 255
        luma = result.mean(-1)
        sharp += float((luma[:, 1:] - luma[:, :-1]).abs().mean() / max(float(luma.max() - luma.min()), 1e-3)) > 0.7
    assert sharp >= 200 / 3


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(H, W, 3\), got \(3, 8, 8\)"):
        apply_sensor(np.random.default_rng(0), torch.zeros(3, 8, 8))


def test_a_photo_is_the_same_to_the_bit_on_any_number_of_threads():
    image = make_background(np.random.default_rng(1), (256, 192), kind="street")
    before, photos = torch.get_num_threads(), []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        photos.append([apply_sensor(np.random.default_rng(seed), image) for seed in range(40)])
    torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*photos, strict=True))
