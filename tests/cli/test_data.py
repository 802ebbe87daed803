"""The verbs `data check` and `show`: what they print and write, and how they end on bad input."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.cli.running import assert_one_sentence, run
from tests.formats.people import two_people

from opendensepose.formats import FORMATS


def annotation_file(folder, **changes):
    """A photo of 60 x 80 with one annotated person, the way `render` lays them out; changes go into the person."""
    person = {
        "id": 4, "image_id": 9, "bbox": [10, 5, 40, 70], "dp_x": [128.0, 100], "dp_y": [40.0, 130], "dp_I": [23.0, 2],
        "dp_U": [0.5, 0.25], "dp_V": [0.5, 1.0],
    } | changes  # fmt: skip
    image = {"id": 9, "file_name": "9.png", "width": 60, "height": 80}
    (folder / "images").mkdir(exist_ok=True)
    Image.fromarray(np.full((80, 60, 3), 90, np.uint8)).save(folder / "images" / "9.png")
    path = folder / "people.json"
    path.write_text(json.dumps({"images": [image], "annotations": [person]}))
    return path


def test_data_check_ends_with_0_without_defects(tmp_path):
    result = run("data", "check", annotation_file(tmp_path), "--images", tmp_path / "images")
    assert result.exit_code == 0, result.output
    assert "no defects" in result.stdout and "points            2" in result.stdout


def test_data_check_ends_with_1_and_names_every_bad_annotation(tmp_path):
    result = run("data", "check", annotation_file(tmp_path, dp_U=[0.5, 2], dp_I=[0, 2]))
    assert result.exit_code == 1
    assert "annotation 4: U outside [0, 1]: 1 of 2 points: dp_U is 2 at point 1" in result.stdout
    assert "annotation 4: I outside 1..24" in result.stdout
    assert result.stderr == ""


def test_data_check_help_tells_the_exit_codes():
    text = " ".join(run("data", "check", "--help").stdout.split())
    assert "1 if it has defects" in text and "2 if it cannot be" in text


def test_data_check_of_what_is_no_annotation_file_ends_with_2(tmp_path):
    path = tmp_path / "people.json"
    assert_one_sentence(run("data", "check", path), "people.json", "No such file")
    path.write_text("{")
    assert_one_sentence(run("data", "check", path), "people.json", "not JSON")
    path.write_text("{}")
    assert_one_sentence(run("data", "check", path), "people.json", "neither annotations")
    assert_one_sentence(run("data", "check", annotation_file(tmp_path), "--images", tmp_path / "gone"), "gone")


def test_show_writes_the_image_and_each_person(tmp_path):
    result = run("show", annotation_file(tmp_path), "--image-id", 9, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    names = ["9.png", "9.triple.png", "9_4.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert result.stdout.split() == [str(tmp_path / "out" / name) for name in names]
    with Image.open(tmp_path / "out" / "9_4.png") as picture:
        assert max(picture.size) >= 800  # a small person is enlarged


@pytest.mark.parametrize(
    "changes, arguments, parts",
    [
        ({}, {"--image-id": 8}, ["people.json", "no image with id 8"]),
        ({"dp_U": [0.5, 2]}, {}, ["people.json", "annotation 4", "dp_U"]),
        ({"bbox": [100, 5, 40, 70]}, {}, ["people.json", "annotation 4", "outside the photo"]),
        ({}, {"--images": "elsewhere"}, ["9.png", "elsewhere", "--images"]),
        ({"image_id": 10}, {}, ["people.json", "annotation 4", "image_id"]),
    ],
)
def test_show_refuses_bad_input_and_writes_nothing(tmp_path, changes, arguments, parts):
    options = {"--image-id": 9, "--out": tmp_path / "out"} | arguments
    result = run("show", annotation_file(tmp_path, **changes), *[word for pair in options.items() for word in pair])
    assert_one_sentence(result, *parts)
    assert not (tmp_path / "out").exists()


def test_show_refuses_a_photo_of_another_size_and_an_image_without_people(tmp_path):
    path = annotation_file(tmp_path)
    out = ("--out", tmp_path / "out")
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(tmp_path / "images" / "9.png")
    assert_one_sentence(run("show", path, "--image-id", 9, *out), "9.png", "80 x 60", "60 x 80")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"annotations": []}))
    assert_one_sentence(run("show", path, "--image-id", 9, *out), "people.json", "image 9 has no annotations")


KINDS = ("triple", "charts", "contours", "points", "confidence")


@pytest.mark.parametrize("name", ["npz", "detectron2", "iuv-png", "iuv-legacy"])
def test_show_draws_predictions_over_the_photo_beside_them(tmp_path, name):
    path = FORMATS[name].write(tmp_path, two_people("two.jpg"))[0]
    Image.fromarray(two_people().image_rgb).save(tmp_path / "two.png")
    (tmp_path / "two.overlay.jpg").write_bytes(b"is no photo of this name")
    result = run("show", path, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(tmp_path / "out" / f"two.{kind}.png") for kind in KINDS]
    with Image.open(tmp_path / "out" / "two.charts.png") as picture:
        assert picture.size == (60, 40)


def test_show_says_what_predictions_lack(tmp_path):
    (path,) = FORMATS["npz"].write(tmp_path / ".", two_people())
    command = ("show", path, "--out", tmp_path / "out")
    assert_one_sentence(run(*command), "no photo called two", "--images")
    assert_one_sentence(run(*command, "--image-id", 3), "--image-id is of annotation files")
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "photos" / "two.jpg")
    assert_one_sentence(run(*command, "--images", tmp_path / "photos"), "two.jpg is 9 x 9", "a photo of 60 x 40")
    (part_map,) = FORMATS["catvton"].write(tmp_path, two_people())
    assert_one_sentence(run("show", part_map, "--out", tmp_path / "out"), "no file that can be shown", "npz, iuv-png")
    assert_one_sentence(run("show", annotation_file(tmp_path), "--out", tmp_path / "out"), "name it with --image-id")
    assert not list((tmp_path / "out").glob("*"))
