"""The verb `predict`: what it asks for, what it imports, and its example photo."""

import gc
import json
import subprocess
import sys

import numpy as np
from PIL import Image
from tests.cli.running import assert_one_sentence, run

from opendensepose.cli.prediction import _kept_for_good, write_example_photo
from opendensepose.models.checkpoints.checkpoint import save_checkpoint
from opendensepose.models.zoo import build_model

# What predict can do without.
HEAVY = {
    "anny", "igl", "matplotlib", "onnx", "openvino", "pandas", "pycocotools", "safetensors", "scipy", "skimage",
    "sklearn", "sympy", "tensorboard", "torch", "torchvision", "warp",
}  # fmt: skip


IMPORTS_OF_PREDICT = """
import json, sys
before = set(sys.modules)
from opendensepose.cli import app
app([*sys.argv[1:]], standalone_mode=False)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


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


def test_predict_imports_nothing_heavy(tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.full((40, 30, 3), 90, np.uint8)).save(photo)
    command = [sys.executable, "-c", IMPORTS_OF_PREDICT, "predict", str(photo), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = json.loads(done.stdout.splitlines()[-1])
    assert {"cv2", "onnxruntime", "opendensepose.predict", "opendensepose.visualize"} <= set(imported)
    assert not HEAVY & set(imported)


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


def test_predict_says_which_models_take_assets(tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray(np.full((40, 30, 3), 90, np.uint8)).save(photo)
    done = run("predict", photo, "--out", tmp_path / "out", "--assets", tmp_path)
    assert_one_sentence(done, "assets serve embedding models (CSE_...) only")


def tiny_checkpoint(folder):
    """A network too small to find anybody, for what does not depend on people."""
    kwargs = {"widths": (4, 4, 4, 4), "depths": (0, 0, 0, 0), "crop_hw": (64, 48), "detect_sides": (96, 64)}
    save_checkpoint(folder / "tiny.safetensors", build_model("densepose_lite", **kwargs), "densepose_lite", kwargs)
    return folder / "tiny.safetensors"


def test_predict_says_what_it_skips_and_writes_the_formats_asked_for(tmp_path):
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(tmp_path / "photo.png")
    command = ["predict", tmp_path / "photo.png", "--out", tmp_path / "out", "--model", tiny_checkpoint(tmp_path)]
    result = run(*command, "--format", "npz,iuv-png", "--no-overlay")
    assert result.exit_code == 0, result.output
    assert "photos done: 1" in result.stdout
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"photo.npz", "photo.iuv.png", "done.jsonl"}
    result = run(*command, "--format", "iuv-png", "--no-overlay")
    assert result.stdout == "photos skipped, which were done before: 1 (--again repeats them)\n"
    assert "photos done: 1" in run(*command, "--again").stdout
    assert (tmp_path / "out" / "photo.overlay.jpg").is_file()


def test_a_stopped_predict_says_how_to_go_on(tmp_path, monkeypatch):
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(tmp_path / "photo.png")

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("opendensepose.predict.predict_files", stopped)
    result = run("predict", tmp_path / "photo.png", "--out", tmp_path / "out")
    assert_one_sentence(result, "stopped after 0 photos; the same command goes on from there", code=130)


def test_predict_refuses_unknown_choices(tmp_path):
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(tmp_path / "photo.png")
    command = ["predict", tmp_path / "photo.png", "--out", tmp_path / "out"]
    assert_one_sentence(run(*command, "--format", "nosuch"), "there is no format 'nosuch'", "npz")
    assert_one_sentence(run(*command, "--person", "tallest"), "a person must be all, largest or a number")


def test_the_example_photo_is_written_once(tmp_path):
    path = write_example_photo(tmp_path / "out")
    before = path.stat().st_mtime_ns
    assert write_example_photo(tmp_path / "out") == path and path.stat().st_mtime_ns == before


def test_a_camera_goes_without_photos(tmp_path):
    assert_one_sentence(run("predict", tmp_path / "a.jpg", "--camera", 0), "--camera shows what the camera sees")
