"""Synthetic people: pictures rendered with their truth, the only training data of the default model."""

from opendensepose.synth.generate import render_image, render_images
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.truth import RenderedImage

__all__ = ["Ingredients", "RenderedImage", "render_image", "render_images"]
