"""The pictures of all views as one file in the user's cache, drawn once.

The file's name is `views-<key>-<checksum>.npz`. Both are the beginnings of SHA-256 sums: of all that the pictures
depend on, and of the file. `<part>-<view>` in it holds the bytes of a PNG.
"""

import hashlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.annotate.surface.cameras import VIEWS_FILE, load_views
from opendensepose.atomic_write import atomic_write
from opendensepose.cache_folder import cache_folder
from opendensepose.surface import load_charts, load_surface

__all__ = ["load_or_draw"]

FORMAT = 2  # increase it when the drawing changes


def load_or_draw(cache_dir: str | Path | None = None) -> dict[tuple[int, int], bytes]:
    """Load the PNG files by (part - 1, view), or draw and cache them. cache_dir: by default `cache_folder()`.

    A damaged file is drawn again. If the cache cannot be written, every start draws the pictures.
    """
    cache_dir = cache_folder() if cache_dir is None else Path(cache_dir)
    key = _key()
    cached = _load(cache_dir, key)
    if cached is not None:
        return cached
    from opendensepose.annotate.surface.drawing import draw_views  # needs torch and Warp

    pictures = draw_views()
    with suppress(OSError):
        _save(pictures, cache_dir, key)
    return pictures


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _key() -> str:
    surface, charts = load_surface(), load_charts()
    arrays = surface.vertices, surface.faces, charts.face_chart, charts.face_uv
    return _checksum(b"".join([f"{FORMAT}".encode(), VIEWS_FILE.read_bytes(), *(array.tobytes() for array in arrays)]))


def _load(cache_dir: Path, key: str) -> dict[tuple[int, int], bytes] | None:
    """Load the sound file of this key, None if there is none; delete damaged ones."""
    for path in cache_dir.glob(f"views-{key}-*.npz"):
        content = path.read_bytes()
        if path.stem.endswith("-" + _checksum(content)):
            with np.load(BytesIO(content), allow_pickle=False) as data:
                return {
                    (part, number): data[f"{part + 1}-{number}"].tobytes()
                    for part, views in enumerate(load_views())
                    for number in range(len(views))
                }
        path.unlink(missing_ok=True)
    return None


def _save(pictures: dict[tuple[int, int], bytes], cache_dir: Path, key: str) -> None:
    cache_dir.mkdir(parents=True, exist_ok=True)
    file = BytesIO()
    arrays: dict[str, Any] = {f"{part + 1}-{k}": np.frombuffer(png, np.uint8) for (part, k), png in pictures.items()}
    np.savez(file, **arrays)
    atomic_write(cache_dir / f"views-{key}-{_checksum(file.getvalue())}.npz", file.getvalue())
