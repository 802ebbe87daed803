"""Textures: colours from photos onto the body's surface and back, and the body with them as 3D files and pages."""

from opendensepose.texture.bake import bake_texture
from opendensepose.texture.draw import draw_texture
from opendensepose.texture.texture import Source, Texture, resample_texture

__all__ = ["Source", "Texture", "bake_texture", "draw_texture", "resample_texture"]
