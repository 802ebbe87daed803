"""Verbs about the files that other tools read: `formats` and `convert`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from opendensepose.cli.options import MinConfidence, Out, Person

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)


@app.command()
def formats() -> None:
    """List the formats that `predict` and `convert` write: what one is, and who reads it."""
    from opendensepose.formats import FORMATS

    width = max(map(len, FORMATS))
    for name, format_ in FORMATS.items():
        print(f"{name:{width}}  {format_.summary}")


@app.command()
def convert(
    files: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER...", help="Files of labels, or folders.")],
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="What to write; `opendensepose formats` lists them.")],
    out: Out,
    source: Annotated[
        str | None, typer.Option("--from", metavar="NAME", help="The files' format, where their names do not tell it.")
    ] = None,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photos", help="A photo, or folder of photos, where a format needs their colours or sizes."),
    ] = None,
    person: Person = None,
    min_confidence: MinConfidence = 0.0,
) -> None:
    """Write labels that are in files of one format as files of another, which needs no more than they hold."""
    from rich.console import Console
    from rich.progress import Progress

    from opendensepose.formats import convert_files

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("reading", total=None)

        def show(num_done: int, num_files: int, path: Path) -> None:
            progress.update(bar, completed=num_done, total=num_files, description=path.name)

        conversion = convert_files(
            files, to, out, source=source, photos=photos or (), person=person, min_confidence=min_confidence,
            on_file=show,
        )  # fmt: skip
    for loss in conversion.losses:
        print(f"lossy: {loss}", file=sys.stderr)
    if conversion.written:
        print(f"files written: {len(conversion.written)}, to {out}")
    for path, sentence in conversion.failures.items():
        print(f"opendensepose: {sentence if path.name in sentence else f'{path}: {sentence}'}", file=sys.stderr)
    raise typer.Exit(conversion.exit_code)
