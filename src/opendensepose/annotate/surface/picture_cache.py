"""The pictures of all views in the user's cache, drawn once by a process of its own.

Drawing takes a minute of computing, which would hold up every click if the server did it itself. The process writes a
file for each part as soon as its pictures are drawn, so that little is lost when it is killed; it ends when the process
that started it has ended.

A file's name is `views-<key>-<part>-<checksum>.npz`. Key and checksum are the beginnings of SHA-256 sums: of all that
the pictures depend on, and of the file. `<view>` in it holds the bytes of a PNG.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.annotate.surface.cameras import NUM_VIEWS, VIEWS_FILE
from opendensepose.atomic_write import atomic_write
from opendensepose.cache_folder import cache_folder
from opendensepose.surface import NUM_PARTS, load_charts, load_surface

__all__ = ["PictureCache", "draw_missing"]

FORMAT = 2  # increase it when the drawing changes
POLL_SECONDS = 0.2


class PictureCache:
    """The pictures that lie in a folder, by default `cache_folder()`; what is missing or damaged is drawn.

    start: starts a process that fills a folder. If the cache cannot be written, each server draws for itself.
    """

    def __init__(self, folder: str | Path | None = None, start: Callable[[Path], subprocess.Popen] | None = None):
        self._folder = self._default_folder() if folder is None else Path(folder)
        self._start = start or _start_drawing
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()
        self._known: dict[int, list[bytes]] = {}

    def _default_folder(self) -> Path:
        folder = cache_folder()
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
        temporary = tempfile.mkdtemp(prefix="annotate-views-")
        weakref.finalize(self, shutil.rmtree, temporary, ignore_errors=True)
        return Path(temporary)

    def prepare(self) -> None:
        """Start to draw what is missing, without waiting for it."""
        if any(self._load(part) is None for part in range(1, NUM_PARTS + 1)):
            self._drawing()

    def png(self, part: int, view: int) -> bytes:
        """Return a PNG file; wait while it is being drawn. OSError if the process that draws fails."""
        pictures = self._load(part)
        if pictures is None:
            process = self._drawing()
            while pictures is None and process.poll() is None:
                time.sleep(POLL_SECONDS)
                pictures = self._load(part)
            pictures = pictures or self._load(part)
        if pictures is None:
            raise OSError(f"the pictures of part {part} could not be drawn.")
        return pictures[view]

    def _load(self, part: int) -> list[bytes] | None:
        if part not in self._known:
            pictures = _load(self._folder, part)
            if pictures is None:
                return None
            self._known[part] = pictures
        return self._known[part]

    def _drawing(self) -> subprocess.Popen:
        """The process that draws, started if none runs."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = self._start(self._folder)
            return self._process


def _start_drawing(folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", __name__, str(folder)])


def draw_missing(folder: Path, is_wanted: Callable[[], bool] = lambda: True) -> None:
    """Draw the parts without a sound file in the folder, one after the other, while they are wanted."""
    from opendensepose.annotate.surface.drawing import draw_part  # needs torch and Warp

    for part in range(1, NUM_PARTS + 1):
        if not is_wanted():
            return
        if _load(folder, part) is None:
            file = BytesIO()
            arrays: dict[str, Any] = {str(k): np.frombuffer(png, np.uint8) for k, png in enumerate(draw_part(part))}
            np.savez(file, **arrays)
            atomic_write(folder / f"{_prefix(part)}{_checksum(file.getvalue())}.npz", file.getvalue())


def _load(folder: Path, part: int) -> list[bytes] | None:
    """Load the sound file of a part's pictures, None if there is none; delete damaged ones."""
    for path in folder.glob(f"{_prefix(part)}*.npz"):
        content = path.read_bytes()
        if path.stem.endswith("-" + _checksum(content)):
            with np.load(BytesIO(content), allow_pickle=False) as data:
                return [data[str(view)].tobytes() for view in range(NUM_VIEWS)]
        path.unlink(missing_ok=True)
    return None


def _prefix(part: int) -> str:
    return f"views-{_key()}-{part}-"


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


@cache
def _key() -> str:
    surface, charts = load_surface(), load_charts()
    arrays = surface.vertices, surface.faces, charts.face_chart, charts.face_uv
    return _checksum(b"".join([f"{FORMAT}".encode(), VIEWS_FILE.read_bytes(), *(array.tobytes() for array in arrays)]))


if __name__ == "__main__":
    from opendensepose.worker_processes import use_one_core

    started_by = os.getppid()
    if hasattr(os, "nice"):
        os.nice(10)  # clicks come first
    use_one_core()
    draw_missing(Path(sys.argv[1]), lambda: os.getppid() == started_by)
