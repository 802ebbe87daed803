"""Pictures: labels over photos, contour lines, values, points, annotations, the surface and its charts.

The pictures of a photo's people have one signature, draw_x(image_rgb, people, *, ...) -> image_rgb.
"""

from opendensepose.visualize.annotations import draw_annotations, draw_person
from opendensepose.visualize.contours import isoline_coverage, outline_coverage, smooth_inside
from opendensepose.visualize.figure import Caption, compose_figure, write_png
from opendensepose.visualize.iuv import draw_charts, draw_contours, draw_overlay
from opendensepose.visualize.points import draw_points
from opendensepose.visualize.triple import draw_labels, draw_triple, fit_panel, show
from opendensepose.visualize.values import confidence_ramp, draw_confidence, draw_u, draw_v, uv_ramp

__all__ = [
    "Caption",
    "compose_figure",
    "confidence_ramp",
    "draw_annotations",
    "draw_charts",
    "draw_confidence",
    "draw_contours",
    "draw_labels",
    "draw_overlay",
    "draw_person",
    "draw_points",
    "draw_triple",
    "draw_u",
    "draw_v",
    "fit_panel",
    "isoline_coverage",
    "outline_coverage",
    "show",
    "smooth_inside",
    "uv_ramp",
    "write_png",
]
