#!/usr/bin/env python3
"""How long the default model takes on a CPU in each library, in rounds that take turns: least times in milliseconds.

    python benchmarks/backends.py [--rounds 10] [--threads 1] [--calibration FOLDER]

Rows: the detector on a photo of 640 x 480 (three scales), one crop labelled (with its mirror image), and the whole call
of one person found and labelled. Columns: wall and processor time, and processor time against ONNX Runtime's. Minima of
rounds that take turns mean something on a busy machine too. int8 is ONNX Runtime's static quantisation of all
convolutions, calibrated on the photos of a folder (rendered people): given one, it is measured too, and how far its
labels agree with float32's on those photos.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch

from opendensepose.data.example import example_photo
from opendensepose.data.photos import find_photos, read_photo
from opendensepose.export import export_model
from opendensepose.models.densepose_lite.crops import crop_and_resize
from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput
from opendensepose.models.densepose_lite.prepared import PreparedDensePoseLite
from opendensepose.models.densepose_lite.runtimes import exported_files
from opendensepose.predict import Predictor

DETECT_HW = ((192, 256), (128, 160), (288, 384))


def photo_640() -> np.ndarray:
    photo = np.full((480, 640, 3), 127, np.uint8)
    photo[:, 80:560] = cv2.resize(example_photo(), (480, 480), interpolation=cv2.INTER_AREA)
    return photo


class Script:
    """The TorchScript file as a `Runtime`."""

    def __init__(self, path: Path, settings: object):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.script = torch.jit.load(str(path)).eval()
        for name in ("crop_hw", "refine_hw", "detect_sides", "min_score"):
            setattr(self, name, getattr(settings, name))

    @torch.inference_mode()
    def detect(self, images: np.ndarray) -> DetectionOutput:
        return DetectionOutput(*(part.numpy() for part in self.script.detect(torch.from_numpy(images))))

    @torch.inference_mode()
    def label(self, crops: np.ndarray) -> DenseOutput:
        return DenseOutput(*(part.numpy() for part in self.script.label(torch.from_numpy(crops))))


def quantised(folder: Path, photos: list[np.ndarray], runtime: object) -> Path:
    """Quantise body.onnx in the folder to int8, calibrated on what the networks see of the photos."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self, arrays: list[np.ndarray]):
            self.left = iter(arrays)

        def get_next(self) -> dict | None:
            array = next(self.left, None)
            return None if array is None else {"image": array}

    h, w = runtime.crop_hw
    whole = [crop_and_resize(one, (0, 0, one.shape[1], one.shape[0]), (192, 256))[None] for one in photos]
    crops = [crop_and_resize(one, (0, 0, one.shape[0] * w // h, one.shape[0]), (h, w))[None] for one in photos]
    for file, arrays, out in zip(
        exported_files(folder / "body.onnx"), (whole, crops), exported_files(folder / "int8.onnx"), strict=True
    ):
        quant_pre_process(str(file), str(out), skip_symbolic_shape=True)
        options = {"quant_format": QuantFormat.QDQ, "per_channel": True, "op_types_to_quantize": ["Conv"]}
        quantize_static(
            str(out), str(out), Reader(arrays), **options, weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8
        )
    return folder / "int8.onnx"


def agreement(predictor: Predictor, reference: Predictor, photos: list[np.ndarray]) -> float:
    """Pixels with the same chart in both / pixels with a person in either, over all photos."""
    same = either = 0
    for photo in photos:
        maps = []
        for one in (predictor, reference):
            charts = np.zeros(photo.shape[:2], np.uint8)
            for person in reversed(one(photo)):
                charts[person.iuv.i > 0] = person.iuv.i[person.iuv.i > 0]
            maps.append(charts)
        same += int(((maps[0] == maps[1]) & (maps[0] > 0)).sum())
        either += int(((maps[0] > 0) | (maps[1] > 0)).sum())
    return same / max(1, either)


def least_ms(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """Least wall and processor time of each call, in rounds that take turns."""
    least = dict.fromkeys(calls, (np.inf, np.inf))
    for number in range(rounds + 1):
        for name, call in calls.items():
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            took = 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)
            if number:  # the first is not timed
                least[name] = tuple(np.minimum(least[name], took))
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=None, help="of torch; the others take all cores")
    parser.add_argument("--calibration", type=Path, default=None)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    photo, random = photo_640(), np.random.default_rng(0)
    with TemporaryDirectory() as name:
        folder = Path(name)
        predictors = {
            "ONNX Runtime": Predictor(device="cpu", backend="onnxruntime"),
            "OpenVINO": Predictor(device="cpu", backend="openvino"),
            "torch, eager": Predictor(device="cpu", backend="torch"),
        }
        settings = predictors["torch, eager"].network.runtime
        (script,) = export_model("default", "torchscript", folder / "body.pt")
        predictors["TorchScript"] = Predictor(device="cpu")
        predictors["TorchScript"].network = PreparedDensePoseLite(Script(script, settings))
        if args.calibration:
            photos = [read_photo(path) for path in find_photos([args.calibration])][:32]
            export_model("default", "onnx", folder / "body.onnx")
            predictors["ONNX Runtime, int8"] = Predictor(quantised(folder, photos, settings))
        runtimes = {name: one.network.runtime for name, one in predictors.items()}
        images = [random.integers(0, 256, (1, *hw, 3), dtype=np.uint8) for hw in DETECT_HW]
        crops = random.integers(0, 256, (2, *settings.crop_hw, 3), dtype=np.uint8)
        rows = {
            "detect, 3 scales": lambda one: lambda: [one.detect(image) for image in images],
            "label, 1 crop": lambda one: lambda: one.label(crops),
        }
        print(f"{'what':20s}{'library':22s}{'wall ms':>10s}{'CPU ms':>10s}{'ratio':>8s}")
        for row, of in rows.items():
            print_row(row, least_ms({name: of(one) for name, one in runtimes.items()}, args.rounds))
        print_row("whole call", least_ms({k: lambda p=p: p(photo) for k, p in predictors.items()}, args.rounds))
        if args.calibration:
            share = agreement(predictors["ONNX Runtime, int8"], predictors["ONNX Runtime"], photos)
            print(f"int8 agrees with float32 on {share:.3f} of the pixels with a person")


def print_row(row: str, least: dict[str, tuple[float, float]]) -> None:
    for name, (wall, cpu) in least.items():
        print(f"{row:20s}{name:22s}{wall:10.1f}{cpu:10.1f}{cpu / least['ONNX Runtime'][1]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
