"""Reading photos: every ordinary kind becomes RGB, bad files become one sentence."""

import base64
from io import BytesIO

import numpy as np
import pytest
import skimage.data
from PIL import Image

from opendensepose.cli.prediction import write_example_photo
from opendensepose.data import photos
from opendensepose.data.photos import (
    decode_photo,
    example_photo,
    exif_focal,
    find_image,
    find_photos,
    photo_folders,
    read_photo,
)

HEIC = base64.b64decode(  # 24 x 16 pixels, red over blue
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j"
    "AAAAAERAAAEAAQAAAAABoAABAAAAAAAAAFcAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/Glw"
    "cnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AA"
    "AAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABA"
    "AAAAQAAAAChjbGFwAAAAGAAAAAEAAAAQAAAAAf///9gAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYEC"
    "AwWEAAAAX21kYXQAAABTKAGvBjIbMcaAXUOIm97///46PsvYRjN9R8L2JHkfRzv/9Gz0alH/JICn0JrqrlTHSx/xrzZv/AdWf6g/+mvf5Owr"
    "hNDoYnzqinslElx0o9vg+MA="
)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


@pytest.fixture
def rgb():
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_rgb_is_read_as_it_is(tmp_path, rgb):
    read = read_photo(save(tmp_path / "a.png", rgb))
    np.testing.assert_array_equal(read, rgb)
    assert read.dtype == np.uint8 and read.flags.c_contiguous


def test_exif_turn_is_honoured(tmp_path, rgb):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise to see it
    np.testing.assert_array_equal(read_photo(save(tmp_path / "a.png", rgb, exif=exif)), np.rot90(rgb, -1))


@pytest.mark.parametrize("millimetres, wanted", [(43, 4.97), (0, None), (None, None), ("long", None)])
def test_the_focal_length_is_exifs_for_35_mm_film(tmp_path, millimetres, wanted):
    """On film, 43.3 mm is the picture's diagonal: 5 pixels of 3 x 4."""
    exif = Image.Exif()
    if millimetres is not None:
        exif[0x8769] = {41989: millimetres}
    path = save(tmp_path / "a.png", np.zeros((3, 4, 3), np.uint8), exif=exif)
    assert exif_focal(path) == (wanted if wanted is None else pytest.approx(wanted, rel=1e-3))


def test_a_focal_length_of_no_photo(tmp_path):
    (tmp_path / "text.jpg").write_text("text")
    with pytest.raises(ValueError, match="is not an image"):
        exif_focal(tmp_path / "text.jpg")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        exif_focal(tmp_path / "absent.jpg")


def test_grey_and_palette(tmp_path, rgb):
    grey = rgb[..., 0]
    np.testing.assert_array_equal(read_photo(save(tmp_path / "g.png", grey)), np.stack([grey] * 3, -1))
    few = (rgb // 128 * 255).astype(np.uint8)
    Image.fromarray(few).quantize(8).save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_photo(tmp_path / "p.png"), few)


def test_transparency_is_laid_over_white(tmp_path):
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], np.uint8)
    assert read_photo(save(tmp_path / "a.png", rgba)).tolist() == [[[10, 20, 30], [255, 255, 255]]]
    grey_alpha = np.array([[[10, 255], [10, 0]]], np.uint8)
    assert read_photo(save(tmp_path / "b.png", grey_alpha)).tolist() == [[[10] * 3, [255] * 3]]


def test_16_bits_are_scaled_to_8(tmp_path):
    deep = np.array([[0, 257 * 100, 65535]], np.uint16)
    assert read_photo(save(tmp_path / "a.png", deep))[..., 0].tolist() == [[0, 100, 255]]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "0 bytes"), (b"hello, I am no image", "not an image"), (b"\x89PNG\r\n\x1a\n", "image|damaged")],
)
def test_what_is_no_image_is_said_in_one_sentence(tmp_path, content, says):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says) as caught:
        read_photo(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_cut_off_file_is_refused(tmp_path, suffix):
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path / f"a.{suffix}", noise)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match="damaged or cut off"):
        read_photo(path)


def test_too_large_is_refused_before_it_is_decoded(tmp_path, rgb):
    with pytest.raises(ValueError, match="megapixels"):
        read_photo(save(tmp_path / "a.png", rgb), max_pixels=53)
    assert read_photo(tmp_path / "a.png", max_pixels=54).shape == (6, 9, 3)


def test_missing_file():
    with pytest.raises(FileNotFoundError, match="no file"):
        read_photo("/nowhere/a.jpg")


def test_folders_become_their_images(tmp_path, rgb):
    for name in ("b.png", "a.JPG", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.png").mkdir()
    assert [p.name for p in find_photos([tmp_path])] == ["a.JPG", "b.png"]
    assert find_photos([tmp_path / "c.txt"]) == [tmp_path / "c.txt"]  # named by hand: read_photo will judge
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no image"):
        find_photos([tmp_path / "empty"])
    with pytest.raises(ValueError, match="there is no file"):
        find_photos([tmp_path / "gone"])


def test_the_photos_of_an_annotation_file_are_in_images_or_beside_it(tmp_path, rgb):
    """Each photo by itself: that there is a folder `images` hides none that lies beside the file."""
    folders = photo_folders(tmp_path / "annotations.json")
    assert folders == (tmp_path / "images", tmp_path)
    save(tmp_path / "a.png", rgb)
    assert find_image(folders, "a.png") == tmp_path / "a.png"
    (tmp_path / "images" / "val").mkdir(parents=True)
    assert find_image(folders, "val/a.png") == tmp_path / "a.png"
    for path in (tmp_path / "images" / "a.png", tmp_path / "images" / "val" / "a.png"):
        save(path, rgb)
        assert find_image(folders, "val/a.png") == path
    with pytest.raises(FileNotFoundError, match=f"no b.png in {tmp_path}/images or {tmp_path}."):
        find_image(folders, "b.png")
    assert find_image(tmp_path, "images/a.png") == find_image(str(tmp_path), "images/a.png") == folders[0] / "a.png"
    with pytest.raises(FileNotFoundError, match="no ../x.png"):
        find_image(tmp_path / "images", "../x.png")


def test_the_content_of_a_file_is_read_as_the_file(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    np.testing.assert_array_equal(decode_photo(path.read_bytes()), read_photo(path))
    with pytest.raises(ValueError, match=r"the photo is empty \(0 bytes\)"):
        decode_photo(b"")
    with pytest.raises(ValueError, match="picture 3 has 30 x 20 = 0 megapixels, more than the limit"):
        decode_photo(path.read_bytes(), "picture 3", max_pixels=599)
    with pytest.raises(ValueError, match="the photo is not an image"):
        decode_photo(b"text")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_content_with_several_frames_is_refused(kind):
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    content = BytesIO()
    frames[0].save(content, kind, save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match="the photo must be one picture, got several frames"):
        decode_photo(content.getvalue())


def test_photos_of_phones_are_read(tmp_path):
    pytest.importorskip("pi_heif")
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(HEIC)
    assert find_photos([tmp_path]) == [path] and photos.photo_size_hw(path) == (16, 24)
    for rgb in (read_photo(path), decode_photo(HEIC)):
        assert rgb.shape == (16, 24, 3) and rgb.dtype == np.uint8
        np.testing.assert_allclose(rgb[3, 12], [200, 40, 40], atol=12)
        np.testing.assert_allclose(rgb[12, 12], [40, 40, 200], atol=12)
    for content in (HEIC[:300], HEIC[:20] + bytes(100)):
        with pytest.raises(ValueError, match="^the photo is damaged or cut off: .*\\.$"):
            decode_photo(content)


def test_without_their_decoder_the_sentence_names_it(monkeypatch):
    monkeypatch.setattr(photos, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="^the photo is a HEIC photo, .*: pip install pi-heif.$"):
        decode_photo(HEIC)


def test_avif_is_read(tmp_path, rgb):
    smooth = np.repeat(rgb[:, :1], 9, axis=1)
    path = save(tmp_path / "a.avif", smooth, quality=100, subsampling="4:4:4")
    assert find_photos([tmp_path]) == [path]
    np.testing.assert_allclose(read_photo(path).astype(int), smooth, atol=24)


def test_the_example_photo_is_scikit_images_astronaut_pixel_by_pixel():
    np.testing.assert_array_equal(example_photo(), skimage.data.astronaut())


def test_the_file_that_predict_writes_is_the_same(tmp_path):
    with Image.open(write_example_photo(tmp_path / "new")) as photo:
        np.testing.assert_array_equal(np.asarray(photo), example_photo())
