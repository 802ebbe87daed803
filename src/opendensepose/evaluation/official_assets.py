"""Distances and charts on the authors' surface, read from the files that users of the released evaluators have.

`SMPL_subdiv.mat` (U_subdiv, V_subdiv, Part_ID_subdiv: chart coordinates of the n vertices of a finer mesh, cut at the
charts' borders), `SMPL_SUBDIV_TRANSFORM.mat` (index: their numbers, from 1, among the 27,554 vertices of the uncut
mesh, which the matrix and the embedding networks have) and `Pdist_matrix.pkl` (the distances
in metres below the diagonal of an n x n matrix, row by row: n (n - 1) / 2). The files are not part of this project:
their licence is non-commercial. Labels are snapped to the vertex of the same chart that is nearest in UV, as the
released evaluators do.

Letters: n vertices, P points.
"""

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from opendensepose.evaluation.errors import Labels

__all__ = [
    "OFFICIAL_FILES",
    "OfficialDistances",
    "load_official_distances",
    "load_vertex_charts",
    "read_pickled_arrays",
]

OFFICIAL_FILES = ("SMPL_subdiv.mat", "SMPL_SUBDIV_TRANSFORM.mat", "Pdist_matrix.pkl")
_CHUNK = 2000  # points compared with all vertices at once
_ALIKE_UV = 1e-12  # distances that differ by less count as equal until they are compared exactly


class OfficialDistances:
    """Stored distances between the vertices of a subdivided mesh.

    chart (n,) in 1..24, uv (n, 2) float64 of the vertices; matrix_row (n,): their rows in the matrix, from 0; half
    (m (m - 1) / 2,): the entries below its diagonal, row by row, metres. ValueError if these do not fit together.
    """

    def __init__(self, chart: np.ndarray, uv: np.ndarray, matrix_row: np.ndarray, half: np.ndarray):
        num_rows = (1 + round((1 + 8 * half.size) ** 0.5)) // 2
        if half.ndim != 1 or num_rows * (num_rows - 1) // 2 != half.size:
            raise ValueError(f"half a matrix must have n (n - 1) / 2 numbers for some n, got {half.size}.")
        if not chart.shape == matrix_row.shape == (len(uv),) or uv.shape != (len(chart), 2):
            raise ValueError(
                f"chart, uv and matrix_row must be (n,), (n, 2) and (n,), "
                f"got {chart.shape}, {uv.shape} and {matrix_row.shape}."
            )
        if matrix_row.size and not 0 <= matrix_row.min() <= matrix_row.max() < num_rows:
            raise ValueError(
                f"the vertices' rows must be in 0..{num_rows - 1}, the matrix's, "
                f"got {matrix_row.min()}..{matrix_row.max()}."
            )
        self.surface = f"the authors' body (SMPL, {len(chart):,} vertices)"
        self.matrix_row, self.half = matrix_row.astype(np.int64), half
        self.vertices = [np.flatnonzero(chart == k) for k in range(25)]
        self.uv = [uv[mine].astype(np.float64) for mine in self.vertices]
        self._trees: dict[int, cKDTree] = {}

    def nearest_vertex(self, labels: Labels) -> np.ndarray:
        """Find the vertex of the same chart nearest in UV, the first of equals: (P,) int64; ValueError without one."""
        i, u, v = labels
        vertex = np.empty(len(i), np.int64)
        uv = np.stack([u, v], 1).astype(np.float64)
        for k in np.flatnonzero(np.bincount(i)).tolist():
            if not 1 <= k <= 24 or not len(self.vertices[k]):
                raise ValueError(f"the assets have no vertex in chart {k}.")
            mine = np.flatnonzero(i == k)
            vertex[mine] = self.vertices[k][self._nearest_in_chart(k, uv[mine])]
        return vertex

    def _nearest_in_chart(self, chart: int, uv: np.ndarray) -> np.ndarray:
        """Indices (P,) into the chart's vertices. The tree takes any of equals: where two are, all are compared."""
        if chart not in self._trees:
            self._trees[chart] = cKDTree(self.uv[chart])
        distance, nearest = self._trees[chart].query(uv, k=min(2, len(self.uv[chart])))
        if nearest.ndim == 1:
            return nearest
        nearest = nearest[:, 0].copy()
        alike = np.flatnonzero(distance[:, 1] - distance[:, 0] < _ALIKE_UV)
        for start in range(0, len(alike), _CHUNK):
            part = alike[start : start + _CHUNK]
            nearest[part] = cdist(uv[part], self.uv[chart]).argmin(1)
        return nearest

    def locate(self, labels: Labels) -> np.ndarray:
        """Find the rows (P,) int64 of the matrix of the vertices nearest to labels."""
        return self.matrix_row[self.nearest_vertex(labels)]

    def between(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Look up the distances between rows of the matrix: (P,) float64 metres."""
        low, high = np.minimum(a, b), np.maximum(a, b)
        distance_m = np.zeros(len(low))
        apart = low < high
        distance_m[apart] = self.half[high[apart] * (high[apart] - 1) // 2 + low[apart]]
        return distance_m


def load_official_distances(folder: str | Path) -> OfficialDistances:
    """Read the three files of a folder. FileNotFoundError if one is missing, ValueError if one is damaged."""
    subdivided, transform, matrix = _files(folder, OFFICIAL_FILES)
    u, v, chart = _read_mat(subdivided, "U_subdiv", "V_subdiv", "Part_ID_subdiv")
    (index,) = _read_mat(transform, "index")
    arrays = read_pickled_arrays(matrix)
    if "Pdist_matrix" not in arrays:
        raise ValueError(f"{matrix} must hold Pdist_matrix, got {sorted(arrays)}.")
    half = arrays["Pdist_matrix"]
    if half.dtype.kind != "f":
        raise ValueError(f"{matrix}: Pdist_matrix must hold floating-point metres, got {half.dtype}.")
    try:
        return OfficialDistances(chart.astype(np.int64), np.stack([u, v], 1), index.astype(np.int64) - 1, half.ravel())
    except ValueError as error:
        raise ValueError(f"the files in {folder} do not fit together: {error}") from error


def load_vertex_charts(folder: str | Path) -> Labels:
    """Read I, U, V of the uncut mesh's vertices (M,), uint8 and float32, from the folder's .mat files.

    A vertex on the border of charts has the labels of the first of its copies there; I is 0 for a vertex without any.
    FileNotFoundError if a file is missing, ValueError if one is damaged or they do not fit together.
    """
    subdivided, transform = _files(folder, OFFICIAL_FILES[:2])
    u, v, chart = _read_mat(subdivided, "U_subdiv", "V_subdiv", "Part_ID_subdiv")
    (index,) = _read_mat(transform, "index")
    if not len(index) or not len(index) == len(u) == len(v) == len(chart):
        raise ValueError(
            f"the files in {folder} do not fit together: U_subdiv, V_subdiv, Part_ID_subdiv and index must be of one"
            f" length, got {len(u)}, {len(v)}, {len(chart)} and {len(index)}."
        )
    limits = (("U_subdiv", u, -0.01, 1.01), ("V_subdiv", v, -0.01, 1.01), ("Part_ID_subdiv", chart, 1, 24))
    for name, values, least, most in (*limits, ("index", index, 1, len(index))):
        if not (np.isfinite(values).all() and least <= values.min() and values.max() <= most):
            raise ValueError(f"the files in {folder} are damaged: {name} must be {least} to {most} everywhere.")
    vertex, first = np.unique(index.astype(np.int64) - 1, return_index=True)
    i, (all_u, all_v) = np.zeros(vertex[-1] + 1, np.uint8), np.zeros((2, vertex[-1] + 1), np.float32)
    i[vertex], all_u[vertex], all_v[vertex] = chart[first], np.clip(u[first], 0, 1), np.clip(v[first], 0, 1)
    return Labels(i, all_u, all_v)


def _files(folder: str | Path, names: Sequence[str]) -> list[Path]:
    """The files of a folder; FileNotFoundError if one is missing."""
    paths = [Path(folder) / name for name in names]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"{path} is not there: --assets needs {', '.join(names)}.")
    return paths


def _read_mat(path: Path, *names: str) -> list[np.ndarray]:
    """Variables of a MATLAB file, flattened to float64 (n,)."""
    try:
        content = loadmat(path, variable_names=names)
    except Exception as error:  # scipy raises many kinds for files that are not MATLAB's
        raise ValueError(f"{path}: this is not a MATLAB file that can be read: {error}") from error
    missing = [name for name in names if name not in content]
    if missing:
        raise ValueError(f"{path}: {', '.join(missing)} is missing.")
    return [np.asarray(content[name], np.float64).ravel() for name in names]


def read_pickled_arrays(path: Path) -> dict[str, np.ndarray]:
    """The dict of numeric arrays that a pickle holds, of Python 2 or 3; ValueError for whatever else.

    Nothing that a pickle names is imported or called: stand-ins replace the names by which numpy rebuilds arrays, any
    other name is refused. The arrays share the memory of the bytes read.
    """
    try:
        with Path(path).open("rb") as file:
            content = _ArraysOnly(file, encoding="bytes").load()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, ImportError) as error:
        raise ValueError(f"{path}: this is not a pickle of arrays: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: it must hold a dict of arrays, got {type(content).__name__}.")
    named = {key.decode("latin1") if isinstance(key, bytes) else str(key): value for key, value in content.items()}
    for key, value in named.items():
        if not isinstance(value, _Array):
            raise ValueError(f"{path}: {key} must be an array, got {type(value).__name__}.")
    try:
        return {key: value.to_numpy() for key, value in named.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: an array in it is not whole: {error}") from error


class _DType:
    """Stands for numpy.dtype: a code such as f4, and a byte order."""

    def __init__(self, code: str | bytes, *_: object):
        self.code: str | bytes = code
        self.order: str | bytes = "="

    def __setstate__(self, state: tuple) -> None:
        self.order = state[1]

    def to_numpy(self) -> np.dtype:
        code, order = (x.decode("latin1") if isinstance(x, bytes) else str(x) for x in (self.code, self.order))
        if code[:1] not in {"f", "i", "u", "b"}:
            raise ValueError(f"arrays must hold numbers, got {code}.")
        return np.dtype(("" if order == "|" else order) + code)


class _Array:
    """Stands for numpy.ndarray: shape, type and bytes."""

    def __setstate__(self, state: tuple) -> None:
        _, self.shape, self.dtype, self.column_major, self.content = state

    def to_numpy(self) -> np.ndarray:
        content = self.content.encode("latin1") if isinstance(self.content, str) else self.content
        array = np.frombuffer(content, self.dtype.to_numpy())
        return array.reshape(self.shape, order="F" if self.column_major else "C")


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _from_buffer(content: bytes, dtype: _DType, shape: tuple[int, ...], order: str | bytes = "C", *_: object) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, dtype, order in ("F", b"F"), content))
    return array


def _encode(text: str, *_: object) -> bytes:
    return text.encode("latin1")


class _ArraysOnly(pickle.Unpickler):
    """Reads pickles that name nothing but the parts of numpy arrays."""

    def find_class(self, module: str, name: str) -> Callable:
        numpy_module = module.split(".")[0] == "numpy"
        stand_ins: dict[str, Callable] = {
            "_reconstruct": _reconstruct,
            "_frombuffer": _from_buffer,
            "ndarray": _Array,
            "dtype": _DType,
        }
        if numpy_module and name in stand_ins:
            return stand_ins[name]
        if (module, name) == ("_codecs", "encode"):
            return _encode
        raise ValueError(f"the pickle asks for {module}.{name}; it must hold arrays only.")
