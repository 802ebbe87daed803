"""Puts a training run's weights into the package, with the settings of prediction that were measured to be best.

python scripts/release_weights.py runs/default/default.safetensors [--crop-hw 192 144] [--min-score 0.3]
    [--confidence SCALE SHIFT | --fit-confidence FOLDER [--pictures 100]]

Writes src/opendensepose/models/weights/default.safetensors in float16, and beside it the two ONNX graphs that read
their weights from it. What is not given stays as in the run. To write the graphs anew, give the released weights.

--fit-confidence renders pictures of one to five people into FOLDER, whose seed is neither training's nor the
benchmark's, labels them with these weights and settings, and fits the two numbers that make confidence the probability
of a label within 10 cm of the truth (`evaluation.reliability.platt_scaling`). Run again, it goes on where it stopped.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from opendensepose.benchmark import MIN_SCORE, PEOPLE, SIZE_HW, predict_missing, prediction_folder
from opendensepose.evaluate import evaluate_files
from opendensepose.evaluation.reliability import RIGHT_M, platt_scaling, reliability_bins
from opendensepose.export import export_lite_onnx
from opendensepose.models.checkpoints.checkpoint import WEIGHTS, Checkpoint, load_checkpoint, save_checkpoint
from opendensepose.render import render_dataset

CONFIDENCE_SEED = 20_261_129
AS_LEARNED = {"confidence_scale": 1.0, "confidence_shift": 0.0}


def fit_confidence(run: Checkpoint, kwargs: dict, folder: Path, pictures: int) -> dict[str, float]:
    """Fit confidence_scale and confidence_shift of a network with these keyword arguments on rendered pictures."""
    annotations = render_dataset(
        folder / "set", count=pictures, seed=CONFIDENCE_SEED, size_hw=SIZE_HW, people_range=PEOPLE
    )
    weights = folder / "as_learned.safetensors"
    save_checkpoint(weights, run.model, run.architecture, kwargs | AS_LEARNED, run.recipe, run.scores, torch.float16)
    predictions = prediction_folder(folder, weights, MIN_SCORE, "torch")
    predict_missing(annotations.parent / "images", predictions, str(weights), None, MIN_SCORE, pictures)
    measures = evaluate_files(predictions, annotations).measures
    known = np.isfinite(measures.confidence)
    confidence, error_m = measures.confidence[known], measures.error_m[known]
    scale, shift = platt_scaling(confidence, error_m <= RIGHT_M)
    error = reliability_bins(confidence, error_m).expected_calibration_error
    print(
        f"confidence of {known.sum()} points: {scale=:.3f} {shift=:.3f}; expected calibration error before {error:.3f}"
    )
    return {"confidence_scale": round(scale, 3), "confidence_shift": round(shift, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--crop-hw", type=int, nargs=2)
    parser.add_argument("--refine-hw", type=int, nargs=2)
    parser.add_argument("--min-score", type=float)
    confidence = parser.add_mutually_exclusive_group()
    confidence.add_argument("--confidence", type=float, nargs=2, metavar=("SCALE", "SHIFT"))
    confidence.add_argument("--fit-confidence", type=Path, metavar="FOLDER")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--out", type=Path, default=WEIGHTS["default"])
    args = parser.parse_args()
    run = load_checkpoint(args.weights)
    given = {name: getattr(args, name) for name in ("crop_hw", "refine_hw", "min_score")}
    kwargs = run.kwargs | {name: value for name, value in given.items() if value is not None}
    if args.confidence:
        kwargs |= dict(zip(AS_LEARNED, args.confidence, strict=True))
    if args.fit_confidence:
        kwargs |= fit_confidence(run, kwargs, args.fit_confidence, args.pictures)
    save_checkpoint(args.out, run.model, run.architecture, kwargs, run.recipe, run.scores, torch.float16)
    graphs = export_lite_onnx(load_checkpoint(args.out).model, args.out.with_suffix(".onnx"), args.out)
    print(*graphs, sep="\n")
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB, {kwargs}")


if __name__ == "__main__":
    main()
