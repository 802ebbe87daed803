"""Backups of the database while people annotate: SQLite's online copy, PostgreSQL's pg_dump."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from opendensepose.annotate.work.store import open_store

__all__ = ["back_up"]


def back_up(db: str, file: Path) -> int:
    """Write one state of the database to a file, which appears when it is whole; return its size in bytes.

    SQLite: a database file, to be named with --db. PostgreSQL: an archive for pg_restore. ValueError, one sentence, if
    the database does not exist or cannot be copied.
    """
    file = Path(file)
    if not file.absolute().parent.is_dir() or file.is_dir():
        raise ValueError(f"the backup {file} cannot be written; name a file in a folder that exists.")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    with open_store(db, create=False) as store:
        url = store.engine.url
    try:
        if url.get_backend_name() == "sqlite":
            if Path(str(url.database)).absolute() == file.absolute():
                raise ValueError(f"the backup {file} is the database itself; name another file.")
            _copy_sqlite(str(url.database), unfinished)
        else:
            _dump_postgres(url.set(drivername="postgresql").render_as_string(hide_password=False), unfinished)
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file.stat().st_size


def _copy_sqlite(database: str, file: Path) -> None:
    """Copy in one read transaction: writers go on meanwhile (WAL), and the copy has none of what they write."""
    with closing(sqlite3.connect(database)) as source:
        source.execute("VACUUM INTO ?", (str(file),))
    with file.open("rb+") as copied:
        os.fsync(copied.fileno())


def _dump_postgres(url: str, file: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise ValueError("pg_dump is not installed; install PostgreSQL's client programs of the server's version.")
    done = subprocess.run([program, "--format=custom", f"--file={file}", url], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise ValueError(f"pg_dump failed: {reason.rstrip('.')}.")
