"""Pictures: IUV maps over photos, contour lines, the surface and its charts."""

from opendensepose.visualize.contours import isoline_coverage, outline_coverage, smooth_inside
from opendensepose.visualize.iuv import CHART_COLOURS, colour_charts, draw_overlay

__all__ = ["CHART_COLOURS", "colour_charts", "draw_overlay", "isoline_coverage", "outline_coverage", "smooth_inside"]
