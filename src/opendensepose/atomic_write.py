"""Atomic writes: a file is complete or absent, also if the process is killed or the disk is full."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic_file", "atomic_write"]


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; rename it to `path` when the `with` block ends.

    If the block raises, the temporary file is removed and `path` stays as it was; an OSError about the temporary file
    names `path`.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == str(part):
            error.filename = str(path)
        try:
            part.unlink(missing_ok=True)
        except OSError:  # the folder itself is gone or read-only: the block's own error says more
            pass
        raise


def atomic_write(path: str | Path, content: bytes) -> None:
    """Write `content` to `path` atomically. OSError if `path` cannot be written."""
    with atomic_file(path) as part:
        part.write_bytes(content)
