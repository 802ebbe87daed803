"""Training: recipes, the stream of rendered people, the loop, and the figures it is judged by."""

from opendensepose.training.loop import train
from opendensepose.training.recipes import Recipe, default

__all__ = ["Recipe", "default", "train"]
