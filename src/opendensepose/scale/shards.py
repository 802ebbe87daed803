"""Rows in files: Parquet, for tables, or WebDataset's tar, for training pipelines.

Parquet's columns: photo string, bytes int64, size_hw, boxes_xyxy, scores, corners_xy, window_hw (of the labels), labels
(binary: uint8 in C order, 4 x h x w of each person). A tar has, for each photo, <key>.json with all but the labels and
<key>.npz with all arrays. Both are read back as the same rows.
"""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from opendensepose.data.tar_samples import write_sample
from opendensepose.scale.addresses import join, local_copy, names_in
from opendensepose.scale.rows import Row

__all__ = ["KINDS", "ShardWriter", "open_shard", "read_photo_names", "read_rows", "read_shard", "write_errors"]

KINDS = {"parquet": "parquet", "webdataset": "tar"}  # kind -> suffix
ROW_GROUP_BYTES = 32_000_000  # of rows that are kept in memory before they are written
PHOTOS, ERRORS = "photos", "errors"  # folders


class ShardWriter(Protocol):
    """A file in the making: rows in any number, then close."""

    def add(self, key: str, row: Row) -> None: ...

    def close(self) -> None: ...


def open_shard(kind: str, path: Path) -> ShardWriter:
    """A new shard at a path."""
    return _ParquetShard(path) if kind == "parquet" else _TarShard(path)


def _schema() -> Any:
    import pyarrow as pa

    pair = pa.list_(pa.int32(), 2)
    return pa.schema(
        {
            "photo": pa.string(),
            "bytes": pa.int64(),
            "size_hw": pair,
            "boxes_xyxy": pa.list_(pa.list_(pa.float32(), 4)),
            "scores": pa.list_(pa.float32()),
            "corners_xy": pa.list_(pair),
            "window_hw": pa.list_(pair),
            "labels": pa.list_(pa.binary()),
        }
    )


def _labels(row: Row) -> list[np.ndarray]:
    return [row[f"labels_{k}"] for k in range(len(row["scores"]))]


class _ParquetShard:
    def __init__(self, path: Path):
        import pyarrow.parquet as pq

        self.schema = _schema()
        self.writer = pq.ParquetWriter(path, self.schema, compression="zstd", use_dictionary=False)
        self.rows: list[dict[str, Any]] = []
        self.num_bytes = 0

    def add(self, key: str, row: Row) -> None:
        labels = _labels(row)
        names = ("size_hw", "boxes_xyxy", "scores", "corners_xy")
        self.rows.append(
            {"photo": row["photo"], "bytes": row["bytes"]}
            | {name: row[name].tolist() for name in names}
            | {"window_hw": [one.shape[1:] for one in labels], "labels": [one.tobytes() for one in labels]}
        )
        self.num_bytes += sum(one.size for one in labels)
        if self.num_bytes > ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        self.writer.write_table(pa.Table.from_pylist(self.rows, schema=self.schema))
        self.rows, self.num_bytes = [], 0

    def close(self) -> None:
        if self.rows:
            self._flush()
        self.writer.close()


class _TarShard:
    def __init__(self, path: Path):
        self.tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)

    def add(self, key: str, row: Row) -> None:
        about = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in row.items()
            if not name.startswith("labels_")
        }
        arrays = io.BytesIO()
        named: dict[str, Any] = {name: value for name, value in row.items() if isinstance(value, np.ndarray)}
        np.savez_compressed(arrays, **named)
        write_sample(self.tar, key, {"json": json.dumps(about).encode(), "npz": arrays.getvalue()})

    def close(self) -> None:
        self.tar.close()


def write_errors(path: Path, errors: dict[str, str]) -> None:
    """A Parquet file of photos that have no row: photo, error."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"photo": list(errors), "error": list(errors.values())}), path)


def read_rows(out: str) -> Iterator[Row]:
    """Read all rows that `predict_shards` wrote to `out`, shard after shard. ValueError if there is none."""
    names = sorted(names_in(join(out, PHOTOS)))
    if not names:
        raise ValueError(f"there are no shards in {join(out, PHOTOS)}.")
    for name in names:
        yield from read_shard(join(join(out, PHOTOS), name))


def read_shard(address: str) -> Iterator[Row]:
    """Read the rows of one shard."""
    with local_copy(address) as path:
        yield from _read_tar(path) if path.suffix == ".tar" else _read_parquet(path)


def read_photo_names(address: str) -> list[str]:
    """The photos that have a row in a shard, in its order; of Parquet only this column is read."""
    with local_copy(address) as path:
        if path.suffix == ".tar":
            return [row["photo"] for row in _read_tar(path)]
        import pyarrow.parquet as pq

        return pq.read_table(path, columns=["photo"])["photo"].to_pylist()


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(16):
            for entry in batch.to_pylist():
                row = {"photo": entry["photo"], "bytes": entry["bytes"]}
                row["size_hw"] = np.array(entry["size_hw"], np.int32)
                row["boxes_xyxy"] = np.array(entry["boxes_xyxy"], np.float32).reshape(-1, 4)
                row["scores"] = np.array(entry["scores"], np.float32)
                row["corners_xy"] = np.array(entry["corners_xy"], np.int32).reshape(-1, 2)
                for k, (size_hw, content) in enumerate(zip(entry["window_hw"], entry["labels"], strict=True)):
                    row[f"labels_{k}"] = np.frombuffer(content, np.uint8).reshape(4, *size_hw)
                yield row


def _read_tar(path: Path) -> Iterator[Row]:
    with tarfile.open(path) as tar:
        about: dict[str, Any] = {}
        for entry in tar:
            content = tar.extractfile(entry)
            assert content is not None  # this module writes files only
            if entry.name.endswith(".json"):
                about = json.load(content)
            else:
                with np.load(io.BytesIO(content.read()), allow_pickle=False) as arrays:
                    yield {"photo": about["photo"], "bytes": about["bytes"], **{name: arrays[name] for name in arrays}}
