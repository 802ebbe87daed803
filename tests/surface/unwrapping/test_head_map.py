"""The head's map: its outline, its landmarks, and the stored chart made again."""

import numpy as np
import pytest
from tests.surface.unwrapping.landmarks import label_at

from opendensepose.surface import load_charts, load_surface
from opendensepose.surface.unwrapping.anatomy import LANDMARKS, SkinMesh
from opendensepose.surface.unwrapping.head_map import _boundary, _lengths, _outline, flatten_head
from opendensepose.surface.unwrapping.unwrap import signed_areas


def stored_head() -> tuple[SkinMesh, np.ndarray, np.ndarray]:
    """The surface, and the faces (f, 3) and the stored UV (f, 3, 2) of the left half of the head."""
    surface, charts = load_surface(), load_charts()
    mine = charts.face_chart == 24
    mesh = SkinMesh(surface.vertices.astype(np.float64), surface.faces, {})
    return mesh, surface.faces[mine].astype(np.int64), charts.face_uv[mine]


def test_the_stored_head_is_this_map():
    mesh, faces, stored = stored_head()
    uv = flatten_head(mesh, faces)  # with U as on the right half
    assert np.abs(uv * [-1, 1] + [1, 0] - stored).max() < 1e-3  # the stored vertices are rounded to float32
    areas = signed_areas(uv)
    assert (areas > 0).all() or (areas < 0).all()


def test_lengths_along_a_line_by_hand():
    assert _lengths(np.array([[0, 0], [3, 4], [3, 5.0]])).tolist() == [0, 5, 6]


def test_the_outline_runs_from_throat_over_crown_to_nape():
    outline = _outline(lambda u: u)  # without a change of U
    assert outline[[0, 1000, 2000]] == pytest.approx(np.array([[0.94, 0], [0.5, 1], [0.06, 0]]))
    assert np.allclose(outline[::-1] * [-1, 1] + [1, 0], outline)
    steps = np.linalg.norm(np.diff(outline, axis=0), axis=1)
    assert steps.max() < 1.1 * steps.min()
    bent = _outline(lambda u: u**2)
    assert np.abs(bent[:, 0] ** 2 - outline[:, 0]).max() < 1e-3 and np.array_equal(bent[:, 1], outline[:, 1])


def test_a_sagittal_line_in_pieces_is_refused():
    """A strip of two triangles whose ends both touch the plane x = 0."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0.5, 0]], float)
    with pytest.raises(ValueError, match="in one piece, got 2"):
        _boundary(vertices, np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4]]))


def test_landmarks_of_the_face():
    for place, want in (("left eye", (0.79, 0.60)), ("left ear", (0.41, 0.50)), ("crown", (None, 1.0))):
        chart, u, v = label_at(LANDMARKS[place])
        u = 1 - u if chart == 24 else u
        assert chart in (23, 24) and v == pytest.approx(want[1], abs=0.03)
        assert want[0] is None or u == pytest.approx(want[0], abs=0.02)
    for place, want_v in (("nose tip", 0.48), ("lips", 0.36)):
        chart, u, v = label_at(LANDMARKS[place])
        assert (u if chart == 23 else 1 - u) > 0.98 and v == pytest.approx(want_v, abs=0.02)
