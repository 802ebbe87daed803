"""Photos on disk to textures, painted people and pages; what is wrong is one sentence and leaves nothing."""

import shutil

import numpy as np
import pytest
from PIL import Image
from tests.cli.running import assert_one_sentence, run
from tests.texture.people import seen_from

from opendensepose.data import save_prediction
from opendensepose.texture.photos import LabelledPhotos


def read_picture(path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two photos with their labels, and one without people."""
    folder = tmp_path_factory.mktemp("photos")
    for side in ("front", "back"):
        image, person = seen_from(side, 8)
        Image.fromarray(image).save(folder / f"{side}.png")
        save_prediction(folder / f"{side}.npz", [person], image.shape[:2])
    Image.fromarray(image).save(folder / "empty.png")
    save_prediction(folder / "empty.npz", [], image.shape[:2])
    return folder


@pytest.fixture(scope="module")
def baked(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("texture")
    result = run("texture", folder / "front.png", folder / "back.png", "--out", out)
    assert result.exit_code == 0, result.output
    return out, result


def test_a_texture_is_written(baked):
    out, result = baked
    names = ["map.png", "map_source.png", "atlas.png", "atlas_source.png", "body.glb", "preview.jpg"]
    assert result.stdout.split() == [str(out / name) for name in names]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    sizes = [read_picture(out / name).shape for name in names[:4]]
    assert sizes == [(2048, 2048, 3), (2048, 2048), (1200, 800, 3), (1200, 800)]
    assert set(np.unique(read_picture(out / "map_source.png"))) == {0, 85, 170, 255}


def test_it_is_painted_on_people(baked, folder, tmp_path):
    out, _ = baked
    result = run("transfer", out / "atlas.png", folder / "front.png", "--out", tmp_path, "--shading", "0")
    assert result.stdout.split() == [str(tmp_path / "front.transfer.jpg")]
    image, person = seen_from("front", 8)
    drawn = read_picture(tmp_path / "front.transfer.jpg").astype(int)
    assert np.median(np.abs(drawn - image)[person.iuv.i > 0]) <= 4
    assert np.median(np.abs(drawn - image)[person.iuv.i == 0]) <= 1


def test_a_page_is_written(folder, tmp_path):
    result = run("view", folder / "front.png", "--out", tmp_path / "new" / "page.html")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "new" / "page.html").read_text().startswith("<!doctype html>")


def never(image_rgb):
    raise AssertionError("photos that have labels are not labelled")


def test_people_are_chosen(folder, tmp_path):
    image, person = seen_from("front", 16)
    i = np.zeros_like(person.iuv.i)
    i[2, 2] = 2
    small = type(person)(
        np.float32([2, 2, 3, 3]), 1.0, type(person.iuv)(i, *np.zeros((2, *i.shape), "f4")), 1.0 * (i > 0)
    )
    Image.fromarray(image).save(tmp_path / "two.png")
    save_prediction(tmp_path / "two.npz", [small, person], image.shape[:2])

    def pixels(who):
        ((_, _, people),) = LabelledPhotos([tmp_path / "two.png"], never, who)
        return [np.count_nonzero(one.iuv.i) for one in people]

    all_of_them = np.count_nonzero(person.iuv.i)
    assert pixels("largest") == [all_of_them] == pixels("2")
    assert pixels("all") == [1, all_of_them] and pixels("1") == [1] and pixels("3") == []


def test_without_a_file_the_network_is_asked(tmp_path):
    image, person = seen_from("front", 16)
    Image.fromarray(image).save(tmp_path / "new.png")
    asked = []
    ((path, _, people),) = LabelledPhotos([tmp_path / "new.png"], lambda image_rgb: asked.append(image_rgb) or [person])
    assert path.name == "new.png" and people == [person]
    assert (asked[0] == image).all()


@pytest.mark.parametrize(
    "arguments, part",
    [
        (("texture", "{}/empty.png"), "no photo shows a person"),
        (("texture", "{}/none.png"), "none.png"),
        (("texture",), "no photo was named"),
        (("texture", "{}/front.png", "--person", "tall"), "all, largest or a number"),
        (("texture", "{}/front.png", "--predictions", "{}/nowhere"), "no folder"),
        (("transfer", "{}/front.png", "{}/front.png"), "a texture must be an atlas of 800 x 1200"),
        (("transfer", "{}/none.png", "{}/front.png"), "none.png"),
        (("view", "{}/empty.png"), "nobody in"),
        (("view", "{}"), "a page shows one photo, got 3"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(folder, tmp_path, arguments, part):
    out = tmp_path / "out"
    result = run(*(one.format(folder) for one in arguments), "--out", out)
    assert_one_sentence(result, part)
    assert not out.exists()


def test_broken_photos_are_left_out_and_reported(folder, baked, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "broken.png").write_bytes(b"no picture")
    for name in ("front.png", "front.npz"):
        shutil.copy(folder / name, photos)
    result = run("transfer", baked[0] / "atlas.png", photos, "--out", tmp_path / "out")
    assert_one_sentence(result, "broken.png is not an image", code=1)
    assert result.stdout.split() == [str(tmp_path / "out" / "front.transfer.jpg")]


def test_a_page_does_not_replace_a_folder(folder, tmp_path):
    assert_one_sentence(run("view", folder / "front.png", "--out", tmp_path), "is a folder: name the page")


def test_labels_of_another_photo_are_refused(folder, tmp_path):
    Image.new("RGB", (30, 20)).save(tmp_path / "front.png")
    result = run("texture", tmp_path / "front.png", "--predictions", folder, "--out", tmp_path / "out")
    assert_one_sentence(result, "front.npz is of a photo of", "is 30 x 20")
