"""The body surface, its 24 charts, points on it and distances between them. Loading needs numpy only."""

from .charts import Charts
from .files import load_charts, load_surface
from .geodesic import GeodesicDistances
from .palette import CHART_COLOURS, PART_COLOURS, css_colour
from .points import SurfacePoints
from .surface import Surface
from .tables import CHART_NAMES, CHART_TO_PART, MIRROR_CHART, NUM_CHARTS, NUM_PARTS, PART_NAMES, mirror_iuv

__all__ = [
    "CHART_COLOURS",
    "CHART_NAMES",
    "CHART_TO_PART",
    "MIRROR_CHART",
    "NUM_CHARTS",
    "NUM_PARTS",
    "PART_COLOURS",
    "PART_NAMES",
    "Charts",
    "GeodesicDistances",
    "Surface",
    "SurfacePoints",
    "css_colour",
    "load_charts",
    "load_surface",
    "mirror_iuv",
]
