#!/usr/bin/env python3
"""How long the default model takes on a CPU in each library, in rounds that take turns: least times in milliseconds.

    python benchmarks/backends.py [--rounds 10] [--threads 1] [--calibration FOLDER]

Rows: the detector on a photo of 640 x 480 (three scales), one crop labelled (with its mirror image), the call with one
given box, and the whole call: people found and labelled. Columns: wall and processor time, and processor time against
ONNX Runtime's. Minima of rounds that take turns mean something on a busy machine too. Given a folder of more than 56
photos of people (rendered ones), int8 is measured too: `export --format onnx-int8`, calibrated on the first 40, and how
far its labels agree with float32's on the last 16.
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

from opendensepose.data.photos import example_photo, find_photos, read_photo
from opendensepose.export import export_model
from opendensepose.models.densepose_lite.outputs import DenseOutput, DetectionOutput
from opendensepose.models.densepose_lite.prepared import PreparedDensePoseLite
from opendensepose.predict import Predictor

BOX = (150, 0, 450, 480)  # of the astronaut
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
            export_model("default", "onnx-int8", folder / "int8.onnx", [args.calibration])
            predictors["ONNX Runtime, int8"] = Predictor(folder / "int8.onnx")
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
        given = {k: lambda p=p: p(photo, boxes=[BOX]) for k, p in predictors.items()}
        print_row("one given box", least_ms(given, args.rounds))
        print_row("whole call", least_ms({k: lambda p=p: p(photo) for k, p in predictors.items()}, args.rounds))
        if args.calibration:
            photos = [read_photo(path) for path in find_photos([args.calibration])[-16:]]
            share = agreement(predictors["ONNX Runtime, int8"], predictors["ONNX Runtime"], photos)
            print(f"int8 agrees with float32 on {share:.3f} of the pixels with a person")


def print_row(row: str, least: dict[str, tuple[float, float]]) -> None:
    for name, (wall, cpu) in least.items():
        print(f"{row:20s}{name:22s}{wall:10.1f}{cpu:10.1f}{cpu / least['ONNX Runtime'][1]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
