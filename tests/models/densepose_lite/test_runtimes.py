"""Exported networks: their names, and that files from anywhere are read with care."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from opendensepose.models.densepose_lite import runtimes
from opendensepose.models.densepose_lite.runtimes import OnnxRuntime, exported_files, settings_text

SETTINGS = {"crop_hw": [64, 48], "refine_hw": [32, 24], "detect_sides": [96, 64], "min_score": 0.4}


@pytest.mark.parametrize("name", ["body.onnx", "body.detect.onnx", "body.label.onnx"])
def test_the_two_files_of_a_model_by_either_name(name):
    files = exported_files(Path("folder") / name)
    assert files == (Path("folder/body.detect.onnx"), Path("folder/body.label.onnx"))


def test_settings_are_read_back():
    text = settings_text(SimpleNamespace(**SETTINGS))
    read = runtimes._read_settings(Path("body.onnx"), text)
    assert read == {**SETTINGS, "crop_hw": (64, 48), "refine_hw": (32, 24), "detect_sides": (96, 64)}


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "is not a network that opendensepose exported"),
        ("[" * 100_000, "is not a network that opendensepose exported"),
        ("[]", "is not a network that opendensepose exported"),
        (json.dumps(SETTINGS), "is not a network that opendensepose exported"),
        (json.dumps({"format": runtimes.EXPORT_FORMAT, "crop_hw": [64, 48]}), "must have the settings"),
    ],
)
def test_other_metadata_are_refused(text, says):
    with pytest.raises(ValueError, match=says):
        runtimes._read_settings(Path("body.onnx"), text)


@pytest.mark.parametrize(
    "name, value",
    [
        ("crop_hw", [64]),
        ("crop_hw", [64, 1e9]),
        ("crop_hw", "64"),
        ("refine_hw", [True, 24]),
        ("detect_sides", []),
        ("detect_sides", [96] * 9),
        ("detect_sides", [100_000]),
        ("min_score", 1.5),
        ("min_score", None),
    ],
)
def test_settings_out_of_bounds_are_refused(name, value):
    text = json.dumps({"format": runtimes.EXPORT_FORMAT, **SETTINGS, name: value})
    with pytest.raises(ValueError, match=f"{name} of body.onnx must"):
        runtimes._read_settings(Path("body.onnx"), text)


def test_a_file_that_is_no_network_is_refused_in_one_sentence(tmp_path):
    for file in exported_files(tmp_path / "body.onnx"):
        file.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="body.detect.onnx cannot be read as a network") as error:
        OnnxRuntime(tmp_path / "body.onnx")
    assert "\n" not in str(error.value)
