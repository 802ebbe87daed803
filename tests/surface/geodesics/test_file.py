"""The table of distances on disk: computed once, checked, replaced, and never left half written."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.surface.geodesics.test_distances import random_points, square

from opendensepose.surface import GeodesicDistances
from opendensepose.surface.geodesics import table as geodesic_table


def tables_in(folder):
    return list(folder.glob("*.npy"))


def test_the_table_is_made_once(tmp_path, monkeypatch):
    surface = square(2)
    a, b = (random_points(surface, 100, np.random.default_rng(k)) for k in (0, 1))
    first = GeodesicDistances(surface, tmp_path, progress=False).between(a, b)
    (path,) = tables_in(tmp_path)
    made = []
    rows = geodesic_table.table_rows
    monkeypatch.setattr(geodesic_table, "table_rows", lambda *given: made.append(1) or rows(*given))
    assert np.array_equal(GeodesicDistances(surface, tmp_path, progress=False).between(a, b), first)
    assert not made
    damaged = bytearray(path.read_bytes())
    damaged[-5] ^= 1
    path.write_bytes(damaged)
    assert np.array_equal(GeodesicDistances(surface, tmp_path, progress=False).between(a, b), first)
    assert made and tables_in(tmp_path) == [path]
    GeodesicDistances(square(1), tmp_path, progress=False)
    assert len(made) == 2 and len(tables_in(tmp_path)) == 2


def test_who_needs_a_table_in_the_making_waits_for_it(tmp_path, monkeypatch):
    surface, made, rows = square(2), [], geodesic_table.table_rows
    monkeypatch.setattr(geodesic_table, "table_rows", lambda *given: made.append(1) or rows(*given))
    with ThreadPoolExecutor(3) as pool:  # a lock is of an open file: threads stand for processes
        list(pool.map(lambda _: GeodesicDistances(surface, tmp_path, progress=False), range(3)))
    assert len(made) == 1 and len(tables_in(tmp_path)) == 1


def test_an_interrupted_making_leaves_nothing(tmp_path, monkeypatch):
    rows = geodesic_table.table_rows

    def interrupted(*given):
        for k, row in enumerate(rows(*given)):
            if k == 5:
                raise KeyboardInterrupt
            yield row

    monkeypatch.setattr(geodesic_table, "table_rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        GeodesicDistances(square(2), tmp_path, progress=False)
    assert not tables_in(tmp_path) and not list(tmp_path.glob("*.part"))


def test_what_a_killed_process_left_is_removed_a_day_later(tmp_path):
    old, new = tmp_path / ".geodesic-0-1.part", tmp_path / ".geodesic-0-2.part"
    for path in (old, new):
        path.touch()
    os.utime(old, (0, 0))
    GeodesicDistances(square(1), tmp_path, progress=False)
    assert new.exists() and not old.exists()


def test_the_users_cache_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path))
    GeodesicDistances(square(1), progress=False)
    assert len(tables_in(tmp_path)) == 1


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_a_cache_that_cannot_be_written_is_an_os_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError):
        GeodesicDistances(square(1), tmp_path / "deeper", progress=False)
