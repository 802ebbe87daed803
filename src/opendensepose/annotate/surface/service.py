"""What the server needs to know of the body surface, as one object that is handed to the app."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from opendensepose.annotate.surface.cameras import PlaceInView
from opendensepose.surface import CHART_TO_PART, SurfacePoints

__all__ = ["RealSurface", "SurfaceSide"]


class SurfaceSide(Protocol):
    """Views of the parts, clicks on them, points to ask for, pictures. Parts are 1..14, views 0..5."""

    def views_of(self, part: int) -> Sequence[Any]:
        """Six views with name, width, height."""

    def picture_png(self, part: int, view: int) -> bytes: ...

    def point_at(self, part: int, view: int, x: float, y: float) -> SurfacePoints: ...

    def shown(self, part: int, points: SurfacePoints) -> list[list[PlaceInView]]: ...

    def points_to_ask(self, parts: np.ndarray, box_xyxy: np.ndarray, size_hw: tuple[int, int]) -> tuple: ...

    def find_contradictions(self, part: np.ndarray, xy: np.ndarray, points: SurfacePoints) -> Sequence[Any]:
        """Contradictions with points, a tuple of indices, and text."""

    def draw_preview(self, crop_rgb, box_xyxy, parts, xy, i, u, v, fill: bool) -> np.ndarray: ...

    def guess_parts(self, predictor, image_rgb: np.ndarray, box_xyxy: np.ndarray) -> np.ndarray: ...

    def uv_of(self, points: SurfacePoints) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    def to_points(self, i: np.ndarray, u: np.ndarray, v: np.ndarray) -> SurfacePoints: ...

    def warm_up(self) -> None:
        """Does what takes seconds once: pictures, search tables."""


class RealSurface:
    """The body's own views and charts."""

    def __init__(self):
        from opendensepose.annotate.surface.contradictions import find_contradictions
        from opendensepose.annotate.surface.guess import guess_parts
        from opendensepose.annotate.surface.preview import draw_preview
        from opendensepose.annotate.surface.sampling import points_to_ask
        from opendensepose.annotate.surface.views import make_pictures, picture_png, point_at, shown, views_of
        from opendensepose.surface import load_charts

        self.views_of, self.picture_png, self.point_at, self.shown = views_of, picture_png, point_at, shown
        self.points_to_ask, self.find_contradictions = points_to_ask, find_contradictions
        self.draw_preview, self.guess_parts = draw_preview, guess_parts
        self._make_pictures, self._charts = make_pictures, load_charts()

    def uv_of(self, points: SurfacePoints) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._charts.from_points(points)

    def to_points(self, i: np.ndarray, u: np.ndarray, v: np.ndarray) -> SurfacePoints:
        return self._charts.to_points(i, u, v)

    def warm_up(self) -> None:
        self._make_pictures()
        face = np.arange(0, len(self._charts.face_chart), 20, dtype=np.int32)  # some of every part
        points = SurfacePoints(face, np.full((len(face), 3), 1 / 3, np.float32))
        part = CHART_TO_PART[self._charts.face_chart[face]]
        for number in range(1, 15):
            view = self.views_of(number)[0]
            with suppress(ValueError):  # the middle may be beside the part
                self.point_at(number, 0, view.width / 2, view.height / 2)
            self.shown(number, SurfacePoints(face[:1], points.barycentric[:1]))
        self.uv_of(points)
        self.find_contradictions(part, np.random.default_rng(0).uniform(0, 100, (len(face), 2)), points)
