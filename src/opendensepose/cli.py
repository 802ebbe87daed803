"""The command `opendensepose`: one function per verb; each imports what it needs."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from opendensepose.cli_annotate import annotate_app
from opendensepose.cli_data import data_app, show
from opendensepose.cli_ingredients import ingredients, say_which_ingredients
from opendensepose.cli_measures import add_measuring_verbs

__all__ = ["app"]


class OneSentenceErrors(typer.core.TyperGroup):
    """Turns what a verb says about bad input into one sentence on stderr and exit code 2.

    Set OPENDENSEPOSE_TRACEBACK=1 to see where an error comes from.
    """

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (ValueError, OSError, FloatingPointError) as error:
            if os.environ.get("OPENDENSEPOSE_TRACEBACK"):
                raise
            sentence = " ".join(_sentence(error).split())
            print(f"opendensepose: {sentence}", file=sys.stderr)
            raise typer.Exit(2) from None


def _sentence(error: Exception) -> str:
    """What an error says; of the operating system's errors, which file and why."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


app = typer.Typer(
    cls=OneSentenceErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Map every pixel of a person in a photo to a point of a 3D body surface.",
)

Out = Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")]
Device = Annotated[
    str | None, typer.Option("--device", help="Where the network runs: cpu, cuda, cuda:1, mps; CUDA if there is one.")
]


def _show_version(asked: bool) -> None:
    if asked:
        from opendensepose import __version__

        print(f"opendensepose {__version__}")
        raise typer.Exit()


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass


@app.command()
def predict(
    out: Out,
    photos: Annotated[
        list[Path] | None, typer.Argument(metavar="PHOTO_OR_FOLDER...", help="Photos, or folders of photos.")
    ] = None,
    model: Annotated[str, typer.Option("--model", help="Name of a model, or a checkpoint file.")] = "default",
    device: Device = None,
    min_score: Annotated[
        float | None,
        typer.Option("--min-score", min=0, max=1, help="Drop people below this score; if not said, the model's own."),
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Use the example photo, an astronaut.")] = False,
) -> None:
    """Write each photo's body coordinates (.npz) and a picture of them (.overlay.jpg)."""
    photos = list(photos or [])
    if example:
        photos.append(_write_example_photo(out))
    if not photos:
        raise ValueError("no photo was named: give photos or folders, or --example for the example photo")
    with _kept_for_good():
        from rich.console import Console
        from rich.progress import Progress

        from opendensepose.models.zoo import weights_path
        from opendensepose.predict import predict_files

    weights = weights_path(model)  # official ones may be downloaded now, with their own progress bar
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("loading the network", total=None)

        def show(num_done: int, num_photos: int, path: Path) -> None:
            progress.update(bar, completed=num_done, total=num_photos, description=path.name)

        summary = predict_files(photos, out, model=weights, device=device, min_score=min_score, on_photo=show)
    if summary.written:
        print(f"people found: {summary.num_people}, photos done: {len(summary.written)}, written to {out}")
    for path, sentence in summary.failures.items():
        print(f"opendensepose: {_naming(path, sentence)}", file=sys.stderr)
    raise typer.Exit(summary.exit_code)


@contextmanager
def _kept_for_good() -> Iterator[None]:
    """Imports inside are left out of the search for garbage: what libraries make then lives as long as the process.

    Searching torch's objects again and again while they are made, and once more at the end, takes a second.
    """
    if gc.get_freeze_count():  # done before in this process
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _naming(path: Path, sentence: str) -> str:
    """The sentence, with the file's name in front where it does not have it yet."""
    return sentence if path.name in sentence else f"{path}: {sentence}"


def _write_example_photo(out: Path) -> Path:
    """Puts scikit-image's public-domain portrait of Eileen Collins into `out`."""
    from importlib.util import find_spec

    out.mkdir(parents=True, exist_ok=True)
    path = out / "astronaut.png"
    folder = find_spec("skimage").submodule_search_locations[0]  # found, not imported: that would import scipy too
    path.write_bytes(Path(folder, "data", "astronaut.png").read_bytes())
    return path


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe: default, rcnn_small, rcnn, finetune, ...")],
    out: Out,
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder with annotations.json and images/; not for `default`.")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option("--validation", help="Folder like --data that is measured, never learned from.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest state in --out.")] = False,
    device: Device = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Stop after this many steps.")] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="End this stint after so long; `default` only.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1, help="Images of a step.")] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", min=0, help="The highest; the recipe says how it rises and falls."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Another one gives other pictures.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=0, help="Processes that make pictures.")] = None,
    render_on_device: Annotated[
        bool, typer.Option("--render-on-device", help="Render on the GPU, not in processes; `default` only.")
    ] = False,
    precision: Annotated[
        str | None,
        typer.Option("--precision", help="float32, bfloat16 or auto: what is fast on the device; `default` only."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="Render without this ingredient (wardrobe, panoramas, ...); `default` only."),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option("--photos", help="Photos with reference maps, measured at each validation; `default` only."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--start", help="Begin with this model's weights: a name or file.")
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option("--backbone", help="Begin with the ResNet of this file only, or `imagenet`; not for `default`."),
    ] = None,
) -> None:
    """Train a network: `default` on an endless stream of rendered people, the paper's on annotated images."""
    changes = {
        "steps": steps,
        "minutes": minutes,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "workers": workers,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    if recipe == "default":
        if data or validation or backbone:
            raise ValueError(
                "the recipe default renders its own people and has no ResNet: it takes neither --data nor --validation"
                " nor --backbone"
            )
        from opendensepose.training.loop import train as run
        from opendensepose.training.recipes import default

        say_which_ingredients()
        if precision is not None:
            changes["precision"] = precision
        changes |= {"render_on_device": render_on_device, "without": tuple(without or ())}
        if steps is not None:
            changes.setdefault("minutes", None)  # steps alone are the limit
        weights = run(default(**changes), out, resume=resume, device=device, photos=photos, start=start)
    else:
        from opendensepose.training.network_recipes import NETWORK_RECIPES

        if recipe not in NETWORK_RECIPES:
            raise ValueError(f"unknown recipe {recipe!r}; known: {', '.join(['default', *NETWORK_RECIPES])}")
        of_default = (minutes, photos, precision, render_on_device or None, without or None)
        if data is None or any(value is not None for value in of_default):
            raise ValueError(
                f"the recipe {recipe} needs --data, and takes none of --minutes, --photos, --precision,"
                " --render-on-device and --without"
            )
        from opendensepose.training.fit import fit

        made = NETWORK_RECIPES[recipe](**changes)
        begin = {"start": start, "backbone": backbone}
        weights = fit(made, data, out, resume=resume, device=device, validation=validation, **begin)
    print(f"weights in {weights}")


@app.command()
def render(
    out: Out,
    count: Annotated[int, typer.Option("--count", help="How many pictures.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same pictures.")],
    size: Annotated[str, typer.Option("--size", help="WIDTHxHEIGHT in pixels.")] = "640x480",
    people: Annotated[str, typer.Option("--people", help="Fewest-most people in a picture, of 0 to 6.")] = "1-6",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; as many as cores if not said.")
    ] = None,
) -> None:
    """Write synthetic photos of people with their truth, in COCO-DensePose form; run again to resume."""
    width, height = _two_numbers(size, "x", "--size is WIDTHxHEIGHT, such as 640x480")
    fewest, most = _two_numbers(people, "-", "--people is FEWEST-MOST, such as 1-6")
    from opendensepose.render import render_dataset

    workers = workers or os.cpu_count() or 1
    say_which_ingredients()
    try:
        path = render_dataset(
            out, count=count, seed=seed, size_hw=(height, width), people_range=(fewest, most), workers=workers
        )
    except KeyboardInterrupt:
        print("opendensepose: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    print(f"{count} pictures in {out}, annotations in {path}")


def _two_numbers(text: str, separator: str, rule: str) -> tuple[int, int]:
    """`640x480` -> (640, 480); a single number stands for both."""
    parts = text.lower().split(separator)
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise ValueError(f"{rule}; got {text!r}")
    return int(parts[0]), int(parts[-1])


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


@app.command()
def surface(out: Out) -> None:
    """Draw the body surface and its 24 charts, and write it as an OBJ file with texture coordinates."""
    from opendensepose.visualize.surface import save_surface_pictures

    for path in save_surface_pictures(out) or ():
        print(path)


app.command()(show)
app.command()(ingredients)
app.add_typer(data_app, name="data")
app.add_typer(annotate_app, name="annotate")
add_measuring_verbs(app)


if __name__ == "__main__":
    app()
