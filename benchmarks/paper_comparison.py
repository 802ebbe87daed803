"""The paper's comparison of networks, repeated on rendered people with sparse annotations as COCO-DensePose has them.

python benchmarks/paper_comparison.py --out runs/comparison [--steps 1000] [--lines rcnn_small ...] [--only ...]

FCN, R-CNN from points only, R-CNN with a teacher's dense labels, and the cascades: small networks on one set, for as
many steps of as many images. All of them, the teacher too, begin with one ResNet, which learned the same annotations on
crops, in the place of ImageNet's. Renders the sets, trains what is not trained yet, in-paints, predicts, measures, and
prints the table; stopped and run again, it goes on. --only trains these and prints nothing, so that several may run
side by side once the backbone is there. Beside it are the paper's own figures, from multi-person COCO (its table of
RCP, and AP with kappa = 0.255 m): networks with ResNet-101 that began with ImageNet's weights.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from opendensepose.evaluation.average_precision import average_precision_intervals
from opendensepose.evaluation.measures import Measures
from opendensepose.evaluation.tables import pointwise_numbers
from opendensepose.models import load_checkpoint
from opendensepose.render import render_dataset
from opendensepose.training import RECIPES, train
from opendensepose.training.annotated.validate import Validation
from opendensepose.training.distill import distill

SIZE_HW, PEOPLE = (240, 320), (1, 3)
TRAIN_SEED, VALIDATION_SEED = 1, 2
BACKBONE, TEACHER = "backbone_small", "teacher_small"
BOUND = "rcnn_dense_small"  # no line of the paper: how much the best teacher could give
LINES = {  # recipe: (name, the paper's AUC10, AUC30, AP, AR)
    "fcn_small": ("FCN", ".253", ".418", "-", "-"),
    "rcnn_small": ("R-CNN, points only", ".315", ".567", "51.0 (R50)", "60.1"),
    "rcnn_distilled_small": ("R-CNN + distillation", ".381", ".645", "-", "-"),
    "rcnn_dense_small": ("R-CNN, true dense labels", "-", "-", "-", "-"),
    "cascade_masks_small": ("R-CNN cascade + masks", "-", "-", "-", "-"),
    "cascade_keypoints_small": ("R-CNN cascade + keypoints", ".390", ".664", "55.8 (R50)", "63.9"),
}


def trained(recipe: str, out: Path, data: Path, steps: int, backbone: Path | None = None) -> Path:
    """The weights of a recipe, trained now as far as they are not yet."""
    folder = out / recipe
    released = folder / f"{recipe}.safetensors"
    if not released.exists():
        changes = {"steps": steps, "validate_every": steps, "save_every": 100}
        train(RECIPES[recipe](**changes), folder, data, resume=True, backbone=backbone)
    return released


def fill_in(teacher: Path, data: Path) -> None:
    """The teacher's dense labels beside the annotations, averaged over scales only and corrected at the annotated
    points alone, as the paper has it."""
    done = iter(track(range(len(list((data / "images").iterdir()))), "in-painting"))
    distill(teacher, data, mirrored=False, anchored=False, on_image=lambda *_: next(done, None))
    list(done)


def measured(recipe: str, weights: Path, validation: Path) -> list[str]:
    """The recipe's row of the table, measured now unless it was before."""
    kept = weights.with_name("row.json")
    if not kept.exists():
        judge = Validation(validation)
        done = iter(track(judge.ids, recipe))
        measures = judge.measures(load_checkpoint(weights).model, on_image=lambda: next(done, None))
        list(done)
        kept.write_text(json.dumps(row(recipe, measures)))
    return json.loads(kept.read_text())


def row(recipe: str, measures: Measures) -> list[str]:
    """Name, our figures with 95 % intervals, the paper's."""
    name, *published = LINES[recipe]
    points = pointwise_numbers(measures)["all"]
    spread = average_precision_intervals(measures.scored["kappa"], np.random.default_rng(0))
    gps = measures.gps["kappa"].numbers()

    def share(key: str) -> str:
        low, high = points[f"{key}_interval"]
        return f"{points[key]:.3f} ({low:.3f}-{high:.3f})".replace("0.", ".")

    def hundredths(key: str) -> str:
        low, high = (100 * end for end in spread[key])
        return f"{100 * gps[key]:.1f} ({low:.1f}-{high:.1f})"

    box = f"{100 * measures.box.numbers()['ap']:.1f}"
    return [name, share("auc10"), share("auc30"), hundredths("ap"), f"{100 * gps['ap50']:.1f}", hundredths("ar"), box,
            *published]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1000, help="of every network, the teacher too")
    parser.add_argument("--backbone-steps", type=int, default=1500, help="of 32 crops")
    parser.add_argument("--images", type=int, default=3000, help="to learn from")
    parser.add_argument("--validation", type=int, default=300, help="images to measure on")
    lines = [recipe for recipe in LINES if recipe != BOUND]
    parser.add_argument("--lines", nargs="+", choices=LINES, default=lines, help=f"of the table; all but {BOUND}")
    parser.add_argument("--only", nargs="*", choices=[TEACHER, *LINES], help="train these, and no table")
    arguments = parser.parse_args()
    torch.set_num_threads(min(torch.get_num_threads(), 2))
    out, sets = arguments.out, {"size_hw": SIZE_HW, "people_range": PEOPLE}
    train_set = render_dataset(out / "train", count=arguments.images, seed=TRAIN_SEED, **sets).parent
    validation = render_dataset(out / "validation", count=arguments.validation, seed=VALIDATION_SEED, **sets).parent
    recipes = arguments.lines if arguments.only is None else arguments.only
    backbone = trained(BACKBONE, out, train_set, arguments.backbone_steps)
    for recipe in recipes:
        if recipe == "rcnn_distilled_small":
            fill_in(trained(TEACHER, out, train_set, arguments.steps, backbone), train_set)
        trained(recipe, out, train_set, arguments.steps, backbone)
    if arguments.only is not None:
        return
    table = Table(
        title=f"{arguments.steps} steps on {arguments.images} images; 95 % intervals; AP, AR: kappa = 0.255 m"
    )
    for column in ("network", "AUC10", "AUC30", "AP", "AP50", "AR", "box AP", "paper AUC10", "AUC30", "AP", "AR"):
        table.add_column(column)
    for recipe in arguments.lines:
        table.add_row(*measured(recipe, out / recipe / f"{recipe}.safetensors", validation))
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
