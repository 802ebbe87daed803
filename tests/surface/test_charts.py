"""The stored charts: what issue 2 promises of them, recomputed from the data."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from opendensepose.surface import Charts, SurfacePoints, load_charts, load_surface, mirror_iuv
from opendensepose.surface.files import DATA
from opendensepose.surface.unwrapping.anatomy import LANDMARKS
from opendensepose.surface.unwrapping.assemble import distortion

ALL = range(1, 25)


def random_points(count: int, seed: int = 0) -> SurfacePoints:
    """Points spread evenly over the skin's area."""
    surface, rng = load_surface(), np.random.default_rng(seed)
    p = surface.vertices[surface.faces].astype(np.float64)
    area = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    face = rng.choice(len(area), count, p=area / area.sum())
    return SurfacePoints(face, rng.dirichlet([1, 1, 1], count))


def label_at(place) -> tuple[int, float, float]:
    """(I, U, V) of the vertex nearest to a place, in the chart of one of its faces."""
    surface, charts = load_surface(), load_charts()
    vertex = np.argmin(np.linalg.norm(surface.vertices - np.float32(place), axis=1))
    face, corner = np.argwhere(surface.faces == vertex)[0]
    return int(charts.face_chart[face]), *charts.face_uv[face, corner].tolist()


@pytest.mark.parametrize("chart", ALL)
def test_a_chart_is_a_disk(chart):
    surface, charts = load_surface(), load_charts()
    faces = surface.faces[charts.face_chart == chart]
    edges, count = np.unique(np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0, return_counts=True)
    assert len(np.unique(faces)) - len(edges) + len(faces) == 1
    assert (np.bincount(edges[count == 1].ravel())[np.unique(edges[count == 1])] == 2).all()  # no pinched boundary


@pytest.mark.parametrize("chart", ALL)
def test_a_chart_fills_its_square(chart):
    uv = load_charts().face_uv[load_charts().face_chart == chart]
    assert np.abs(uv.min((0, 1))).max() < 1e-6 and np.abs(uv.max((0, 1)) - 1).max() < 1e-6


def test_no_triangle_is_flipped_and_none_is_stretched_much():
    surface, charts = load_surface(), load_charts()
    table = distortion(surface.vertices, surface.faces, charts.face_chart, charts.face_uv)
    assert sorted(table) == list(ALL)
    assert sum(row["flipped"] for row in table.values()) == 0
    assert max(row["stretch"] for row in table.values()) <= 1.6


def test_distortion_by_hand():
    vertices = np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0], [2, 1, 0]], float)
    faces = np.array([[0, 1, 2], [1, 3, 2]])
    row = distortion(vertices, faces, np.array([1, 1]), vertices[faces][:, :, :2] / [2, 1])[1]
    assert row["stretch_raw"] == pytest.approx(2) and row["stretch"] == pytest.approx(1)
    assert row["area"] == pytest.approx(1) and row["flipped"] == 0


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


def test_the_forearm_runs_both_ways():
    """Outer side: U 0 at the elbow; inner side reversed; V grows towards the body as seen from the front."""
    surface, charts = load_surface(), load_charts()
    along = np.array([0.15, -0.175, -0.151])  # elbow to wrist of the left arm
    for chart, sign in ((21, 1), (19, -1)):
        mine = charts.face_chart == chart
        p = surface.vertices[surface.faces[mine]].astype(np.float64)
        assert np.corrcoef(charts.face_uv[mine, :, 0].mean(1), sign * p.mean(1) @ along)[0, 1] > 0.9
        normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
        seen = normal[:, 1] < 0
        outward = p.mean(1) @ np.cross([0, -1, 0], along)
        outward *= np.sign(np.cross([0, -1, 0], along)[0])
        assert np.corrcoef(charts.face_uv[mine, :, 1].mean(1)[seen], -outward[seen])[0, 1] > 0.5


def test_landmarks_of_the_face():
    for place, want in (("left eye", (0.79, 0.60)), ("left ear", (0.41, 0.50)), ("crown", (None, 1.0))):
        chart, u, v = label_at(LANDMARKS[place])
        u = 1 - u if chart == 24 else u
        assert chart in (23, 24) and v == pytest.approx(want[1], abs=0.03)
        assert want[0] is None or u == pytest.approx(want[0], abs=0.02)
    for place, want_v in (("nose tip", 0.48), ("lips", 0.36)):
        chart, u, v = label_at(LANDMARKS[place])
        assert (u if chart == 23 else 1 - u) > 0.98 and v == pytest.approx(want_v, abs=0.02)


def test_landmarks_of_the_torso():
    for place, want in (("navel", (0.65, 0.5)), ("left nipple", (0.37, 0.30)), ("right nipple", (0.37, 0.72))):
        chart, u, v = label_at(LANDMARKS[place])
        assert chart == 2 and (u, v) == pytest.approx(want, abs=0.05)


def test_hands_and_feet():
    """Back of the right hand at U below 0.5, fingertips at large V; toes of the left foot at large U."""
    surface, charts = load_surface(), load_charts()
    centre = surface.vertices[surface.faces].mean(1)
    p = surface.vertices[surface.faces].astype(np.float64)
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    hand = charts.face_chart == 3
    back = normal[hand] @ [-0.79, -0.11, 0.61] > 0
    u, v = charts.face_uv[hand].mean(1).T
    assert u[back].mean() < 0.4 and u[~back].mean() > 0.6
    distance = np.linalg.norm(centre[hand] - [-0.507, -0.192, 0.139], axis=1)
    assert v[distance < 0.03].mean() < 0.25 and v[distance > np.percentile(distance, 98)].mean() > 0.7
    foot = charts.face_chart == 5
    toes = centre[foot, 1] < -0.17
    assert charts.face_uv[foot][toes, :, 0].mean() > 0.75


def test_from_points_by_hand():
    charts = Charts(np.array([7], np.uint8), np.float32([[[0, 0], [1, 0], [0, 1]]]))
    i, u, v = charts.from_points(SurfacePoints(np.array([0]), np.array([[0.5, 0.25, 0.25]])))
    assert (i[0], u[0], v[0]) == (7, 0.25, 0.25)


def test_there_and_back_on_the_skin():
    surface, charts, points = load_surface(), load_charts(), random_points(20_000)
    i, u, v = charts.from_points(points)
    found = charts.to_points(i, u, v)
    again_i, again_u, again_v = charts.from_points(found)
    assert np.array_equal(i, again_i)
    assert max(np.abs(u - again_u).max(), np.abs(v - again_v).max()) < 1e-4
    moved = found.xyz(surface.vertices, surface.faces) - points.xyz(surface.vertices, surface.faces)
    assert np.linalg.norm(moved, axis=1).max() < 2e-3  # metres: no two places of a chart share a (U, V)


def test_outside_the_outline_a_near_point_of_it_is_taken():
    charts, rng = load_charts(), np.random.default_rng(1)
    i, (u, v) = rng.integers(1, 25, 3000), rng.random((2, 3000)).astype(np.float32)
    again_i, again_u, again_v = charts.from_points(charts.to_points(i, u, v))
    assert np.array_equal(i, again_i) and np.isfinite(again_u).all() and np.isfinite(again_v).all()
    for chart in (2, 5, 15):
        mine = i == chart
        corners = charts.face_uv[charts.face_chart == chart]
        steps = np.linspace(0, 1, 21)[:, None]
        edge = np.concatenate([corners[:, k] + steps[:, None] * (corners[:, k - 1] - corners[:, k]) for k in range(3)])
        nearest = cKDTree(edge.reshape(-1, 2)).query(np.c_[u, v][mine])[0]
        taken = np.hypot(again_u - u, again_v - v)[mine]
        assert (taken <= nearest + 0.01).all()


def test_labels_beyond_the_square_are_clipped():
    charts = load_charts()
    one = charts.to_points(np.array([2]), np.array([0.5]), np.array([1.3]))
    two = charts.to_points(np.array([2]), np.array([0.5]), np.array([1.0]))
    assert np.array_equal(one.face, two.face) and np.array_equal(one.barycentric, two.barycentric)


def test_bad_labels_are_named():
    charts, half = load_charts(), np.array([0.5])
    with pytest.raises(ValueError, match=r"1\.\.24 \(no background\), but they are in 0\.\.0"):
        charts.to_points(np.array([0]), half, half)
    with pytest.raises(ValueError, match=r"one shape \(P,\)"):
        charts.to_points(np.array([1, 2]), half, half)
    with pytest.raises(ValueError, match="finite"):
        charts.to_points(np.array([1]), np.array([np.nan]), half)
    with pytest.raises(ValueError, match=r"\(F,\) and \(F, 3, 2\)"):
        Charts(np.array([1], np.uint8), np.zeros((2, 3, 2), np.float32))
    with pytest.raises(ValueError, match=r"in 0\.\.0"):
        Charts(np.array([0], np.uint8), np.zeros((1, 3, 2), np.float32))


def test_the_data_is_small():
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 2_000_000
