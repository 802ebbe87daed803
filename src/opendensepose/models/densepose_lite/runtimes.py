"""DensePoseLite in other libraries than torch: ONNX Runtime and OpenVINO run the networks that `export` wrote.

An exported model is two files, `<stem>.detect<suffix>` and `<stem>.label<suffix>`, each with the settings of prediction
in its metadata.
"""

import json
import os
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput

__all__ = ["EXPORT_FORMAT", "OnnxRuntime", "OpenVinoRuntime", "exported_files", "settings_text"]

EXPORT_FORMAT = "opendensepose-export-1"
NETWORKS = ("detect", "label")
SETTINGS = {"crop_hw": (16, 512, 2), "refine_hw": (16, 512, 2), "detect_sides": (32, 1024, 8)}  # least, most, how many


def exported_files(path: Path) -> tuple[Path, Path]:
    """Return the files of the two networks of the exported model body.onnx: body.detect.onnx and body.label.onnx.

    path: the model's, which need not exist itself, or either of the two.
    """
    stem, suffix = path.stem, path.suffix
    for network in NETWORKS:
        stem = stem.removesuffix(f".{network}")
    detect, label = (path.with_name(f"{stem}.{network}{suffix}") for network in NETWORKS)
    return detect, label


def settings_text(model: Any) -> str:
    """Write the settings of a DensePoseLite as JSON, for an exported file's metadata."""
    settings = {name: getattr(model, name) for name in (*SETTINGS, "min_score")}
    return json.dumps({"format": EXPORT_FORMAT, **settings})


def _read_settings(path: Path, text: str) -> dict[str, Any]:
    """Read what `settings_text` wrote. ValueError, one sentence, for anything else: a file may come from anywhere."""
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or about.pop("format", None) != EXPORT_FORMAT:
        raise ValueError(f"{path} is not a network that opendensepose exported: its metadata lack {EXPORT_FORMAT!r}.")
    if about.keys() != {*SETTINGS, "min_score"}:
        raise ValueError(f"{path} must have the settings {', '.join(SETTINGS)}, min_score, got {reprlib.repr(about)}.")
    for name, (least, most, count) in SETTINGS.items():
        value = about[name]
        is_list = isinstance(value, list) and 1 <= len(value) <= count and (count == 8 or len(value) == count)
        if not is_list or not all(type(one) is int and least <= one <= most for one in value):
            raise ValueError(f"{name} of {path} must be whole numbers in [{least}, {most}], got {reprlib.repr(value)}.")
        about[name] = tuple(value)
    if type(about["min_score"]) not in (int, float) or not 0 <= about["min_score"] <= 1:
        raise ValueError(f"min_score of {path} must lie in [0, 1], got {reprlib.repr(about['min_score'])}.")
    return about


def _open(file: Path, reader: Callable[[str], Any]) -> Any:
    """Read a network's file. FileNotFoundError, ValueError, one sentence, if it is not there or not one."""
    if not file.is_file():
        raise FileNotFoundError(f"there is no exported network {file}.")
    try:
        return reader(str(file))
    except Exception as error:  # both libraries raise classes of their own, as many as there are defects
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{file} cannot be read as a network: {reason}.") from error


def _threads() -> int:
    """Return how many threads a network may take, as OMP_NUM_THREADS says, torch's limit too; 0: as many as suit it."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdecimal() else 0


class _Exported:
    """The settings of an exported DensePoseLite, see `Runtime`."""

    def __init__(self, path: Path, text: str):
        settings = _read_settings(path, text)
        self.crop_hw: tuple[int, int] = settings["crop_hw"]
        self.refine_hw: tuple[int, int] = settings["refine_hw"]
        self.detect_sides: tuple[int, ...] = settings["detect_sides"]
        self.min_score: float = settings["min_score"]


class OnnxRuntime(_Exported):
    """A DensePoseLite run by ONNX Runtime on the CPU, as a `Runtime`. path: see `exported_files`. ValueError, one
    sentence, if the files are not exported networks."""

    def __init__(self, path: Path):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        options.intra_op_num_threads = _threads()
        # Threads that wait in a loop take the processor from the rest of the program, and from others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._detect, self._label = (
            _open(file, lambda file: onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"]))
            for file in exported_files(path)
        )
        super().__init__(path, self._label.get_modelmeta().custom_metadata_map.get("about", ""))

    def detect(self, images_rgb: np.ndarray) -> DetectionOutput:
        """See `Runtime.detect`."""
        return DetectionOutput(*self._detect.run(list(DetectionOutput._fields), {"image": images_rgb}))

    def label(self, crops_rgb: np.ndarray) -> DenseOutput:
        """See `Runtime.label`."""
        return DenseOutput(*self._label.run(list(DenseOutput._fields), {"image": crops_rgb}))


class OpenVinoRuntime(_Exported):
    """A DensePoseLite run by OpenVINO on the CPU, in float32, as a `Runtime`. path: see `exported_files`, ONNX or
    OpenVINO's own (.xml). ValueError, one sentence, if the files are not exported networks."""

    def __init__(self, path: Path):
        import openvino

        core = openvino.Core()
        models = [_open(file, core.read_model) for file in exported_files(path)]
        # Its default on processors that have bfloat16 is bfloat16: charts' logits differ by up to 0.1 then.
        options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        options |= {"INFERENCE_NUM_THREADS": str(_threads())}
        self._detect, self._label = (core.compile_model(model, "CPU", options) for model in models)
        where = ["framework", "about"]  # ONNX's metadata, which its own files keep
        text = models[1].get_rt_info(where).value if models[1].has_rt_info(where) else ""
        super().__init__(path, text)

    def detect(self, images_rgb: np.ndarray) -> DetectionOutput:
        """See `Runtime.detect`."""
        outputs = self._detect(images_rgb)
        return DetectionOutput(*(outputs[name] for name in DetectionOutput._fields))

    def label(self, crops_rgb: np.ndarray) -> DenseOutput:
        """See `Runtime.label`."""
        outputs = self._label(crops_rgb)
        return DenseOutput(*(outputs[name] for name in DenseOutput._fields))
