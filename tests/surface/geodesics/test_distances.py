import numpy as np
import pytest

from opendensepose.surface import Charts, GeodesicDistances, Surface, SurfacePoints
from opendensepose.surface.geodesics import file as geodesic_file
from opendensepose.surface.geodesics.distances import MAX_EDGE_M

SIDE = 0.1  # metres


def surface_of(vertices, faces) -> Surface:
    v, f = np.asarray(vertices, np.float32), np.asarray(faces, np.int32)
    return Surface(v, f, np.arange(len(v), dtype=np.int32), np.arange(len(f), dtype=np.int32))


def divided(vertices, faces, times):
    """Each face cut into four at the middles of its edges."""
    v, f = np.asarray(vertices, np.float64), np.asarray(faces)
    for _ in range(times):
        edges, inverse = np.unique(
            np.sort(f[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2), axis=0, return_inverse=1
        )
        m = inverse.reshape(-1, 3) + len(v)
        v = np.concatenate([v, v[edges].mean(1)])
        a, b, c = f.T
        ab, bc, ca = m.T
        f = np.stack([a, ab, ca, b, bc, ab, c, ca, bc, ab, bc, ca], 1).reshape(-1, 3)
    return v, f


def octahedron():
    v = np.concatenate([np.eye(3), -np.eye(3)])
    f = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    return v, np.array(f)


def sphere() -> Surface:
    """Radius SIDE, a mirror image of itself."""
    v, f = divided(*octahedron(), 4)
    return surface_of(SIDE * v / np.linalg.norm(v, axis=1, keepdims=True), f)


def square(times) -> Surface:
    return surface_of(*divided([[0, 0, 0], [SIDE, 0, 0], [SIDE, SIDE, 0], [0, SIDE, 0]], [[0, 1, 2], [0, 2, 3]], times))


def random_points(surface, count, rng) -> SurfacePoints:
    return SurfacePoints(rng.integers(0, len(surface.faces), count), rng.dirichlet((1, 1, 1), count))


def one(face, *barycentric) -> SurfacePoints:
    return SurfacePoints(np.array([face]), np.array([barycentric]))


@pytest.fixture(scope="module")
def on_sphere(tmp_path_factory):
    surface = sphere()
    return surface, GeodesicDistances(surface, tmp_path_factory.mktemp("sphere"), progress=False)


def test_one_triangle_by_hand(tmp_path):
    surface = surface_of([[0, 0, 0], [0.03, 0, 0], [0, 0.04, 0]], [[0, 1, 2]])
    distances = GeodesicDistances(surface, tmp_path, progress=False)
    assert distances.between(one(0, 0, 1, 0), one(0, 0, 0, 1)) == pytest.approx([0.05])
    assert distances.between(one(0, 0, 0.5, 0.5), one(0, 1, 0, 0)) == pytest.approx([0.025])
    assert distances.between(one(0, 0, 1, 0), one(0, 0, 1, 0)) == [0]


@pytest.mark.parametrize("max_edge_m", [1, 0.03])
def test_around_a_right_angled_edge_by_hand(tmp_path, max_edge_m):
    """Two triangles that meet in the z axis: the path is straight when they are laid into one plane."""
    surface = surface_of([[0, 0, 0], [0, 0, 0.1], [0.05, 0, 0], [0, 0.05, 0]], [[0, 2, 1], [0, 1, 3]])
    distances = GeodesicDistances(surface, tmp_path, progress=False, max_edge_m=max_edge_m)
    a, b = one(0, 0.2, 0.5, 0.3), one(1, 0.1, 0.4, 0.5)  # x = 0.025, z = 0.03 and y = 0.025, z = 0.04
    assert distances.between(a, b) == pytest.approx([np.hypot(0.05, 0.01)], rel=1e-5)


def test_a_cube_by_hand(tmp_path):
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * SIDE
    sides = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    faces = np.array([t for a, b, c, d in sides for t in ([a, b, c], [a, c, d])])
    distances = GeodesicDistances(surface_of(corners, faces), tmp_path, progress=False)
    a, b = one(0, 1, 0, 0), one(3, 0, 1, 0)  # opposite corners
    assert faces[3][1] == 7 and distances.between(a, b) == pytest.approx([np.sqrt(5) * SIDE], rel=3e-3)
    middles = one(0, 0.5, 0, 0.5), one(2, 0.5, 0, 0.5)  # of opposite sides
    assert distances.between(*middles) == pytest.approx([2 * SIDE], rel=1e-2)


def test_a_plane_has_straight_paths(tmp_path):
    surface, rng = square(4), np.random.default_rng(0)
    a, b = random_points(surface, 20_000, rng), random_points(surface, 20_000, rng)
    v = surface.vertices.astype(np.float64)
    straight = np.linalg.norm(a.xyz(v, surface.faces) - b.xyz(v, surface.faces), axis=1)
    got = GeodesicDistances(surface, tmp_path, progress=False).between(a, b)
    error = np.abs(got - straight)
    assert (error <= 0.005 * straight + 1e-5).all() and error.mean() < 0.001 * straight.mean()
    assert (got >= straight * (1 - 1e-5)).all()


def test_great_circles_on_a_sphere(on_sphere):
    surface, distances = on_sphere
    rng = np.random.default_rng(0)
    a, b = random_points(surface, 20_000, rng), random_points(surface, 20_000, rng)
    xyz = [p.xyz(surface.vertices.astype(np.float64), surface.faces) for p in (a, b)]
    u, v = (p / np.linalg.norm(p, axis=1, keepdims=True) for p in xyz)
    truth = SIDE * np.arctan2(np.linalg.norm(np.cross(u, v), axis=1), (u * v).sum(1))
    got, far = distances.between(a, b), truth > 0.02
    error = np.abs(got - truth)[far] / truth[far]
    assert got.dtype == np.float32 and error.mean() < 0.005 and error.max() < 0.03
    assert np.abs(got - truth)[~far].max() < 0.0005


def test_behind_a_tube_the_shorter_side_counts(tmp_path):
    """A prism's side unrolls into a plane: either way around is straight there, and the shorter is the distance.

    A triangle where the shorter side changes mixes both, and interpolation in it is short by at most half its longest
    edge; there are two triangles.
    """
    around, along, step = 16, 17, 0.02
    angle = 2 * np.pi * np.arange(around) / around
    radius = step / 2 / np.sin(np.pi / around)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    v = np.concatenate([np.c_[ring, np.full(around, step * k)] for k in range(along)])
    k, i = (grid.ravel() for grid in np.mgrid[: along - 1, :around])
    a, b = k * around + i, k * around + (i + 1) % around
    f = np.concatenate([np.stack([a, b, b + around], 1), np.stack([a, b + around, a + around], 1)])
    unrolled = np.stack([np.r_[[i, i + 1, i + 1]].T, np.r_[[i, i + 1, i]].T]).reshape(-1, 3) * step
    surface, rng = surface_of(v, f), np.random.default_rng(3)
    points = [random_points(surface, 20_000, rng) for _ in range(2)]
    x, y = ((unrolled[p.face] * p.barycentric).sum(1) for p in points)
    z, other = (p.xyz(v, f)[:, 2] for p in points)
    sideways = np.abs(x - y)
    truth = np.hypot(np.minimum(sideways, around * step - sideways), z - other)
    got, far = GeodesicDistances(surface, tmp_path, progress=False).between(*points), truth > 0.05
    error = (got - truth)[far]
    assert np.abs(error / truth[far]).mean() < 0.005
    assert error.min() > -max(step, MAX_EDGE_M) and (error < 0.005 * truth[far]).all()


def test_swapped_and_mirrored_pairs_are_exactly_as_far_apart(on_sphere):
    surface, distances = on_sphere
    rng = np.random.default_rng(1)
    a, b = random_points(surface, 50_000, rng), random_points(surface, 50_000, rng)
    b.face[::5] = a.face[::5]
    centres = surface.vertices[surface.faces].mean(1)
    image = np.linalg.norm(centres[:, None] - centres[None] * [-1, 1, 1], axis=2).argmin(0)
    here, there = surface.vertices[surface.faces], surface.vertices[surface.faces[image]] * np.float32([-1, 1, 1])
    corner = np.linalg.norm(here[:, None] - there[:, :, None], axis=3).argmin(2)

    def mirrored(points):
        return SurfacePoints(image[points.face], np.take_along_axis(points.barycentric, corner[points.face], axis=1))

    x = mirrored(a).xyz(surface.vertices, surface.faces)
    assert np.abs(x * [-1, 1, 1] - a.xyz(surface.vertices, surface.faces)).max() < 1e-6
    got = distances.between(a, b)
    assert np.array_equal(got, distances.between(b, a))
    assert np.array_equal(got, distances.between(mirrored(a), mirrored(b)))
    assert np.array_equal(distances.between(a, mirrored(b)), distances.between(mirrored(a), b))


def test_a_way_over_a_third_point_is_not_shorter(on_sphere):
    surface, distances = on_sphere
    rng = np.random.default_rng(2)
    a, b, c = (random_points(surface, 50_000, rng) for _ in range(3))
    around = distances.between(a, b).astype(np.float64) + distances.between(b, c)
    assert (distances.between(a, c) <= 1.01 * around).all()


def test_a_point_written_in_two_faces_is_one_point(on_sphere):
    surface, distances = on_sphere
    shared = surface.faces[0, 0]
    face, corner = np.nonzero(surface.faces == shared)
    points = SurfacePoints(face, np.eye(3)[corner])
    first = SurfacePoints(np.repeat(face[:1], len(face)), np.repeat(np.eye(3)[corner[:1]], len(face), axis=0))
    assert distances.between(first, points).max() < 1e-5


def test_the_mean_of_a_square_part(tmp_path):
    """Two random points in a square of side 1 are 0.5214 apart (Santaló)."""
    surface = square(3)
    chart = np.full(len(surface.faces), 2, np.uint8)
    charts = Charts(chart, np.zeros((len(chart), 3, 2), np.float32))
    distances = GeodesicDistances(surface, tmp_path, progress=False)
    means = distances.part_means(charts, pairs=20_000)
    assert means.shape == (15,) and means[1] == pytest.approx(0.5214 * SIDE, rel=0.01)
    assert np.isnan(means[[0, *range(2, 15)]]).all()
    with pytest.raises(ValueError, match="128 faces, got 3"):
        distances.part_means(Charts(chart[:3], np.zeros((3, 3, 2), np.float32)))


def test_bad_input_is_named(tmp_path, monkeypatch):
    distances = GeodesicDistances(square(1), tmp_path, progress=False)
    with pytest.raises(ValueError, match="equally many, got 1 and 2"):
        distances.between(one(0, 1, 0, 0), SurfacePoints(np.zeros(2, int), np.eye(3)[:2]))
    with pytest.raises(ValueError, match=r"in 0\.\.7, got 8\.\.8"):
        distances.between(one(0, 1, 0, 0), one(8, 1, 0, 0))
    with pytest.raises(ValueError, match="above 0, got 0"):
        GeodesicDistances(square(1), tmp_path, max_edge_m=0)
    monkeypatch.setattr(geodesic_file, "MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="many nodes, 25: its table of distances would take 0.0 GB"):
        GeodesicDistances(square(2), tmp_path, max_edge_m=1)
    monkeypatch.undo()
    far = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]) * SIDE
    with pytest.raises(ValueError, match="in one piece"):
        GeodesicDistances(surface_of([*far, *(far + 1)], [[0, 1, 2], [3, 4, 5]]), tmp_path, progress=False)
    assert len(distances.between(*[SurfacePoints(np.zeros(0, int), np.zeros((0, 3)))] * 2)) == 0
