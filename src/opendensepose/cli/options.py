"""Options that several verbs have."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

__all__ = [
    "Backend",
    "Device",
    "MinConfidence",
    "Out",
    "Person",
    "Ray",
    "ShardKind",
    "ShardSize",
    "TakesRay",
    "Workers",
]

Out = Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")]
Device = Annotated[
    str | None, typer.Option("--device", help="Where the network runs: cpu, cuda, cuda:1, mps; CUDA if there is one.")
]
Backend = Annotated[
    str | None,
    typer.Option("--backend", help="What runs the networks: torch, onnxruntime or openvino; the fastest if not said."),
]
Person = Annotated[
    str | None,
    typer.Option("--person", metavar="N|all|largest", help="Whose labels: the N-th most confident, all, the largest."),
]
MinConfidence = Annotated[
    float, typer.Option("--min-confidence", min=0, max=1, help="Make background of labels less probable than this.")
]
ADDRESS = re.compile(r"auto|local|ray://\S+|[\w.-]+:\d+")

Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="[ADDRESS]",
        help="Work on a Ray cluster: host:6379 or ray://host:10001; without an address the one that is found, or a new"
        " one on this machine.",
    ),
]
ShardKind = Annotated[
    str | None,
    typer.Option("--shards", metavar="parquet|webdataset", help="Write shards of rows, not files of each photo."),
]
ShardSize = Annotated[int | None, typer.Option("--shard-size", min=1, help="Photos or pictures of a shard.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="With --shards or --ray: processes of one core each.")
]


class TakesRay(typer.core.TyperCommand):
    """A command whose `--ray` may stand without an address: before another option, a path, or the end."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given = []
        for k, word in enumerate(args):
            has_address = k + 1 < len(args) and ADDRESS.fullmatch(args[k + 1]) and not Path(args[k + 1]).exists()
            given.append("--ray=auto" if word == "--ray" and not has_address else word)
        return super().parse_args(ctx, given)
