"""What is exported gives what torch gives: raw outputs of any batch and size, and people in photos."""

import warnings

import numpy as np
import pytest
import torch

from opendensepose.data.photos import example_photo
from opendensepose.export import export_lite_onnx, export_model
from opendensepose.models.checkpoints.checkpoint import load_checkpoint
from opendensepose.models.checkpoints.model_files import GRAPHS, WEIGHTS
from opendensepose.models.densepose_lite.densepose_lite import TorchRuntime
from opendensepose.models.densepose_lite.runtimes import OnnxRuntime, OpenVinoRuntime
from opendensepose.predict import Predictor

SIZES = {"detect": [(1, 64, 96), (3, 96, 32), (2, 32, 160)], "label": [(1, 64, 48), (4, 32, 24), (2, 20, 44)]}


def assert_same_outputs(runtime, reference):
    random = np.random.default_rng(0)
    for network, sizes in SIZES.items():
        for size in sizes:
            images = random.integers(0, 256, (*size, 3), dtype=np.uint8)
            outputs, expected = (getattr(one, network)(images) for one in (runtime, reference))
            for name, output, other in zip(expected._fields, outputs, expected, strict=True):
                np.testing.assert_allclose(output, other, atol=1e-3, rtol=1e-4, err_msg=f"{network}, {name}, {size}")
    for name in ("crop_hw", "refine_hw", "detect_sides", "min_score"):
        assert getattr(runtime, name) == getattr(reference, name)


@pytest.fixture(scope="module")
def reference(tiny):
    return TorchRuntime(load_checkpoint(tiny).model)


def test_onnx_gives_the_same_on_both_runtimes(tiny, reference, tmp_path):
    files = export_model(tiny, "onnx", tmp_path / "body.onnx")
    assert [file.name for file in files] == ["body.detect.onnx", "body.label.onnx"]
    assert_same_outputs(OnnxRuntime(tmp_path / "body.onnx"), reference)
    assert_same_outputs(OnnxRuntime(tmp_path / "body.label.onnx"), reference)
    pytest.importorskip("openvino")
    assert_same_outputs(OpenVinoRuntime(tmp_path / "body.onnx"), reference)


def test_openvino_gives_the_same(tiny, reference, tmp_path):
    pytest.importorskip("openvino")
    files = export_model(tiny, "openvino", tmp_path / "body.xml")
    assert sorted(tmp_path.iterdir()) == sorted(files) and len(files) == 4
    assert_same_outputs(OpenVinoRuntime(tmp_path / "body.xml"), reference)


def test_torchscript_gives_the_same(tiny, reference, tmp_path):
    (file,) = export_model(tiny, "torchscript", tmp_path / "body.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.load(str(file))
    for network, sizes in SIZES.items():
        for size in sizes:
            images = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
            for output, other in zip(
                getattr(script, network)(torch.from_numpy(images)), getattr(reference, network)(images), strict=True
            ):
                np.testing.assert_allclose(output.detach().numpy(), other, atol=1e-3, rtol=1e-4)


def test_weights_may_stay_in_the_checkpoint_beside_the_graphs(tiny, reference, tmp_path):
    beside = tmp_path / tiny.name
    beside.write_bytes(tiny.read_bytes())
    files = export_lite_onnx(load_checkpoint(tiny).model, tmp_path / "tiny.onnx", weights=beside)
    assert_same_outputs(OnnxRuntime(tmp_path / "tiny.onnx"), reference)
    whole = export_model(tiny, "onnx", tmp_path / "whole.onnx")
    assert sum(file.stat().st_size for file in files) < 2 * sum(file.stat().st_size for file in whole)
    beside.unlink()
    with pytest.raises(ValueError, match="cannot be read as a network"):
        OnnxRuntime(tmp_path / "tiny.onnx")


def test_the_released_graphs_are_those_of_the_released_weights(tmp_path):
    """Exported again they give the same; on a photo torch's labels are theirs to 1e-3."""
    model = load_checkpoint(WEIGHTS["default"]).model
    (tmp_path / WEIGHTS["default"].name).write_bytes(WEIGHTS["default"].read_bytes())
    again = export_lite_onnx(model, tmp_path / GRAPHS["default"].name, WEIGHTS["default"])
    assert all(file.stat().st_size < 200_000 for file in again)
    image = example_photo()
    torchs, shipped, anew = (
        Predictor(device="cpu", backend="torch")(image),
        Predictor(device="cpu", backend="onnxruntime")(image),
        Predictor(tmp_path / GRAPHS["default"].name)(image),
    )
    assert len(torchs) == 1
    for people in (shipped, anew):
        for one, other in zip(people, torchs, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-3)
            np.testing.assert_allclose(one.box_xyxy, other.box_xyxy, atol=0.5)
            same = one.iuv.i == other.iuv.i
            assert same.mean() > 0.9999
            for mine, theirs in (
                (one.iuv.u, other.iuv.u),
                (one.iuv.v, other.iuv.v),
                (one.confidence, other.confidence),
            ):
                np.testing.assert_allclose(mine[same], theirs[same], atol=1e-3)


@pytest.mark.parametrize(
    "format_name, name, says",
    [
        (
            "tflite",
            "body.tflite",
            "format must be one of onnx, onnx-int8, openvino, torchscript, controlnet, got 'tflite'",
        ),
        ("onnx", "body.pt", "a file of onnx must end in .onnx, got 'body.pt'"),
        ("onnx", "gone/body.onnx", "there is no folder"),
    ],
)
def test_what_cannot_be_exported_is_said(tiny, tmp_path, format_name, name, says):
    with pytest.raises(ValueError, match=says):
        export_model(tiny, format_name, tmp_path / name)
    assert not list(tmp_path.iterdir())
