"""The networks in 8-bit integers say nearly what those in float32 say."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from opendensepose.export import export_lite_onnx, export_model, int8
from opendensepose.models.checkpoints.checkpoint import load_checkpoint
from opendensepose.models.densepose_lite.densepose_lite import TorchRuntime
from opendensepose.models.densepose_lite.runtimes import OnnxRuntime


def test_a_convolution_by_hand(tmp_path):
    """Weights +-1 and +-2 and inputs 0..255 need no rounding; the second convolution, the last, stays in float32."""
    weights = {"a.w": np.float32([[[[2]]], [[[-1]]]]), "b.w": np.float32([[[[1]], [[1]]]])}
    nodes = [
        helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["x", "a.w"], ["y"], name="a"),
        helper.make_node("Conv", ["y", "b.w"], ["z"], name="b"),
    ]
    graph = helper.make_graph(
        nodes,
        "two",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 1, "h", "w"])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 1, "h", "w"])],
        [helper.make_tensor(name, TensorProto.FLOAT, w.shape, w.ravel()) for name, w in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    assert int8._after_last_convolutions(model) == ["b"]
    image = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    quantised = int8.quantise(model, [image])
    kept = {one.name: one.data_type for one in quantised.graph.initializer}
    assert kept["b.w"] == TensorProto.FLOAT and TensorProto.INT8 in kept.values()
    import onnxruntime

    session = onnxruntime.InferenceSession(quantised.SerializeToString(), providers=["CPUExecutionProvider"])
    (z,) = session.run(None, {"image": image})
    step = 3 * 255 / 255  # of y, which lies in [-255, 510]
    np.testing.assert_allclose(z, image.astype(np.float32), atol=2.5 * step)


def test_integers_say_nearly_what_float32_says(tiny, tmp_path):
    runtime = TorchRuntime(load_checkpoint(tiny).model)
    images = [np.random.default_rng(k).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8) for k in range(6)]
    graphs = export_lite_onnx(load_checkpoint(tiny).model, tmp_path / "body.onnx")
    for graph in graphs:
        onnx.save(int8.quantise(onnx.load(graph), images), graph)
    quantised = OnnxRuntime(tmp_path / "body.onnx")  # its settings are read too
    other = np.random.default_rng(9).integers(0, 256, (2, 96, 64, 3), dtype=np.uint8)
    for network in ("detect", "label"):
        for output, expected in zip(getattr(quantised, network)(other), getattr(runtime, network)(other), strict=True):
            assert output.shape == expected.shape
            assert np.abs(output - expected).mean() < 0.1 * max(expected.std(), 0.1)


def test_what_the_networks_see_of_a_photo_is_kept(tiny):
    """A detector that finds one box: the photo is seen once, the person in a small crop and a large one."""
    found = TorchRuntime(load_checkpoint(tiny).model).detect(np.zeros((1, 96, 96, 3), np.uint8))
    heat, boxes = np.full_like(found.heat_logit, -9), np.zeros_like(found.boxes_xyxy)
    heat[0, 5, 5], boxes[0, 5, 5] = 0.5, (10, 10, 80, 90)  # not so sure that the small crop is left out

    class OneBox(TorchRuntime):
        def detect(self, images_rgb):
            return found._replace(heat_logit=heat, boxes_xyxy=boxes)

        def label(self, crops_rgb):
            output = super().label(crops_rgb)
            return output._replace(quality_logit=np.full_like(output.quality_logit, 9))

    photo = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    runtime = OneBox(load_checkpoint(tiny).model)
    runtime.detect_sides = (96,)
    detected, labelled = int8.network_inputs(runtime, [photo])
    assert [one.shape for one in detected] == [(1, 96, 96, 3)]
    assert [one.shape for one in labelled] == [(1, 32, 24, 3), (1, 64, 48, 3), (1, 64, 48, 3)]
    np.testing.assert_array_equal(labelled[1][:, :, ::-1], labelled[2])  # mirrored
    np.testing.assert_array_equal(detected[0][0], photo)


def test_export_calibrates_on_photos(tiny, tmp_path, monkeypatch):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(np.full((64, 96, 3), 60, np.uint8)).save(photos / "one.png")
    seen = []

    def inputs(runtime, images):
        seen.extend(images)
        return [one[None] for one in seen], [one[None] for one in seen]

    monkeypatch.setattr("opendensepose.export.export.network_inputs", inputs)
    files = export_model(tiny, "onnx-int8", tmp_path / "body.onnx", [photos])
    assert [file.name for file in files] == ["body.detect.onnx", "body.label.onnx"]
    assert [one.shape for one in seen] == [(64, 96, 3)]
    assert OnnxRuntime(tmp_path / "body.onnx").crop_hw == (64, 48)
    for file in files:
        file.unlink()
    monkeypatch.setattr("opendensepose.export.export.network_inputs", lambda runtime, images: ([*images], []))
    for format_name, given, says in (
        ("onnx-int8", [photos], "nobody is found in the 1 photos to calibrate on"),
        ("onnx-int8", [], "onnx-int8 needs photos of people to calibrate on"),
        ("onnx", [photos], "only onnx-int8 is calibrated on photos, got some for onnx"),
        ("onnx-int8", [tmp_path / "none"], "there is no file or folder"),
    ):
        with pytest.raises(ValueError, match=says):
            export_model(tiny, format_name, tmp_path / "body.onnx", given)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
