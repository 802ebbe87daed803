"""The verb that labels photos: `predict`."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from opendensepose.cli.options import Device, MinConfidence, Out, Person

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)


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
    assets: Annotated[
        Path | None,
        typer.Option("--assets", help="Folder with the authors' .mat files, for I, U, V from an embedding model."),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            "--backend", help="What runs the networks: torch, onnxruntime or openvino; the fastest if not said."
        ),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", metavar="NAME[,NAME]", help="What to write; `opendensepose formats` lists them.")
    ] = "npz",
    person: Person = None,
    min_confidence: MinConfidence = 0.0,
    overlay: Annotated[
        bool, typer.Option("--overlay/--no-overlay", help="Write a picture of the labels, .overlay.jpg, too.")
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="Label photos again that are done already.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Use the example photo, an astronaut.")] = False,
) -> None:
    """Write each photo's body coordinates (.npz, or other formats) and a picture of them (.overlay.jpg).

    Photos that are done already are skipped: a run that was interrupted goes on.
    """
    photos = list(photos or [])
    if example:
        photos.append(write_example_photo(out))
    if not photos:
        raise ValueError("no photo was named: give photos or folders, or --example for the example photo")
    with _kept_for_good():
        from rich.console import Console
        from rich.progress import Progress

        from opendensepose.models.checkpoints.official import OFFICIAL, fetch_official
        from opendensepose.predict import predict_files

    if model in OFFICIAL:
        fetch_official(model)  # may be downloaded now, with its own progress bar
    console = Console(stderr=True)
    num_seen = 0
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("loading the network", total=None)

        def show(num_done: int, num_photos: int, path: Path) -> None:
            nonlocal num_seen
            num_seen = num_done
            progress.update(bar, completed=num_done, total=num_photos, description=path.name)

        try:
            summary = predict_files(
                photos, out, model, device, min_score, show, backend=backend, assets=assets, formats=formats,
                person=person, min_confidence=min_confidence, overlay=overlay, again=again,
            )  # fmt: skip
        except KeyboardInterrupt:
            progress.stop()
            print(
                f"opendensepose: stopped after {num_seen} photos; the same command goes on from there", file=sys.stderr
            )
            raise typer.Exit(130) from None
    if summary.num_photos:
        print(f"people found: {summary.num_people}, photos done: {summary.num_photos}, written to {out}")
    if summary.num_skipped:
        print(f"photos skipped, which were done before: {summary.num_skipped} (--again repeats them)")
    for path, sentence in summary.failures.items():
        print(f"opendensepose: {_naming(path, sentence)}", file=sys.stderr)
    raise typer.Exit(summary.exit_code)


@contextmanager
def _kept_for_good() -> Iterator[None]:
    """Imports inside are left out of the search for garbage: what libraries make then lives as long as the process.

    Searching their objects again and again while they are made, and once more at the end, takes time (with torch a
    second).
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


def write_example_photo(out: Path) -> Path:
    """Puts NASA's public-domain portrait of Eileen Collins into `out`."""
    from PIL import Image

    from opendensepose.data.example import example_photo

    out.mkdir(parents=True, exist_ok=True)
    path = out / "astronaut.png"
    if not path.exists():  # written again it would be a new photo, and not be skipped
        Image.fromarray(example_photo()).save(path)
    return path
