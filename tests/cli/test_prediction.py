"""The verb `predict`: what it asks for, what it imports, and its example photo."""

import gc
import json
import subprocess
import sys

import numpy as np
from PIL import Image
from tests.cli.running import assert_one_sentence, run

from opendensepose.cli.prediction import _kept_for_good

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
