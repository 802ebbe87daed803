#!/usr/bin/env python3
"""What each ingredient of the rendered pictures is worth: runs that differ in it alone, measured alike.

    python benchmarks/ablation.py --out runs/ablation --start default --steps 800 [--photos DIR] [--pictures 100]
    python benchmarks/ablation.py --out runs/ablation --start FILE --new-heads --steps 300 --learning-rate 0.002

One run with all ingredients and one without each of the named ones (--without, default wardrobe, panoramas,
hard_negatives): the same start, steps and seed. --new-heads: the backbone of --start stays as it is, and heads that
know nothing yet learn on it, with a rate that falls to 0. What they know in the end comes from these pictures alone,
and a run is a matter of minutes; --start should be weights that have not seen the ingredients. Each run is measured on
the benchmark's first pictures (AUC30, AP), on person-free photos that training never sees (share with nobody found)
and, where --photos names them, on real photos with reference maps (agreement, foreground IoU, label). Prints a Markdown
table; finished runs are not trained anew.
"""

import argparse
from pathlib import Path
from typing import Any

import torch

from opendensepose import Predictor
from opendensepose.benchmark import run_benchmark
from opendensepose.evaluation.rcp import auc
from opendensepose.models.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from opendensepose.models.checkpoints.model_files import weights_path
from opendensepose.models.zoo import build_model
from opendensepose.synth.person_free_photos import HELD_OUT_PHOTOS, load_person_free_photo
from opendensepose.training import Recipe, default, train
from opendensepose.training.rendered.validate import measure_photos

CROP_HW = (192, 144)  # at which networks with new heads predict: the largest crops that they learn from
SCALES = ((0.5, 0.6), (0.75, 0.4))  # of crops of 256 x 192, for new heads


def trained(out: Path, left_out: str | None, start: str, new_heads: bool, **settings: Any) -> Path:
    """The weights of a run without an ingredient (None: with all)."""
    folder = out / (f"without_{left_out}" if left_out else "all")
    weights = folder / "default.safetensors"
    if not weights.exists():
        recipe = default(minutes=None, without=(left_out,) if left_out else (), workers=1, **settings)
        if new_heads:
            recipe = recipe.changed(
                frozen=("backbone",), crop_scales=SCALES, warmup_steps=20, decay_steps=None, drops=None, ema_decay=0.99,
                kwargs=recipe.kwargs | {"crop_hw": CROP_HW},
            )  # fmt: skip
            start = str(with_new_heads(recipe, start, out / "start.safetensors"))
        train(recipe, folder, resume=True, start=start)
    return weights


def with_new_heads(recipe: Recipe, start: str, path: Path) -> Path:
    """Write the recipe's network, random but for the backbone of `start`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    network = build_model(recipe.architecture, **recipe.kwargs)
    network.backbone.load_state_dict(load_checkpoint(weights_path(start)).model.backbone.state_dict())
    save_checkpoint(path, network, recipe.architecture, recipe.kwargs)
    return path


def measured(
    weights: Path, out: Path, photos: Path | None, num_pictures: int, min_score: float | None
) -> dict[str, float]:
    model = load_checkpoint(weights).model
    if min_score is not None:
        model.min_score = min_score
    row = {}
    if photos:
        figures = measure_photos(model, photos)
        row |= {name: figures[name] for name in ("agreement", "fg_iou", "label")}
    least = {} if min_score is None else {"min_score": min_score}
    evaluation, _ = run_benchmark(out / "benchmark", model=str(weights), count=num_pictures, **least)
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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--new-heads", action="store_true")
    parser.add_argument("--without", nargs="*", default=["wardrobe", "panoramas", "hard_negatives"])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--min-score", type=float, help="of people; new heads are not sure of anybody: 0.1 for them")
    args = parser.parse_args()
    settings = {"steps": args.steps, "learning_rate": args.learning_rate, "seed": args.seed}
    rows = {}
    for left_out in (None, *args.without):
        weights = trained(args.out, left_out, args.start, args.new_heads, **settings)
        rows[f"without {left_out}" if left_out else "all"] = measured(
            weights, args.out, args.photos, args.pictures, args.min_score
        )
    columns = list(rows["all"])
    print("| ingredients | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(f"{row[column]:.3f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
