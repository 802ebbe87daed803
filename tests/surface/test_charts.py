"""The stored charts: disks that fill their squares, mirrored exactly, directed as the authors'; errors of labels."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from opendensepose.surface import MIRROR_CHART, Charts, SurfacePoints, load_charts, load_surface, mirror_iuv
from opendensepose.surface.unwrapping.limb_maps import SPAN

ALL = range(1, 25)


@pytest.mark.parametrize("chart", ALL)
def test_a_chart_is_a_disk(chart):
    surface, charts = load_surface(), load_charts()
    faces = surface.faces[charts.face_chart == chart]
    edges, count = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0, return_counts=True)
    assert len(np.unique(faces)) - len(edges) + len(faces) == 1
    assert (np.bincount(edges[count == 1].ravel())[np.unique(edges[count == 1])] == 2).all()  # no pinched boundary


@pytest.mark.parametrize("chart", ALL)
def test_a_chart_fills_its_part_of_the_square(chart):
    uv = load_charts().face_uv[load_charts().face_chart == chart]
    span = np.array(SPAN.get(chart, SPAN.get(int(MIRROR_CHART[chart]), ((0, 1), (0, 1)))))
    assert np.abs(uv.min((0, 1)) - span[:, 0]).max() < 1e-6 and np.abs(uv.max((0, 1)) - span[:, 1]).max() < 1e-6


def test_the_mirror_rule_is_exact():
    surface, charts = load_surface(), load_charts()
    mirrored = surface.vertices[surface.faces] * np.float32([-1, 1, 1])
    other = cKDTree(surface.vertices[surface.faces].mean(1)).query(mirrored.mean(1))[1]
    here = surface.vertices[surface.faces[other]]
    corner = np.linalg.norm(here[:, None] - mirrored[:, :, None], axis=3).argmin(2)
    i = np.repeat(charts.face_chart[:, None], 3, 1)
    want_i, want_u, want_v = mirror_iuv(i, charts.face_uv[:, :, 0], charts.face_uv[:, :, 1])
    got = np.take_along_axis(charts.face_uv[other], corner[:, :, None], 1)
    assert (charts.face_chart[other][:, None] == want_i).all()
    assert np.abs(got - np.stack([want_u, want_v], 2)).max() < 1e-5


# Chart: the axis (x left, y back, z up) along which U grows, and that along which V grows.
DIRECTIONS = {
    1: ("-z", "-x"),
    2: ("-z", "-x"),
    7: ("-z", "-x"),
    8: ("-z", "+x"),
    9: ("+z", "+x"),
    10: ("+z", "-x"),
    11: ("+z", "-x"),
    12: ("+z", "+x"),
    13: ("-z", "-x"),
    14: ("-z", "+x"),
    15: ("-z", "-y"),
    16: ("-z", "-y"),
    17: ("-z", "-y"),
    18: ("-z", "-y"),
    3: ("", "-z"),
    4: ("", "-z"),
    5: ("-y", ""),
    6: ("+y", ""),
    23: ("-y", "+z"),
    24: ("+y", "+z"),
}


@pytest.mark.parametrize("chart", DIRECTIONS)
def test_u_and_v_grow_as_the_authors_do(chart):
    surface, charts = load_surface(), load_charts()
    mine = charts.face_chart == chart
    centre = surface.vertices[surface.faces[mine]].mean(1)
    for axis, direction in enumerate(DIRECTIONS[chart]):
        if direction:
            place = centre[:, "xyz".index(direction[1])] * (1 if direction[0] == "+" else -1)
            assert np.corrcoef(charts.face_uv[mine, :, axis].mean(1), place)[0, 1] > 0.5


def test_from_points_by_hand():
    charts = Charts(np.array([7], np.uint8), np.float32([[[0, 0], [1, 0], [0, 1]]]))
    i, u, v = charts.from_points(SurfacePoints(np.array([0]), np.array([[0.5, 0.25, 0.25]])))
    assert (i[0], u[0], v[0]) == (7, 0.25, 0.25)


def test_labels_beyond_the_square_are_clipped():
    charts = load_charts()
    one = charts.to_points(np.array([2]), np.array([0.5]), np.array([1.3]))
    two = charts.to_points(np.array([2]), np.array([0.5]), np.array([1.0]))
    assert np.array_equal(one.face, two.face) and np.array_equal(one.barycentric, two.barycentric)


def test_bad_labels_are_named():
    charts, half = load_charts(), np.array([0.5])
    with pytest.raises(ValueError, match=r"1\.\.24 \(no background\), got 0\.\.0"):
        charts.to_points(np.array([0]), half, half)
    with pytest.raises(ValueError, match=r"one shape \(P,\)"):
        charts.to_points(np.array([1, 2]), half, half)
    with pytest.raises(ValueError, match="finite"):
        charts.to_points(np.array([1]), np.array([np.nan]), half)
    with pytest.raises(ValueError, match=r"\(F,\) and \(F, 3, 2\)"):
        Charts(np.array([1], np.uint8), np.zeros((2, 3, 2), np.float32))
    with pytest.raises(ValueError, match=r"got 0\.\.0"):
        Charts(np.array([0], np.uint8), np.zeros((1, 3, 2), np.float32))
