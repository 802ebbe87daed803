"""Files written whole or not at all, also by a process that is killed or finds the disk full."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole_file", "write_whole"]


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """For `with`: another name beside `path`, to write to. When the block ends, that file takes the place of `path`; if
    the block raises, it is removed and what was at `path` stays."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        try:
            part.unlink(missing_ok=True)
        except OSError:  # the folder itself is gone or read-only: the block's own error says more
            pass
        raise


def write_whole(path: str | Path, content: bytes) -> None:
    """Puts `content` at `path` as a whole or not at all. OSError if the place cannot be written."""
    with whole_file(path) as part:
        part.write_bytes(content)
