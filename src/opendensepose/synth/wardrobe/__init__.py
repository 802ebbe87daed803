"""Raw ingredients that are fetched once and never shipped: MakeHuman's garments, photographed panoramas, all CC0."""

from opendensepose.synth.wardrobe.fetch import fetch_ingredients
from opendensepose.synth.wardrobe.ingredients_file import (
    IngredientArrays,
    about_ingredients,
    ingredients_checksum,
    ingredients_path,
    load_ingredients,
)

__all__ = [
    "IngredientArrays",
    "about_ingredients",
    "fetch_ingredients",
    "ingredients_checksum",
    "ingredients_path",
    "load_ingredients",
]
