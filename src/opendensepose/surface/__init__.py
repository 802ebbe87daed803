"""The body surface, its 24 charts, points on it and distances between them. Loading needs numpy only."""

from opendensepose.surface.charts import Charts
from opendensepose.surface.embedding import NO_VERTEX, SurfaceEmbedding
from opendensepose.surface.files import CHARTS_EDITION, load_charts, load_surface
from opendensepose.surface.geodesics.distances import GeodesicDistances
from opendensepose.surface.palette import CHART_COLOURS, PART_COLOURS, css_colour
from opendensepose.surface.points import SurfacePoints
from opendensepose.surface.surface import Surface
from opendensepose.surface.tables import (
    CHART_NAMES,
    CHART_TO_PART,
    MIRROR_CHART,
    NUM_CHARTS,
    NUM_PARTS,
    PART_NAMES,
    mirror_iuv,
)

__all__ = [
    "CHARTS_EDITION",
    "CHART_COLOURS",
    "CHART_NAMES",
    "CHART_TO_PART",
    "MIRROR_CHART",
    "NO_VERTEX",
    "NUM_CHARTS",
    "NUM_PARTS",
    "PART_COLOURS",
    "PART_NAMES",
    "Charts",
    "GeodesicDistances",
    "Surface",
    "SurfaceEmbedding",
    "SurfacePoints",
    "css_colour",
    "load_charts",
    "load_surface",
    "mirror_iuv",
]
