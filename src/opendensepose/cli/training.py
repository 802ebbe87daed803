"""The verbs that train: `train` and `distill`."""

from pathlib import Path
from typing import Annotated

import typer

from opendensepose.cli.options import Device, Out

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder with annotations.json and images/; not for `default`.")
]
Validation = Annotated[
    Path | None, typer.Option("--validation", help="Folder like --data that is measured, never learned from.")
]
Minutes = Annotated[
    float | None, typer.Option("--minutes", min=0, help="End this stint after so long; `default` only.")
]
LearningRate = Annotated[
    float | None,
    typer.Option("--learning-rate", min=0, help="The highest; the recipe says how it rises and falls."),
]
RenderOnDevice = Annotated[
    bool, typer.Option("--render-on-device", help="Render on the GPU, not in processes; `default` only.")
]
Precision = Annotated[
    str | None,
    typer.Option("--precision", help="Of the network: float32, bfloat16, or auto, what is fast on the device."),
]
Cooldown = Annotated[
    bool,
    typer.Option("--cooldown", help="Let the rate fall to 0 for weights to release; the run's state stays as it is."),
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="Render without this ingredient (wardrobe, panoramas, ...); `default` only."),
]
Photos = Annotated[
    Path | None,
    typer.Option("--photos", help="Photos with reference maps, measured at each validation; `default` only."),
]
Start = Annotated[str | None, typer.Option("--start", help="Begin with this model's weights: a name or file.")]
Backbone = Annotated[
    str | None,
    typer.Option("--backbone", help="Begin with the ResNet of this file only, or `imagenet`; not for `default`."),
]


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe: default, rcnn_small, rcnn, finetune, ...")],
    out: Out,
    data: Data = None,
    validation: Validation = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest state in --out.")] = False,
    device: Device = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Stop after this many steps.")] = None,
    minutes: Minutes = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1, help="Images of a step.")] = None,
    learning_rate: LearningRate = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Another one gives other pictures.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=0, help="Processes that make pictures.")] = None,
    render_on_device: RenderOnDevice = False,
    precision: Precision = None,
    cooldown: Cooldown = False,
    without: Without = None,
    photos: Photos = None,
    start: Start = None,
    backbone: Backbone = None,
) -> None:
    """Train a network: `default` on an endless stream of rendered people, the paper's on annotated images."""
    changes = {
        "steps": steps,
        "minutes": minutes,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "workers": workers,
        "precision": precision,
        "render_on_device": render_on_device or None,
        "cooldown": cooldown or None,
        "without": tuple(without) if without else None,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    from opendensepose.models.checkpoints.checkpoint import load_checkpoint
    from opendensepose.training.processes import launched_rank
    from opendensepose.training.recipes import RECIPES
    from opendensepose.training.train import train as run

    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; known: {', '.join(RECIPES)}")
    if recipe == "default":
        _check_rendered(any((data, validation, backbone)))
        if steps is not None:
            changes.setdefault("minutes", None)  # steps alone are the limit
    else:
        _check_annotated(recipe, data is None or photos is not None or any(name in changes for name in _OF_DEFAULT))
    weights = run(
        RECIPES[recipe](**changes), out, data, resume=resume, device=device, start=start, backbone=backbone,
        validation=validation, photos=photos,
    )  # fmt: skip
    if launched_rank()[0] > 0:
        return
    print(f"weights in {weights}")
    scores = load_checkpoint(weights).scores
    if scores:
        print("scores: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))


_OF_DEFAULT = ("minutes", "render_on_device", "cooldown", "without")


def _check_rendered(wrong: bool) -> None:
    if wrong:
        raise ValueError(
            "the recipe default renders its own people and has no ResNet: it takes neither --data nor --validation nor"
            " --backbone"
        )
    from opendensepose.synth.wardrobe import about_ingredients
    from opendensepose.training.processes import launched_rank

    rank, count = launched_rank()
    if count > 1:
        if rank > 0:
            raise typer.Exit  # the first says it and fails; torchrun ends it before that if another fails earlier
        raise ValueError(f"the recipe default trains in one process, got {count}: start it without torchrun.")
    print(about_ingredients())


def _check_annotated(recipe: str, wrong: bool) -> None:
    if wrong:
        not_taken = ", ".join("--" + name.replace("_", "-") for name in _OF_DEFAULT)
        raise ValueError(f"the recipe {recipe} needs --data, and takes none of --photos, {not_taken}")


@app.command()
def distill(
    teacher: Annotated[str, typer.Argument(help="Checkpoint of a teacher.")],
    data: Annotated[Path, typer.Option("--data", help="Folder with annotations.json and images/.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to; dense_targets beside the annotations if not said.")
    ] = None,
    device: Device = None,
    mirrored: Annotated[bool, typer.Option(help="Average with mirrored crops.")] = True,
    anchored: Annotated[bool, typer.Option(help="Make labels agree with the points around them.")] = True,
) -> None:
    """Fill in sparse annotations: a teacher labels every pixel of the annotated part masks; run again to resume."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from opendensepose.training.distill import distill as run

    console = Console(stderr=True)
    columns = (TextColumn("filling in"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("filling in", total=None)
        made = run(
            teacher, data, out, device=device, mirrored=mirrored, anchored=anchored,
            on_image=lambda n, total: progress.update(bar, completed=n, total=total),
        )  # fmt: skip
    print(f"{made.num_images} images in {made.folder}, people filled in now: {made.num_people}")
