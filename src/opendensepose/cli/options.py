"""Options that several verbs have."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Device", "MinConfidence", "Out", "Person"]

Out = Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")]
Device = Annotated[
    str | None, typer.Option("--device", help="Where the network runs: cpu, cuda, cuda:1, mps; CUDA if there is one.")
]
Person = Annotated[
    str | None,
    typer.Option("--person", metavar="N|all|largest", help="Whose labels: the N-th most confident, all, the largest."),
]
MinConfidence = Annotated[
    float, typer.Option("--min-confidence", min=0, max=1, help="Make background of labels less probable than this.")
]
