"""The verb that labels photos, videos and what a camera sees: `predict`."""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from opendensepose.cli.options import (
    Backend,
    Device,
    MinConfidence,
    Person,
    Ray,
    ShardKind,
    ShardSize,
    TakesRay,
    Workers,
)
from opendensepose.cli.video import VIDEO_SUFFIXES, predict_camera, predict_videos, seconds_of, split_videos

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)

Addresses = Annotated[
    list[str] | None,
    typer.Argument(metavar="PHOTO_VIDEO_OR_FOLDER...", help="Photos, videos, or folders of them."),
]
MinScore = Annotated[
    float | None,
    typer.Option("--min-score", min=0, max=1, help="Drop people below this score; if not said, the model's own."),
]
Assets = Annotated[
    Path | None,
    typer.Option("--assets", help="Folder with the authors' .mat files, for I, U, V from an embedding model."),
]
Formats = Annotated[
    str, typer.Option("--format", metavar="NAME[,NAME]", help="What to write; `opendensepose formats` lists them.")
]
Overlay = Annotated[
    bool,
    typer.Option("--overlay/--no-overlay", help="Write a picture of the labels, .overlay.jpg or .overlay.mp4, too."),
]


@app.command(cls=TakesRay)
def predict(
    addresses: Addresses = None,
    out: Annotated[str | None, typer.Option("--out", help="Folder to write to; made if missing.")] = None,
    model: Annotated[str, typer.Option("--model", help="Name of a model, or a checkpoint file.")] = "default",
    device: Device = None,
    min_score: MinScore = None,
    assets: Assets = None,
    backend: Backend = None,
    formats: Formats = "npz",
    person: Person = None,
    min_confidence: MinConfidence = 0.0,
    overlay: Overlay = True,
    again: Annotated[bool, typer.Option("--again", help="Label again what is done already.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Use the example photo, an astronaut.")] = False,
    every: Annotated[int, typer.Option("--every", min=1, help="Of videos: label each so many frames only.")] = 1,
    start: Annotated[str | None, typer.Option("--start", help="Of videos: where to begin, seconds or [h:]m:s.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Of videos: where to end.")] = None,
    camera: Annotated[
        int | None, typer.Option("--camera", min=0, help="Show what a camera sees, labelled live; 0 is the first.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Of the camera's page.")] = 8008,
    ray: Ray = None,
    shards: ShardKind = None,
    shard_size: ShardSize = None,
    workers: Workers = None,
) -> None:
    """Write each photo's body coordinates (.npz, or other formats) and a picture of them (.overlay.jpg).

    Of a video those of each frame (.densepose.zip) and a clip of them (.overlay.mp4); other formats besides.

    With --ray or --shards tables of many photos, on many machines, from and to s3:// and other addresses.

    What is done already is skipped: a run that was interrupted goes on.
    """
    network: dict[str, Any] = {"model": model, "device": device, "min_score": min_score, "backend": backend}
    if camera is not None:
        if addresses or example:
            raise ValueError("--camera shows what the camera sees: leave the photos and videos out")
        predict_camera(camera, port, **network)
        raise typer.Exit(0)
    if out is None:
        raise ValueError("no folder to write to was named: give --out DIR")
    if ray or shards:
        options = network | {"assets": str(assets) if assets else None, "person": person, "every": every}
        options |= {"min_confidence": min_confidence, "shard_size": shard_size, "workers": workers}
        of_files = {
            "--format": formats != "npz",
            "--again": again,
            "--example": example,
            "--start": start,
            "--end": end,
        }
        raise typer.Exit(_in_shards(addresses or [], out, of_files, ray=ray, shards=shards, **options))
    _check_alone(workers, shard_size)
    videos, photos = split_videos([Path(one) for one in addresses or []])
    exit_codes = []
    if videos:
        if assets:
            raise ValueError("--assets is for photos, got a video")
        part: dict[str, Any] = {"start_s": seconds_of(start) or 0.0, "end_s": seconds_of(end), "every": every}
        part |= {"formats": formats, "person": person, "min_confidence": min_confidence}
        exit_codes.append(predict_videos(videos, Path(out), overlay=overlay, again=again, **part, **network))
    if example:
        photos.append(write_example_photo(Path(out)))
    if photos:
        options = network | {"assets": assets, "formats": formats, "person": person, "min_confidence": min_confidence}
        exit_codes.append(_predict_photos(photos, Path(out), overlay=overlay, again=again, **options))
    if not exit_codes:
        raise ValueError("no photo was named: give photos, videos or folders, or --example for the example photo")
    raise typer.Exit(exit_codes[0] if len(set(exit_codes)) == 1 else 1)


def _check_alone(workers: int | None, shard_size: int | None) -> None:
    if workers or shard_size:
        raise ValueError("--workers and --shard-size go with --shards or --ray")


def _in_shards(addresses: Sequence[str], out: str, of_files: dict[str, Any], **options: Any) -> int:
    """Refuse options of files that shards do not have, and label."""
    for name, given in of_files.items():
        if given:
            raise ValueError(f"{name} does not go with --ray and --shards")
    from opendensepose.scale.command import predict_many

    return predict_many(addresses, out, VIDEO_SUFFIXES, **options)


def _predict_photos(photos: Sequence[Path], out: Path, model: str, **options: Any) -> int:
    """Label photos, see `predict.predict_files`; print what became of them. Returns 0 all done, 1 some failed, 2 none
    done."""
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
            summary = predict_files(photos, out, model, on_photo=show, **options)
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
    if summary.num_without:
        print(f"photos with fewer than {options['person']} people, where nobody is labelled: {summary.num_without}")
    for path, sentence in summary.failures.items():
        print(f"opendensepose: {_naming(path, sentence)}", file=sys.stderr)
    return summary.exit_code


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

    from opendensepose.data.photos import example_photo

    out.mkdir(parents=True, exist_ok=True)
    path = out / "astronaut.png"
    if not path.exists():  # written again it would be a new photo, and not be skipped
        Image.fromarray(example_photo()).save(path)
    return path
