"""The table of geodesic distances, a file in the user's cache: computed once, checked when opened, mapped into memory.

The file's name is `geodesic-<mesh>-<content>.npy`, both the beginnings of SHA-256 sums: of the folded mesh and the way
of tabulating it, and of the file. Entries, float32 metres: for nodes i >= j of one half i * (i + 1) / 2 + j; for node i
and the mirror image of node j, H * (H + 1) / 2 further on (H nodes of one half).
"""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from opendensepose.cache_folder import cache_folder
from opendensepose.surface.geodesics.mesh import FoldedMesh

MAX_BYTES = 1_000_000_000
FORMAT = 1  # raise it when older tables would be wrong
CHECK_LETTERS = 16
LEFT_AFTER_S = 24 * 3600


@dataclass(frozen=True)
class NodeDistances:
    """The table (E,) float32 metres of a folded mesh that has num_nodes nodes in one half."""

    table: np.ndarray
    num_nodes: int

    def between(self, a: np.ndarray, b: np.ndarray, across: np.ndarray) -> np.ndarray:
        """float32 metres from nodes a to b of one half; where across, to the mirror image of b. Shapes broadcast."""
        high, low = np.maximum(a, b, dtype=np.int64), np.minimum(a, b)
        entry = high + 1
        entry *= high
        entry >>= 1
        entry += low
        entry += np.where(across, self.num_nodes * (self.num_nodes + 1) // 2, 0)
        return self.table.take(entry)


def load_or_make(mesh: FoldedMesh, cache_dir: str | Path | None, progress: bool) -> NodeDistances:
    """The distances mapped from the file in cache_dir (None: `cache_folder()`), which is made if it is missing.

    ValueError if the table would be larger than MAX_BYTES, OSError if it cannot be written.
    """
    count = len(mesh.node_xyz)
    entries = count * (count + 1) // 2 * (2 if mesh.mirrored else 1)
    if 4 * entries > MAX_BYTES:
        raise ValueError(
            f"the surface has too many nodes, {count}: its table of distances would take {4e-9 * entries:.1f} GB. "
            f"Give a larger max_edge_m or a mesh of fewer faces."
        )
    cache_dir = cache_folder() if cache_dir is None else Path(cache_dir)
    key = _mesh_key(mesh)
    table = _find(cache_dir, key, entries)
    if table is None:
        from filelock import FileLock

        cache_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(cache_dir / f".geodesic-{key}.lock"):  # minutes of work: other processes wait for its result
            table = _find(cache_dir, key, entries)
            if table is None:
                table = _make(mesh, cache_dir, key, entries, progress)
    return NodeDistances(table, count)


def _mesh_key(mesh: FoldedMesh) -> str:
    """What the table depends on. The nodes as float32: the last bits of float64 differ between machines."""
    key = hashlib.sha256(f"{FORMAT} {mesh.mirrored}".encode())
    for array, dtype in ((mesh.node_xyz, "<f4"), (mesh.cell, "<i4"), (mesh.split, "i1"), (mesh.is_middle, "?")):
        key.update(np.ascontiguousarray(array, dtype).data)
    return key.hexdigest()[:CHECK_LETTERS]


def _find(cache_dir: Path, key: str, entries: int) -> np.ndarray | None:
    """Map the table from an intact file of that key, or return None. Delete a damaged file."""
    for path in cache_dir.glob(f"geodesic-{key}-*.npy"):
        if path.stem.endswith("-" + _checksum(path)):
            table = np.load(path, mmap_mode="r", allow_pickle=False)
            if table.shape == (entries,) and table.dtype == np.float32:
                return np.asarray(table)
        path.unlink()
    return None


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:CHECK_LETTERS]


def _make(mesh: FoldedMesh, cache_dir: Path, key: str, entries: int, progress: bool) -> np.ndarray:
    """Compute the table in a temporary file and rename it when it is complete."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    for leftover in cache_dir.glob(".geodesic-*.part"):  # of a process that was killed, or of one still at work
        if time.time() - leftover.stat().st_mtime > LEFT_AFTER_S:
            leftover.unlink(missing_ok=True)
    part = cache_dir / f".geodesic-{key}-{os.getpid()}.part"
    columns = (TextColumn("geodesic distances, once per machine"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    try:
        with Progress(*columns, console=console, disable=not (progress and console.is_terminal)) as shown:
            bar = shown.add_task("geodesic distances", total=2 * len(mesh.node_xyz))
            _write(mesh, part, entries, lambda done: shown.advance(bar, done))
        path = cache_dir / f"geodesic-{key}-{_checksum(part)}.npy"
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _write(mesh: FoldedMesh, path: Path, entries: int, advance: Callable[[int], None]) -> None:
    from opendensepose.surface.geodesics.table import table_rows  # needs igl and scipy

    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (entries,)}
        np.lib.format.write_array_header_1_0(file, header)
        start = file.tell()
        count = len(mesh.node_xyz)
        for i, row in enumerate(table_rows(mesh, advance)):
            for side, values in enumerate(row):
                file.seek(start + 4 * (side * count * (count + 1) // 2 + i * (i + 1) // 2))
                file.write(values.astype("<f4").tobytes())
        file.flush()
        os.fsync(file.fileno())
