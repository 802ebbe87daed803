"""The file in the cache: there as a whole or not at all, read-only, and never read when damaged."""

import os

import numpy as np
import pytest

from opendensepose.synth.wardrobe import ingredients_file
from opendensepose.synth.wardrobe.ingredients_file import (
    about_ingredients,
    ingredients_checksum,
    ingredients_path,
    load_ingredients,
    write_ingredients,
)

ARRAYS = {"wardrobe/a/b": np.arange(6).reshape(2, 3), "panoramas/names": np.array(["x"])}


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path / "cache"))


def test_nothing_fetched_is_none():
    assert load_ingredients() is None and ingredients_checksum() is None
    assert "run `opendensepose ingredients`" in about_ingredients()


def test_what_is_written_comes_back_read_only_and_once():
    path = write_ingredients(ARRAYS, "from us")
    assert path == ingredients_path() and path.with_suffix(".txt").read_text() == "from us"
    loaded = load_ingredients()
    assert set(loaded) == set(ARRAYS) and len(loaded) == 2
    assert (loaded["wardrobe/a/b"] == ARRAYS["wardrobe/a/b"]).all()
    with pytest.raises(ValueError, match="read-only"):
        loaded["wardrobe/a/b"][0] = 1
    assert load_ingredients() is loaded and hash(loaded) == hash(load_ingredients())
    assert str(path) in about_ingredients()
    assert sorted(p.name for p in path.parent.iterdir()) == ["ingredients-1.npz", "ingredients-1.txt"]


def test_a_file_fetched_anew_is_read_anew():
    path = write_ingredients(ARRAYS, "")
    first, checksum = load_ingredients(), ingredients_checksum()
    write_ingredients({"wardrobe/a/b": np.zeros(1)}, "")
    stamp = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(stamp, stamp))
    assert load_ingredients() is not first and ingredients_checksum() != checksum


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.98])
def test_damage_is_noticed(where):
    path = write_ingredients({"wardrobe/a": np.random.default_rng(0).random(500)}, "")
    content = bytearray(path.read_bytes())
    at = int(where * len(content))
    content[at] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ValueError, match="run `opendensepose ingredients` again"):
        load_ingredients()


def test_a_file_cut_off_is_noticed():
    path = write_ingredients(ARRAYS, "")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="damaged"):
        load_ingredients()


def test_another_version_is_refused(monkeypatch):
    path = write_ingredients(ARRAYS, "")
    monkeypatch.setattr(ingredients_file, "VERSION", 2)
    with pytest.raises(ValueError, match="version 1, this program needs version 2"):
        load_ingredients(path)


def test_a_failed_writing_leaves_what_was_there(monkeypatch):
    path = write_ingredients(ARRAYS, "")
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(ingredients_file.np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space"):
        write_ingredients(ARRAYS, "new")
    assert path.read_bytes() == before and path.with_suffix(".txt").read_text() == ""
