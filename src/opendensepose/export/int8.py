"""Networks in 8-bit integers: ONNX graphs whose convolutions multiply bytes, two to three times as fast on processors
with instructions for that (VNNI on x86, dot products on ARM).

Weights are rounded to 255 steps for each output channel, what flows between layers to 256 steps over the range it takes
on calibration photos. Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, CVPR 2018, section 2; without training.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput
from opendensepose.models.densepose_lite.prepared import PreparedDensePoseLite, Runtime

__all__ = ["CALIBRATION_PHOTOS", "network_inputs", "quantise"]

CALIBRATION_PHOTOS = 40  # as many are read
CALIBRATION_IMAGES = 60  # as many of what a network sees of them; spread evenly

OPERATORS = ("Conv", "Relu", "Add", "Concat", "Resize")  # what lies between two convolutions stays in integers too


class _RecordingRuntime:
    """A `Runtime` that keeps what its networks see: `detected` and `labelled`, images (1, H, W, 3) uint8."""

    def __init__(self, runtime: Runtime):
        self.runtime = runtime
        self.crop_hw, self.refine_hw = runtime.crop_hw, runtime.refine_hw
        self.detect_sides, self.min_score = runtime.detect_sides, runtime.min_score
        self.detected: list[np.ndarray] = []
        self.labelled: list[np.ndarray] = []

    def detect(self, images_rgb: np.ndarray) -> DetectionOutput:
        """See `Runtime.detect`."""
        self.detected += np.split(images_rgb, len(images_rgb))
        return self.runtime.detect(images_rgb)

    def label(self, crops_rgb: np.ndarray) -> DenseOutput:
        """See `Runtime.label`."""
        self.labelled += np.split(crops_rgb, len(crops_rgb))
        return self.runtime.label(crops_rgb)


def network_inputs(runtime: Runtime, photos: Iterable[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return what the detector and the labeller see of photos (H, W, 3) uint8 RGB: images (1, H, W, 3) uint8."""
    recording = _RecordingRuntime(runtime)
    prepared = PreparedDensePoseLite(recording)
    for photo in photos:
        prepared.find([photo], prepared.min_score)
    return recording.detected, recording.labelled


def quantise(graph: onnx.ModelProto, images: Sequence[np.ndarray]) -> onnx.ModelProto:
    """Return a network's graph in integers, but for its last convolutions: inputs, outputs and metadata stay.

    images: what the network sees, (1, H, W, 3) uint8, to measure ranges on. Changes the given graph.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    chosen = np.unique(np.linspace(0, len(images) - 1, CALIBRATION_IMAGES).round().astype(int))
    left = iter([{"image": images[k]} for k in chosen])

    class Reader(CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(left, None)

    with TemporaryDirectory() as folder, _without_warnings():
        file = Path(folder) / "int8.onnx"
        quantize_static(
            graph,
            str(file),
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            op_types_to_quantize=list(OPERATORS),
            nodes_to_exclude=_after_last_convolutions(graph),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(str(file))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence the logger, on which the quantiser advises to simplify the graph; norms are folded already."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _after_last_convolutions(graph: onnx.ModelProto) -> list[str]:
    """Return the names of the nodes from which no convolution follows, the last convolutions among them."""
    leads_on: set[str] = set()  # tensors from which a convolution follows
    names = []
    for node in reversed(graph.graph.node):  # which are sorted
        if leads_on.isdisjoint(node.output):
            names.append(node.name)
        if node.op_type == "Conv" or not leads_on.isdisjoint(node.output) and node.op_type != "Shape":
            leads_on.update(node.input)
    return names
