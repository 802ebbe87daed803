"""Which photo is in which shard, kept beside the shards: a run that goes on, and one with more photos, follow it.

plan/00000.parquet has a row for each photo: shard, photo, bytes; and in its metadata the settings. Photos that a later
run finds besides are planned in shards of their own, in a file more. So a photo is in exactly one shard.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from opendensepose.scale.addresses import FoundFile, join, local_copy, names_in, upload
from opendensepose.scale.settings import as_stored, check_settings
from opendensepose.scale.tasks import Task

__all__ = ["plan_shards"]

FOLDER, SETTINGS = "plan", b"opendensepose"


def plan_shards(
    out: str, files: Sequence[FoundFile], settings: Mapping[str, Any], shard_size: int
) -> tuple[list[Task], list[FoundFile]]:
    """Read the plan at `out`, add the files that it lacks, and return the tasks of the files, and files that have
    changed since they were planned.

    Tasks are whole shards; what the plan has besides the files is left alone. ValueError if `out` was made with other
    settings or cannot be written.
    """
    shards: dict[int, list[FoundFile]] = {}
    known: dict[str, tuple[int, int]] = {}  # photo -> shard, bytes
    names = sorted(names_in(join(out, FOLDER)))
    for name in names:
        for number, photo, num_bytes in _read(join(join(out, FOLDER), name), settings, out):
            shards.setdefault(number, []).append((photo, num_bytes))
            known[photo] = number, num_bytes
    new = [one for one in files if one[0] not in known]
    first = max(shards, default=-1) + 1
    added = {first + k // shard_size: new[k : k + shard_size] for k in range(0, len(new), shard_size)}
    if added:
        _write(join(join(out, FOLDER), f"{len(names):05d}.parquet"), added, settings)
    shards |= {number: list(part) for number, part in added.items()}
    asked = {known[photo][0] for photo, _ in files if photo in known} | added.keys()
    changed = [(photo, size) for photo, size in files if photo in known and size and known[photo][1] != size]
    return [Task(number, shards[number]) for number in sorted(asked)], changed


def _read(address: str, settings: Mapping[str, Any], out: str) -> list[tuple[int, str, int]]:
    import pyarrow.parquet as pq

    with local_copy(address) as path:
        table = pq.read_table(path)
    before = json.loads((table.schema.metadata or {}).get(SETTINGS, b"null"))
    check_settings(out, before, settings)
    return list(zip(*(table[name].to_pylist() for name in ("shard", "photo", "bytes")), strict=True))


def _write(address: str, shards: Mapping[int, Sequence[FoundFile]], settings: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [(number, *one) for number, part in shards.items() for one in part]
    columns = dict(zip(("shard", "photo", "bytes"), map(list, zip(*rows, strict=True)), strict=True))
    table = pa.table(columns).replace_schema_metadata({SETTINGS: json.dumps(as_stored(settings)).encode()})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.parquet")
        pq.write_table(table, path, compression="zstd")
        upload(path, address)
