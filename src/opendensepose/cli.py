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
from opendensepose.cli_training import add_training_verbs

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
        from opendensepose.predict_files import predict_files

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
def surface(out: Out) -> None:
    """Draw the body surface and its 24 charts, and write it as an OBJ file with texture coordinates."""
    from opendensepose.visualize.surface import save_surface_pictures

    for path in save_surface_pictures(out) or ():
        print(path)


app.command()(show)
app.command()(ingredients)
app.add_typer(data_app, name="data")
app.add_typer(annotate_app, name="annotate")
add_training_verbs(app)
add_measuring_verbs(app)


if __name__ == "__main__":
    app()
