"""The stored surface and charts: small, belonging together, read once."""

import numpy as np
import pytest

from opendensepose.surface.files import DATA, load_charts, load_surface


def test_the_data_is_small():
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 2_000_000


def test_every_face_has_a_chart_and_every_chart_has_faces():
    surface, charts = load_surface(), load_charts()
    assert len(charts.face_chart) == len(charts.face_uv) == len(surface.faces)
    assert np.array_equal(np.unique(charts.face_chart), np.arange(1, 25))


def test_the_same_object_is_given_and_cannot_be_changed():
    assert load_surface() is load_surface() and load_charts() is load_charts()
    for array in (load_surface().vertices, load_surface().faces, load_charts().face_uv):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
