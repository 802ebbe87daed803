"""The pictures of all views as one file in the user's cache: drawn once, checked when opened, whole or not there.

The file's name is `views-<key>-<content>.npz`, both the beginnings of SHA-256 sums: of all that the pictures depend on,
and of the file. In it, `<part>-<view>` holds the bytes of a PNG.
"""

import hashlib
import os
import time
from pathlib import Path

import numpy as np

from opendensepose.annotate.surface.cameras import VIEWS_FILE, load_views
from opendensepose.cache_folder import cache_folder
from opendensepose.surface import load_charts, load_surface

__all__ = ["load_or_draw"]

FORMAT = 1  # to be raised when the drawing changes
CHECK_LETTERS = 16
LEFT_AFTER_S = 3600


def load_or_draw(cache_dir: str | Path | None = None) -> dict[tuple[int, int], bytes]:
    """PNG files by (part - 1, view). cache_dir: by default `cache_folder()`.

    A cache that cannot be written is done without; a damaged file is drawn anew.
    """
    if cache_dir is None:
        cache_dir = cache_folder()
    cache_dir = Path(cache_dir)
    key = _key()
    found = _find(cache_dir, key)
    if found is not None:
        return found
    from opendensepose.annotate.surface.drawing import draw_views  # needs torch and Warp

    pictures = draw_views()
    try:
        _keep(pictures, cache_dir, key)
    except OSError:  # a read-only home: every start draws them again
        pass
    return pictures


def _key() -> str:
    surface, charts = load_surface(), load_charts()
    key = hashlib.sha256(f"{FORMAT}".encode() + VIEWS_FILE.read_bytes())
    for array in (surface.vertices, surface.faces, charts.face_chart, charts.face_uv):
        key.update(np.ascontiguousarray(array))
    return key.hexdigest()[:CHECK_LETTERS]


def _find(cache_dir: Path, key: str) -> dict[tuple[int, int], bytes] | None:
    """The pictures of a sound file of that key, or None. A damaged file is deleted."""
    for path in cache_dir.glob(f"views-{key}-*.npz"):
        if path.stem.endswith("-" + _checksum(path)):
            with np.load(path, allow_pickle=False) as data:
                return {
                    (part, number): data[f"{part + 1}-{number}"].tobytes()
                    for part, views in enumerate(load_views())
                    for number in range(len(views))
                }
        path.unlink(missing_ok=True)
    return None


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:CHECK_LETTERS]


def _keep(pictures: dict[tuple[int, int], bytes], cache_dir: Path, key: str) -> None:
    """Writes the file under another name, which it leaves only when it is complete."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    for leftover in cache_dir.glob(".views-*.part"):  # of a process that was killed, or of one still at work
        if time.time() - leftover.stat().st_mtime > LEFT_AFTER_S:
            leftover.unlink(missing_ok=True)
    unfinished = cache_dir / f".views-{key}-{os.getpid()}.part"
    arrays = {f"{part + 1}-{number}": np.frombuffer(png, np.uint8) for (part, number), png in pictures.items()}
    try:
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(cache_dir / f"views-{key}-{_checksum(unfinished)}.npz")
    finally:
        unfinished.unlink(missing_ok=True)
