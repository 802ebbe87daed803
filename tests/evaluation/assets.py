"""A small body in the three files that the released evaluators read."""

import pickle
from pathlib import Path

import numpy as np
from scipy.io import savemat


def small_body(rng, per_chart=5):
    """chart (n,), uv (n, 2), number (n,) from 1, and the square matrix (m, m) of distances. Some vertices of the finer
    mesh share a row, as at seams."""
    chart = np.repeat(np.arange(1, 25), per_chart)
    uv = rng.random((len(chart), 2))
    rows = len(chart) - 6
    number = np.concatenate([rng.permutation(rows), rng.integers(0, rows, 6)]) + 1
    place = rng.random((rows, 3))
    matrix = np.linalg.norm(place[:, None] - place[None], axis=2).astype(np.float32)
    return chart, uv, number, matrix


def write_assets(folder: Path, chart, uv, number, matrix, *, protocol=2) -> Path:
    folder.mkdir(exist_ok=True)
    column = {"U_subdiv": uv[:, :1], "V_subdiv": uv[:, 1:], "Part_ID_subdiv": chart[:, None].astype(float)}
    savemat(folder / "SMPL_subdiv.mat", column)
    savemat(folder / "SMPL_SUBDIV_TRANSFORM.mat", {"index": number[:, None].astype(float)})
    half = matrix[np.tril_indices(len(matrix), -1)][:, None]
    with (folder / "Pdist_matrix.pkl").open("wb") as file:
        pickle.dump({"Pdist_matrix": half}, file, protocol=protocol)
    return folder
