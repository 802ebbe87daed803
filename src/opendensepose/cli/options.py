"""Options that several verbs have."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Device", "Out"]

Out = Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")]
Device = Annotated[
    str | None, typer.Option("--device", help="Where the network runs: cpu, cuda, cuda:1, mps; CUDA if there is one.")
]
