"""Where a place of the body lies in the stored charts."""

import numpy as np

from opendensepose.surface import load_charts, load_surface


def label_at(place) -> tuple[int, float, float]:
    """(I, U, V) of the vertex nearest to a place, in the chart of one of its faces."""
    surface, charts = load_surface(), load_charts()
    vertex = np.argmin(np.linalg.norm(surface.vertices - np.float32(place), axis=1))
    face, corner = np.argwhere(surface.faces == vertex)[0]
    return int(charts.face_chart[face]), *charts.face_uv[face, corner].tolist()
