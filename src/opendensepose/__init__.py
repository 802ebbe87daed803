"""Dense correspondences between photos of people and a 3D body surface.

from opendensepose import Predictor
people = Predictor()(image_rgb)  # list[Instance]

The names below are imported when first used: importing the package itself does no work.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opendensepose.camera import Camera
    from opendensepose.data import example_photo
    from opendensepose.instance import DenseAnnotation, Instance
    from opendensepose.iuv import IUV
    from opendensepose.predict import Predictor
    from opendensepose.surface import Charts, GeodesicDistances, Surface, SurfacePoints, load_charts, load_surface
    from opendensepose.synth import RenderedImage, render_image
    from opendensepose.texture import Texture, bake_texture, draw_texture
    from opendensepose.visualize import draw_overlay, show

__all__ = [
    "Camera",
    "Charts",
    "DenseAnnotation",
    "GeodesicDistances",
    "IUV",
    "Instance",
    "Predictor",
    "RenderedImage",
    "Surface",
    "SurfacePoints",
    "Texture",
    "__version__",
    "bake_texture",
    "draw_overlay",
    "draw_texture",
    "example_photo",
    "load_charts",
    "load_surface",
    "render_image",
    "show",
]

_HOME = {
    "Camera": "opendensepose.camera",
    "Charts": "opendensepose.surface",
    "DenseAnnotation": "opendensepose.instance",
    "GeodesicDistances": "opendensepose.surface",
    "IUV": "opendensepose.iuv",
    "Instance": "opendensepose.instance",
    "Predictor": "opendensepose.predict",
    "RenderedImage": "opendensepose.synth",
    "Surface": "opendensepose.surface",
    "SurfacePoints": "opendensepose.surface",
    "Texture": "opendensepose.texture",
    "bake_texture": "opendensepose.texture",
    "draw_overlay": "opendensepose.visualize",
    "draw_texture": "opendensepose.texture",
    "example_photo": "opendensepose.data",
    "load_charts": "opendensepose.surface",
    "load_surface": "opendensepose.surface",
    "render_image": "opendensepose.synth",
    "show": "opendensepose.visualize",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return metadata.version("opendensepose")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'opendensepose' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
