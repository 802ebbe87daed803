"""Pictures: IUV maps over photos, contour lines, annotations, the surface and its charts."""

from opendensepose.visualize.annotations import draw_annotations, draw_person
from opendensepose.visualize.contours import isoline_coverage, outline_coverage, smooth_inside
from opendensepose.visualize.figure import write_png
from opendensepose.visualize.iuv import draw_overlay

__all__ = [
    "draw_annotations",
    "draw_overlay",
    "draw_person",
    "isoline_coverage",
    "outline_coverage",
    "smooth_inside",
    "write_png",
]
