#!/usr/bin/env python3
"""What each ingredient of the rendered pictures is worth: runs that differ in it alone, measured alike.

    python benchmarks/ablation.py --out runs/ablation --start default --steps 800 [--photos DIR] [--pictures 100]

One run with all ingredients and one without each of the named ones (--without, default wardrobe, panoramas,
hard_negatives): the same start, steps and seed. Each is measured on the benchmark's first pictures (AUC30, AP), on
person-free photos that training never sees (share with nobody found) and, where --photos names them, on real photos
with reference maps (agreement, foreground IoU, label). Prints a Markdown table; finished runs are not trained anew.
"""

import argparse
from pathlib import Path

from opendensepose import Predictor
from opendensepose.benchmark import run_benchmark
from opendensepose.evaluation.rcp import auc
from opendensepose.models.checkpoints.checkpoint import load_checkpoint
from opendensepose.synth.person_free_photos import HELD_OUT_PHOTOS, load_person_free_photo
from opendensepose.training import default, train
from opendensepose.training.rendered.validate import measure_photos


def trained(out: Path, left_out: str | None, start: str, steps: int, learning_rate: float) -> Path:
    """The weights of a run without an ingredient (None: with all)."""
    folder = out / (f"without_{left_out}" if left_out else "all")
    weights = folder / "default.safetensors"
    if not weights.exists():
        without = (left_out,) if left_out else ()
        recipe = default(steps=steps, minutes=None, learning_rate=learning_rate, without=without, workers=1)
        train(recipe, folder, resume=True, start=start)
    return weights


def measured(weights: Path, out: Path, photos: Path | None, num_pictures: int) -> dict[str, float]:
    model = load_checkpoint(weights).model
    row = {}
    if photos:
        figures = measure_photos(model, photos)
        row |= {name: figures[name] for name in ("agreement", "fg_iou", "label")}
    evaluation, _ = run_benchmark(out / "benchmark", model=str(weights), count=num_pictures)
    row["AUC30"], row["AP"] = auc(evaluation.measures.error_m, 0.3), evaluation.measures.gps["kappa"].ap
    predictor = Predictor(model)
    empty = [not predictor(load_person_free_photo(name)) for name in HELD_OUT_PHOTOS]
    return row | {"nobody found": sum(empty) / len(empty)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", default="default")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--without", nargs="*", default=["wardrobe", "panoramas", "hard_negatives"])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--pictures", type=int, default=100)
    args = parser.parse_args()
    rows = {}
    for left_out in (None, *args.without):
        weights = trained(args.out, left_out, args.start, args.steps, args.learning_rate)
        rows[f"without {left_out}" if left_out else "all"] = measured(weights, args.out, args.photos, args.pictures)
    columns = list(rows["all"])
    print("| ingredients | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[column]:.3f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
