"""Rendered shards hold the files that `render` writes, byte for byte, and training reads them."""

import json

import pytest
from tests.test_render import make, quick  # noqa: F401 - a fixture

pytest.importorskip("fsspec", reason="needs fsspec: pip install 'opendensepose[scale]'")

from opendensepose.data.tar_samples import TarSamples
from opendensepose.scale.rendering import render_shards

REQUEST = {"count": 5, "seed": 7, "size_hw": (48, 64), "people_range": (0, 3)}


def test_shards_hold_the_files_of_the_folder(tmp_path, quick):  # noqa: F811
    make(tmp_path / "files", count=5)
    calls = []
    assert (
        render_shards(str(tmp_path / "out"), shard_size=2, on_picture=lambda *one: calls.append(one), **REQUEST) == []
    )
    assert calls == [(2, 5), (4, 5), (5, 5)]
    samples = TarSamples(tmp_path / "out" / "pictures")
    assert samples.keys == [f"{k:012d}" for k in range(1, 6)]
    for k, key in enumerate(samples.keys, start=1):
        folder = tmp_path / "files"
        assert samples.read(key, "jpg") == (folder / "images" / f"{key}.jpg").read_bytes()
        assert samples.read(key, "json") == (folder / "annotations" / f"{k}.json").read_bytes()


def test_shards_that_are_there_are_kept_and_another_set_is_refused(tmp_path, quick):  # noqa: F811
    out = str(tmp_path)
    render_shards(out, shard_size=2, **REQUEST)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "pictures").iterdir()}
    (tmp_path / "pictures" / "00001.tar").unlink()
    render_shards(out, shard_size=2, **REQUEST)
    kept = [path for path, time in before.items() if path.stat().st_mtime_ns == time]
    assert sorted(path.name for path in kept) == ["00000.tar", "00002.tar"]
    for changes in ({"seed": 8}, {"count": 6}, {"shard_size": 3}):
        with pytest.raises(ValueError, match="name another folder"):
            render_shards(out, **({"shard_size": 2} | REQUEST | changes))
    assert json.loads((tmp_path / "settings.json").read_text())["count"] == 5
    with pytest.raises(ValueError, match="at least 1 picture"):
        render_shards(out, shard_size=0, **REQUEST)
