import os
import pickle
import struct

import numpy as np
import pytest
from scipy.io import savemat
from tests.evaluation.assets import small_body, write_assets

from opendensepose.evaluation.errors import between_labels
from opendensepose.evaluation.official_assets import (
    OFFICIAL_FILES,
    OfficialDistances,
    load_official_distances,
    load_vertex_charts,
    read_pickled_arrays,
)


def labels(rng, count):
    return rng.integers(1, 25, count).astype(np.uint8), rng.random(count), rng.random(count)


def released_position(i: int, j: int, n: int) -> int:
    """Where the released evaluators look for the distance of rows i > j (from 0), as they state it: the half matrix
    is a condensed distance matrix (SciPy's order) of the vertices in reverse, read from its end."""
    i, j = n - 1 - i, n - 1 - j
    condensed = n * (n - 1) // 2 - (n - i) * (n - i - 1) // 2 + j - i - 1
    return n * (n - 1) // 2 - 1 - condensed


def test_two_vertices_by_hand():
    distances = OfficialDistances(
        np.array([1, 1, 2]), np.array([[0, 0], [1, 1], [0, 0]]), np.array([2, 0, 1]), np.array([0.1, 0.2, 0.4])
    )
    said = np.array([1, 1, 2, 1]), np.array([0.9, 0.1, 1, 0]), np.array([0.8, 0.2, 1, 0])
    true = np.array([1, 2, 2, 2]), np.zeros(4), np.zeros(4)
    assert distances.nearest_vertex(said).tolist() == [1, 0, 2, 0]
    assert between_labels(distances, true, said).tolist() == [0.2, 0.4, 0, 0.4]
    assert between_labels(distances, said, true).tolist() == [0.2, 0.4, 0, 0.4]


def test_files_give_the_distance_of_the_nearest_vertices(tmp_path):
    rng = np.random.default_rng(0)
    chart, uv, number, matrix = small_body(rng)
    distances = load_official_distances(write_assets(tmp_path, chart, uv, number, matrix))
    a, b = labels(rng, 400), labels(rng, 400)
    for k in range(400):
        vertex = []
        for i, u, v in (a, b):
            mine = np.flatnonzero(chart == i[k])
            vertex.append(mine[np.argmin((uv[mine, 0] - u[k]) ** 2 + (uv[mine, 1] - v[k]) ** 2)])
        row = number[vertex] - 1
        one = tuple(part[k : k + 1] for part in a), tuple(part[k : k + 1] for part in b)
        assert between_labels(distances, *one) == matrix[row[0], row[1]]
    assert f"{len(chart):,} vertices" in distances.surface


def test_the_half_matrix_is_read_where_the_released_evaluators_read_it():
    n = 40
    half = np.arange(n * (n - 1) // 2, dtype=float)
    chart, uv = np.ones(n, int), np.stack([np.arange(n) / n, np.zeros(n)], 1)
    distances = OfficialDistances(chart, uv, np.arange(n), half)
    for i in range(n):
        for j in range(i):
            pair = [(np.ones(1, int), np.array([k / n]), np.zeros(1)) for k in (i, j)]
            assert between_labels(distances, *pair) == released_position(i, j, n)


def test_it_is_symmetric_and_zero_on_itself(tmp_path):
    rng = np.random.default_rng(1)
    distances = load_official_distances(write_assets(tmp_path, *small_body(rng)))
    a, b = labels(rng, 1000), labels(rng, 1000)
    np.testing.assert_array_equal(between_labels(distances, a, b), between_labels(distances, b, a))
    assert not between_labels(distances, a, a).any()


def test_of_equally_near_vertices_the_first_is_taken():
    distances = OfficialDistances(np.ones(3, int), np.array([[0, 0], [1, 0], [1, 0]]), np.arange(3), np.ones(3))
    assert distances.nearest_vertex((np.array([1, 1]), np.array([0.5, 0.9]), np.zeros(2))).tolist() == [0, 1]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol_are_read(tmp_path, protocol):
    arrays = {"Pdist_matrix": np.arange(6, dtype=np.float32)[:, None], "f": np.asfortranarray(np.ones((2, 3)))}
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))
    read = read_pickled_arrays(path)
    for name, value in arrays.items():
        np.testing.assert_array_equal(read[name], value)
        assert read[name].dtype == value.dtype


def test_a_pickle_of_python_2_is_read(tmp_path):
    """Opcodes as Python 2's numpy wrote them: strings are bytes, modules are numpy.core's."""
    values = np.array([1.5, 2.5, 4.0], "<f4")
    short = lambda text: b"U" + struct.pack("B", len(text)) + text  # noqa: E731
    dtype = b"cnumpy\ndtype\n(" + short(b"f4") + b"K\x00K\x01tR(K\x03" + short(b"<") + b"NNNJ\xff\xff\xff\xff" * 2
    dtype = dtype[: dtype.rindex(b"NNN")] + b"J\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + short(b"b") + b"tR"
    array += b"(K\x01(K\x03K\x01t" + dtype + b"\x89" + short(values.tobytes()) + b"tb"
    path = tmp_path / "two.pkl"
    path.write_bytes(b"\x80\x02}" + short(b"Pdist_matrix") + array + b"s.")
    np.testing.assert_array_equal(read_pickled_arrays(path)["Pdist_matrix"], values[:, None])
    assert pickle.loads(path.read_bytes(), encoding="latin1")["Pdist_matrix"].tolist() == [[1.5], [2.5], [4.0]]


class Runs:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("call", [(os.system, "touch {}"), (eval, "open('{}', 'w')"), (np.fromfile, "{}")])
def test_a_pickle_cannot_run_anything(tmp_path, call):
    mark = tmp_path / "mark"
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"Pdist_matrix": Runs(call[0], call[1].format(mark))}))
    with pytest.raises(ValueError, match="evil.pkl: the pickle asks for .*arrays only"):
        read_pickled_arrays(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    "content, says",
    [
        (b"not a pickle", "not a pickle"),
        (b"", "not a pickle"),
        (pickle.dumps([1, 2]), "must hold a dict of arrays, got list"),
        (pickle.dumps({"Pdist_matrix": 3}), "Pdist_matrix must be an array, got int"),
        (pickle.dumps({"Pdist_matrix": np.array([{}])}), "must hold numbers"),
        (pickle.dumps({"Pdist_matrix": np.ones(3)}, protocol=2)[:-30], "not a pickle"),
    ],
)
def test_other_files_are_one_sentence(tmp_path, content, says):
    path = tmp_path / "m.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"m.pkl: .*{says}"):
        read_pickled_arrays(path)


def test_what_does_not_fit_is_named(tmp_path):
    chart, uv, number, matrix = small_body(np.random.default_rng(0))
    folder = write_assets(tmp_path / "a", chart, uv, number + 1, matrix)
    with pytest.raises(ValueError, match=r"rows must be in 0\.\.113"):
        load_official_distances(folder)
    write_assets(folder, chart, uv, number[:-1], matrix)
    with pytest.raises(ValueError, match="do not fit together"):
        load_official_distances(folder)
    write_assets(folder, chart, uv, number, matrix)
    (folder / "Pdist_matrix.pkl").write_bytes(pickle.dumps({"Pdist_matrix": np.ones(11)}))
    with pytest.raises(ValueError, match="got 11"):
        load_official_distances(folder)
    (folder / "Pdist_matrix.pkl").write_bytes(pickle.dumps({"other": np.ones(10)}))
    with pytest.raises(ValueError, match="must hold Pdist_matrix"):
        load_official_distances(folder)
    savemat(folder / "SMPL_subdiv.mat", {"U_subdiv": uv[:, :1]})
    with pytest.raises(ValueError, match="V_subdiv, Part_ID_subdiv is missing"):
        load_official_distances(folder)
    (folder / "SMPL_subdiv.mat").write_text("not MATLAB's")
    with pytest.raises(ValueError, match=r"SMPL_subdiv\.mat: this is not a MATLAB file"):
        load_official_distances(folder)
    for name in OFFICIAL_FILES:
        (folder / name).unlink()
        with pytest.raises(FileNotFoundError, match=name):
            load_official_distances(folder)
        write_assets(folder, chart, uv, number, matrix)


def test_a_chart_without_vertices_is_named():
    distances = OfficialDistances(np.ones(2, int), np.zeros((2, 2)), np.arange(2), np.ones(1))
    with pytest.raises(ValueError, match="no vertex in chart 7"):
        distances.nearest_vertex((np.array([7]), np.zeros(1), np.zeros(1)))


def test_charts_of_vertices_by_hand(tmp_path):
    """Five copies of four vertices: vertex 1 lies on the border of charts 9 and 2, and vertex 2 in none."""
    chart, uv = np.array([1, 9, 2, 24, 2]), np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 1.0001], [0.9, 0]])
    write_assets(tmp_path, chart, uv, np.array([1, 2, 2, 4, 2]), np.zeros((4, 4)))
    i, u, v = load_vertex_charts(tmp_path)
    assert i.tolist() == [1, 9, 0, 24] and i.dtype == np.uint8 and u.dtype == v.dtype == np.float32
    assert u.tolist() == np.float32([0.1, 0.3, 0, 0.7]).tolist() and v.tolist() == np.float32([0.2, 0.4, 0, 1]).tolist()
    (tmp_path / "Pdist_matrix.pkl").unlink()  # the distances are not needed
    assert load_vertex_charts(tmp_path).i.tolist() == i.tolist()


def test_the_nearest_vertex_of_a_vertex_s_charts_is_that_vertex(tmp_path):
    chart, uv, number, matrix = small_body(np.random.default_rng(0))
    folder = write_assets(tmp_path, chart, uv, number, matrix)
    charts, distances = load_vertex_charts(folder), load_official_distances(folder)
    assert (charts.i > 0).all() and len(charts.i) == len(matrix)
    np.testing.assert_array_equal(distances.matrix_row[distances.nearest_vertex(charts)], np.arange(len(matrix)))


def test_charts_that_do_not_fit_are_named(tmp_path):
    chart, uv, number, matrix = small_body(np.random.default_rng(0))
    folder = write_assets(tmp_path, chart, uv, number[:-1], matrix)
    with pytest.raises(ValueError, match="must be of one length, got 120, 120, 120 and 119"):
        load_vertex_charts(folder)
    write_assets(folder, chart, uv, number - 1, matrix)
    with pytest.raises(ValueError, match="are damaged: index must be 1 to 120 everywhere"):
        load_vertex_charts(folder)
    write_assets(folder, np.where(chart == 3, 25, chart), uv, number, matrix)
    with pytest.raises(ValueError, match="are damaged: Part_ID_subdiv must be 1 to 24 everywhere"):
        load_vertex_charts(folder)
    write_assets(folder, chart, np.where(uv > 0.9, np.nan, uv), number, matrix)
    with pytest.raises(ValueError, match="are damaged: U_subdiv must be"):
        load_vertex_charts(folder)
    for name in OFFICIAL_FILES[:2]:
        (folder / name).unlink()
        with pytest.raises(
            FileNotFoundError, match=rf"{name} is not there: --assets needs SMPL_subdiv.mat, SMPL_SUB\w+.mat\."
        ):
            load_vertex_charts(folder)
        write_assets(folder, chart, uv, number, matrix)
