"""The body surface as the server needs it: one object, so that tests can hand another to the app."""

from contextlib import suppress

import numpy as np

from opendensepose.annotate.checks.contradictions import find_contradictions
from opendensepose.annotate.checks.model_labels import label_person
from opendensepose.annotate.surface.picture_cache import PictureCache
from opendensepose.annotate.surface.preview import draw_preview
from opendensepose.annotate.surface.sampling import sample_points
from opendensepose.annotate.surface.snapping import snap_outline
from opendensepose.annotate.surface.views import point_at, views_of, visible_places
from opendensepose.surface import CHART_TO_PART, NUM_PARTS, SurfacePoints, load_charts

__all__ = ["SurfaceService"]


class SurfaceService:
    """Views of the parts, clicks on them, points to annotate, pictures, charts. Parts are 1..14, views 0..5."""

    views_of = staticmethod(views_of)
    point_at = staticmethod(point_at)
    visible_places = staticmethod(visible_places)
    sample_points = staticmethod(sample_points)
    find_contradictions = staticmethod(find_contradictions)
    draw_preview = staticmethod(draw_preview)
    label_person = staticmethod(label_person)
    snap_outline = staticmethod(snap_outline)

    def __init__(self) -> None:
        charts = load_charts()
        self.face_chart, self.to_iuv, self.to_points = charts.face_chart, charts.from_points, charts.to_points
        self.pictures = PictureCache()

    def picture_png(self, part: int, view: int) -> bytes:
        """Return a view's picture as a PNG file. On a machine's first use it is drawn, which takes a while."""
        return self.pictures.png(part, view)

    def warm_up(self) -> None:
        """Fill the search tables, which take seconds, and let the pictures be drawn."""
        self.pictures.prepare()
        face = np.arange(0, len(self.face_chart), 20, dtype=np.int32)  # some of every part
        points = SurfacePoints(face, np.full((len(face), 3), 1 / 3, np.float32))
        for part in range(1, NUM_PARTS + 1):
            view = self.views_of(part)[0]
            with suppress(ValueError):  # the part may not cover the middle of the picture
                self.point_at(part, 0, view.width / 2, view.height / 2)
            self.visible_places(part, SurfacePoints(face[:1], points.barycentric[:1]))
        self.to_iuv(points)
        xy = np.random.default_rng(0).uniform(0, 100, (len(face), 2))
        self.find_contradictions(CHART_TO_PART[self.face_chart[face]], xy, points)
