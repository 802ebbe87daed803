"""A backup made while somebody writes is one whole state, and an older file stays until it is."""

import shutil
import subprocess
import threading

import pytest
import sqlalchemy as sql

from opendensepose.annotate.team.backup import back_up
from opendensepose.annotate.work.store import open_store, settings


def test_a_backup_made_meanwhile_is_one_state(store, url, tmp_path):
    """Each transaction writes a pair; a copy with half a pair would be torn."""
    stop, file = threading.Event(), tmp_path / "backup"
    file.write_text("older")

    def write():
        number = 0
        while not stop.is_set():
            with store.writing() as connection:
                for side in "ab":
                    connection.execute(settings.insert().values(name=f"{number}{side}", value="x" * 1000))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        stop.wait(0.05)
        size = back_up(url, file)
    finally:
        stop.set()
        writer.join()
    assert size == file.stat().st_size > 5
    assert list(tmp_path.glob(".backup*")) == []
    if url.startswith("postgresql"):
        restore = [shutil.which("pg_restore"), "--data-only", "--table=settings", "--file=-", file]
        text = subprocess.run(restore, capture_output=True, text=True, check=True).stdout
        names = [line.split("\t")[0] for line in text.splitlines() if "\txxx" in line]
    else:
        with open_store(file) as copy, copy.reading() as connection:
            names = connection.scalars(sql.select(settings.c.name).where(settings.c.value.startswith("xxx"))).all()
    assert names and sorted(name for name in names if name.endswith("a")) == sorted(
        name[:-1] + "a" for name in names if name.endswith("b")
    )


def test_what_cannot_be_backed_up_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="there is no database"):
        back_up(str(tmp_path / "typo.sqlite"), tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []
    open_store(tmp_path / "a.sqlite").close()
    for file in (tmp_path / "a.sqlite", tmp_path / "nowhere" / "b"):
        with pytest.raises(ValueError, match="the backup"):
            back_up(str(tmp_path / "a.sqlite"), file)
