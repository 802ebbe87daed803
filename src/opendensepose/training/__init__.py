"""Training: the loop, recipes, and two sources of samples, rendered without end and annotated."""

from opendensepose.training.recipe import Recipe
from opendensepose.training.recipes import RECIPES, default
from opendensepose.training.train import train

__all__ = ["RECIPES", "Recipe", "default", "train"]
