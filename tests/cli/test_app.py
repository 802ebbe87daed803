"""The command: what it says, and how it ends."""

import gc
import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from opendensepose.cli import app
from opendensepose.cli.app import EXTRA_OF_VERB, missing_extra
from opendensepose.cli.prediction import _kept_for_good
from opendensepose.cli.synthesis import _two_numbers

# What predict can do without. torch is imported first, so that what it brings does not count.
HEAVY = {
    "anny", "igl", "matplotlib", "pandas", "pycocotools", "scipy", "skimage", "sklearn", "sympy", "tensorboard",
    "torch._dynamo", "torch._inductor", "torchvision", "warp",
}  # fmt: skip
IMPORTS_OF_PREDICT = """
import json, sys, torch
before = set(sys.modules)
from opendensepose.cli import app
app([*sys.argv[1:]], standalone_mode=False)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_one_sentence(result, *parts, code=2):
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("opendensepose: ")
    for part in parts:
        assert str(part) in lines[0]


def test_version_is_the_installed_one():
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.strip() == f"opendensepose {metadata.version('opendensepose')}"


def test_help_names_every_verb():
    result = run("--help")
    assert result.exit_code == 0
    for verb in ("predict", "train", "render", "surface", "data", "show"):
        assert verb in result.stdout


def test_numbers_of_size_and_people():
    assert _two_numbers("640x480", "x", "rule") == (640, 480)
    assert _two_numbers("640X480", "x", "rule") == (640, 480)
    assert _two_numbers("3", "-", "rule") == (3, 3)
    for bad in ("", "x", "640x", "1x2x3", "-1", "a-b"):
        with pytest.raises(ValueError, match="rule"):
            _two_numbers(bad, "x", "rule")


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--count", 1, "--seed", 0, "--size", "640by480"], "WIDTHxHEIGHT"),
        (["--count", 1, "--seed", 0, "--people", "many"], "FEWEST-MOST"),
        (["--count", 0, "--seed", 0], "count"),
        (["--count", 1, "--seed", 0, "--people", "5-2"], "5-2"),
        (["--count", 1, "--seed", 0, "--people", "1-9"], "1-9"),
        (["--count", 1, "--seed", 0, "--size", "8x8"], "8x8"),
    ],
)
def test_render_refuses_bad_numbers(tmp_path, arguments, part):
    assert_one_sentence(run("render", "--out", tmp_path / "out", *arguments), part)


def test_an_unknown_option_ends_with_2(tmp_path):
    assert run("render", "--nonsense").exit_code == 2


def test_predict_without_photos_says_what_to_give(tmp_path):
    assert_one_sentence(run("predict", "--out", tmp_path), "--example")


def test_predict_names_a_missing_photo(tmp_path):
    assert_one_sentence(run("predict", tmp_path / "gone.jpg", "--out", tmp_path / "out"), "gone.jpg")


def test_predict_lists_the_known_models(tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(photo)
    assert_one_sentence(run("predict", photo, "--out", tmp_path / "out", "--model", "nosuch"), "nosuch", "default")


def test_predict_refuses_a_folder_without_images(tmp_path):
    (tmp_path / "empty").mkdir()
    assert_one_sentence(run("predict", tmp_path / "empty", "--out", tmp_path / "out"), "empty")


def test_out_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert_one_sentence(run("surface", "--out", tmp_path / "file"), "file")


def test_train_lists_the_known_recipes(tmp_path):
    assert_one_sentence(run("train", "nosuch", "--out", tmp_path / "out"), "nosuch", "default", "rcnn_small")


def test_train_refuses_what_its_recipe_cannot_use(tmp_path):
    out = ("--out", tmp_path / "out")
    assert_one_sentence(run("train", "default", "--data", tmp_path, *out), "neither --data nor --validation")
    assert_one_sentence(run("train", "rcnn_small", *out), "rcnn_small needs --data")
    assert_one_sentence(
        run("train", "rcnn_small", "--data", tmp_path, "--minutes", 1, *out), "none of --photos, --minutes"
    )
    assert_one_sentence(run("train", "rcnn_small", "--data", tmp_path, *out), "no annotation file", "annotations.json")
    for recipe in (["default"], ["rcnn_small", "--data", tmp_path]):
        assert_one_sentence(run("train", *recipe, "--precision", "half", *out), "precision must be", "bfloat16")
    (tmp_path / "annotations.json").write_text("[]")
    assert_one_sentence(run("train", "rcnn_small", "--data", tmp_path, *out), "annotations.json: expected an object")
    assert not (tmp_path / "out").exists()


def test_a_real_process_ends_with_2_and_one_line(tmp_path):
    command = [sys.executable, "-m", "opendensepose", "render", "--count", "1", "--seed", "0", "--size", "wide"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


def test_predict_imports_nothing_heavy_but_torch(tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.full((40, 30, 3), 90, np.uint8)).save(photo)
    command = [sys.executable, "-c", IMPORTS_OF_PREDICT, "predict", str(photo), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = json.loads(done.stdout.splitlines()[-1])
    assert {"cv2", "opendensepose.predict", "opendensepose.visualize"} <= set(imported)
    assert not HEAVY & set(imported)


def test_the_example_photo_is_scikit_images_astronaut_pixel_by_pixel(tmp_path):
    import skimage.data

    from opendensepose.cli.prediction import _write_example_photo

    photo = np.asarray(Image.open(_write_example_photo(tmp_path / "new")))
    np.testing.assert_array_equal(photo, skimage.data.astronaut())


# As after an installation without extras: what they bring cannot be imported.
WITHOUT_EXTRAS = """
import json, sys
from typer.testing import CliRunner

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in NAMES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

NAMES = set(sys.argv[1].split())
sys.meta_path.insert(0, Missing())
from opendensepose.cli import app
said = {}
for line in json.loads(sys.argv[2]):
    done = CliRunner().invoke(app, line.split())
    said[line] = [done.exit_code, done.stderr]
import numpy as np
from opendensepose import load_charts
from opendensepose.visualize.surface import save_surface_pictures
load_charts().to_points(np.array([2]), np.array([0.4]), np.array([0.5]))
print(json.dumps(said))
"""


def test_a_verb_without_its_extra_names_it_and_the_base_needs_none(tmp_path):
    names = "anny anyio igl lightning_fabric OpenEXR pycocotools scipy skimage sklearn sqlalchemy starlette tensorboard"
    extras = {
        f"annotate {tmp_path}": "annotate",
        "annotators a.json truth": "evaluate",
        f"benchmark --out {tmp_path}": "evaluate,render",
        f"distill teacher --data {tmp_path}": "train",
        "evaluate a.json b.json": "evaluate",
        "ingredients": "render",
        f"render --out {tmp_path} --count 1 --seed 0": "render",
        f"train default --out {tmp_path}": "train",
        f"train rcnn --data {tmp_path} --out {tmp_path}": "train",
    }
    command = [sys.executable, "-c", WITHOUT_EXTRAS, f"{names} uvicorn warp", json.dumps(list(extras))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for line, (code, said) in json.loads(done.stdout.splitlines()[-1]).items():
        assert (code, said.count("\n")) == (2, 1), (line, said)
        assert f'pip install "opendensepose[{extras[line]}]"' in said, (line, said)


def test_the_extras_that_verbs_name_are_there():
    project = Path(__file__).parents[2] / "pyproject.toml"
    offered = tomllib.loads(project.read_text())["project"]["optional-dependencies"]
    assert {extra for extras in EXTRA_OF_VERB.values() for extra in extras.split(",")} <= set(offered)
    assert missing_extra("annotate", "warp") == "annotate,render"  # gold people
    assert missing_extra("predict", "torch") is None
    assert missing_extra("train", "opendensepose.gone") is None


def test_what_is_imported_for_good_is_no_garbage_to_search():
    gc.unfreeze()
    with _kept_for_good():
        assert not gc.isenabled()
        made = [[]]
    assert gc.isenabled()
    assert not any(thing is made for thing in gc.get_objects())
    frozen = gc.get_freeze_count()
    with _kept_for_good():  # a second time in one process changes nothing
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen
    gc.unfreeze()


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


def test_data_check_ends_with_0_where_all_is_sound(tmp_path):
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
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["9.png", "9_4.png"]
    assert result.stdout.split() == [str(tmp_path / "out" / name) for name in ("9.png", "9_4.png")]
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
