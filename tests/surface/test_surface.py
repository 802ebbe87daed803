import numpy as np
import pytest

from opendensepose.surface import Surface, load_charts, load_surface


def test_the_skin_is_one_closed_adult():
    surface = load_surface()
    assert surface.vertices.dtype == np.float32 and surface.faces.dtype == np.int32
    assert len(surface.faces) == 26692
    edges = np.sort(surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    assert (count == 2).all()
    assert len(surface.vertices) - len(unique) + len(surface.faces) == 2  # a sphere, topologically
    assert 1.6 < np.ptp(surface.vertices[:, 2]) < 1.9


def test_faces_turn_outwards():
    surface = load_surface()
    a, b, c = (surface.vertices[surface.faces[:, k]].astype(np.float64) for k in range(3))
    volume = (np.cross(a, b) * c).sum() / 6
    assert 0.05 < volume < 0.12  # cubic metres, positive where faces are counter-clockwise from outside


def test_the_person_faces_minus_y_and_left_is_plus_x():
    surface = load_surface()
    x, y, z = surface.vertices.T
    head = z > z.max() - 0.2
    nose = np.argmin(np.where(head, y, 9))
    assert abs(x[nose]) < 0.01 and y[nose] < y[head].mean() - 0.05
    feet = z < z.min() + 0.05
    assert y[feet].min() < -0.15  # toes in front
    left_hand = load_charts().face_chart == 4
    assert x[surface.faces[left_hand]].min() > 0.4


def test_wrong_shapes_are_named():
    v, f = np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32)
    one, three = np.zeros(1, np.int32), np.zeros(3, np.int32)
    with pytest.raises(ValueError, match=r"\(V, 3\) and \(F, 3\)"):
        Surface(v[:, :2], f, three, one)
    with pytest.raises(ValueError, match="anny_vertex"):
        Surface(v, f, one, one)
    with pytest.raises(ValueError, match=r"0\.\.2, got 1\.\.3"):
        Surface(v, f + 1, three, one)
