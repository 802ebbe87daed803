"""Rows come back from either kind of file as they were, and plain readers can read them."""

import io
import json
import tarfile

import numpy as np
import pytest

from opendensepose.scale import shards
from opendensepose.scale.shards import KINDS, open_shard, read_photo_names, read_rows, read_shard, write_errors

pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow: pip install 'opendensepose[scale]'")


def random_row(rng, k):
    row = {"photo": f"s3://a/{k}.jpg", "bytes": k, "size_hw": np.array([50, 60 + k], np.int32)}
    num_people = k % 3
    row["boxes_xyxy"] = rng.random((num_people, 4), np.float32)
    row["scores"] = rng.random(num_people, np.float32)
    row["corners_xy"] = rng.integers(0, 20, (num_people, 2)).astype(np.int32)
    return row | {f"labels_{n}": rng.integers(0, 256, (4, 5 + n, 7 + k), np.uint8) for n in range(num_people)}


def assert_same(rows, others):
    assert len(rows) == len(others)
    for row, other in zip(rows, others, strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            np.testing.assert_array_equal(value, other[name])
            assert getattr(value, "dtype", None) == getattr(other[name], "dtype", None)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_come_back_as_they_were(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 200)
    rng = np.random.default_rng(0)
    rows = [random_row(rng, k) for k in range(9)]
    (tmp_path / "photos").mkdir()
    for number in (0, 1):
        shard = open_shard(kind, tmp_path / "photos" / f"{number:05d}.{KINDS[kind]}")
        for k, row in enumerate(rows[5 * number : 5 * number + 5]):
            shard.add(f"{number:05d}-{k:05d}", row)
        shard.close()
    assert_same(list(read_rows(str(tmp_path))), rows)
    paths = sorted((tmp_path / "photos").iterdir())
    assert_same(list(read_shard(str(paths[1]))), rows[5:])
    assert read_photo_names(str(paths[0])) == [row["photo"] for row in rows[:5]]


def test_an_empty_shard_is_a_shard(tmp_path):
    for kind, suffix in KINDS.items():
        open_shard(kind, tmp_path / f"a.{suffix}").close()
        assert list(read_shard(str(tmp_path / f"a.{suffix}"))) == []
    with pytest.raises(ValueError, match="there are no shards"):
        list(read_rows(str(tmp_path / "nothing")))


def test_plain_readers_read_them(tmp_path):
    row = random_row(np.random.default_rng(1), 2)
    for kind, suffix in KINDS.items():
        shard = open_shard(kind, tmp_path / f"a.{suffix}")
        shard.add("k", row)
        shard.close()
    (entry,) = pq.read_table(tmp_path / "a.parquet").to_pylist()
    labels = np.frombuffer(entry["labels"][1], np.uint8).reshape(4, *entry["window_hw"][1])
    np.testing.assert_array_equal(labels, row["labels_1"])
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getnames() == ["k.json", "k.npz"]
        assert json.load(tar.extractfile("k.json"))["photo"] == row["photo"]
        arrays = np.load(io.BytesIO(tar.extractfile("k.npz").read()))
        np.testing.assert_array_equal(arrays["labels_0"], row["labels_0"])


def test_errors_are_rows_too(tmp_path):
    write_errors(tmp_path / "errors.parquet", {"a": "is empty.", "b": "is none."})
    assert pq.read_table(tmp_path / "errors.parquet").to_pylist()[1] == {"photo": "b", "error": "is none."}
