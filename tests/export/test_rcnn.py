"""One ONNX graph of DensePose R-CNN gives what torch gives, for photos of any size and any number of people."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

from opendensepose.export import export_model
from opendensepose.models.checkpoints.checkpoint import save_checkpoint
from opendensepose.models.zoo import build_model

KWARGS = {"depth": 18, "width": 8, "channels": 32, "head_channels": 32, "head_layers": 2, "box_hidden": 32,
          "norm": "batch", "short_side": 120, "long_side": 200}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    """Random weights that spread scores, and boxes a little: of boxes without area the charts are noise."""
    torch.manual_seed(0)
    model = build_model("densepose_rcnn", **KWARGS).eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2)
        for layer, std in (
            (model.box_head.bbox_pred, 0.002),
            (model.box_head.cls_score, 0.05),
            (model.proposals.objectness_logits, 0.3),
            (model.proposals.anchor_deltas, 0.002),
        ):
            layer.weight.normal_(0, std)
    return model


@pytest.fixture(scope="module")
def session(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rcnn")
    save_checkpoint(folder / "rcnn.safetensors", model, "densepose_rcnn", KWARGS)
    (file,) = export_model(folder / "rcnn.safetensors", "onnx", folder / "body.onnx")
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("size_hw", [(96, 128), (100, 70), (33, 161)])
@pytest.mark.parametrize("min_score", [0.05, 0.6])
def test_the_graph_gives_the_same(model, session, size_hw, min_score):
    image = np.random.default_rng(1).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    outputs = session.run(None, {"image": image, "min_score": np.array(min_score, np.float32)})
    with torch.inference_mode():
        (found,), charts = model([torch.from_numpy(image).permute(2, 0, 1)], None, min_score)
    expected = [part.numpy() for part in (*found, *charts) if part is not None]
    assert [one.name for one in session.get_outputs()] == ["boxes", "scores", "coarse", "fine", "u", "v"]
    assert len(found.boxes) > 0
    for output, other in zip(outputs, expected, strict=True):
        assert output.shape == other.shape
        np.testing.assert_allclose(output, other, rtol=0, atol=1e-3 * max(1.0, other.std()))


def test_nobody_gives_no_rows(session):
    image = np.zeros((64, 64, 3), np.uint8)
    outputs = session.run(None, {"image": image, "min_score": np.array(1, np.float32)})
    assert [len(one) for one in outputs] == [0] * 6 and outputs[3].shape[1:] == (25, 112, 112)


def test_the_settings_travel_along(model, session):
    about = json.loads(session.get_modelmeta().custom_metadata_map["about"])
    assert about["format"] == "opendensepose-rcnn-1"
    assert (about["short_side"], about["long_side"], about["min_score"]) == (120, 200, model.min_score)
