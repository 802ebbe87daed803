"""Files at an address: a path, or anything that fsspec knows, such as s3://bucket/folder, gs://, http://, hf://.

s3:// and gs:// are read by pyarrow's clients, which look for credentials where Amazon's and Google's own tools do;
AWS_ENDPOINT_URL names another server that speaks S3. For other addresses fsspec says which library they need.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from opendensepose.atomic_write import atomic_file

__all__ = [
    "FoundFile",
    "base_name",
    "find_files",
    "is_remote",
    "join",
    "local_copy",
    "names_in",
    "persistently",
    "read_bytes",
    "upload",
    "write_bytes",
]

FoundFile = tuple[str, int]  # address, bytes (0 if the server does not say)
GLOB = "*?["
WAITS_S = (1.0, 5.0)  # before a call that failed is tried again
Result = TypeVar("Result")


def is_remote(address: str) -> bool:
    """Whether it is no path of this machine."""
    return "://" in address and not address.startswith("file://")


def join(folder: str, name: str) -> str:
    """The address of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def base_name(address: str) -> str:
    """The last part of an address."""
    return address.rstrip("/").rsplit("/", 1)[-1]


@cache
def _file_system(scheme: str, bucket: str) -> Any:
    """The fsspec file system of a scheme. ValueError, one sentence, if there is none or it cannot be used."""
    from fsspec import filesystem

    if scheme == "file":
        return filesystem("file")
    try:
        if scheme in ("s3", "gs"):
            from fsspec.implementations.arrow import ArrowFSWrapper

            return ArrowFSWrapper(_s3(bucket) if scheme == "s3" else _gs())
        return filesystem(scheme)
    except (ValueError, ImportError, OSError) as error:
        raise ValueError(f"{scheme}:// cannot be used: {' '.join(str(error).split())}") from error


def _s3(bucket: str) -> Any:
    from pyarrow.fs import S3FileSystem, resolve_s3_region

    server = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return S3FileSystem(
        region=region or ("us-east-1" if server else resolve_s3_region(bucket)),
        endpoint_override=server,
        check_directory_existence_before_creation=True,
        allow_delayed_open=True,  # a small file is one request
    )


def _gs() -> Any:
    from pyarrow.fs import GcsFileSystem

    return GcsFileSystem()


def _split(address: str) -> tuple[Any, str, str]:
    """The file system, what it calls the file, and what stands before that in an address."""
    if not is_remote(address):
        return _file_system("file", ""), str(Path(address.removeprefix("file://")).absolute()), ""
    scheme, _, path = address.partition("://")
    system = _file_system(scheme, path.split("/", 1)[0] if scheme == "s3" else "")
    if scheme in ("http", "https"):
        return system, address, ""
    path = path.rstrip("/")
    return system, f"/{path.lstrip('/')}" if scheme == "memory" else path, f"{scheme}://"


def persistently(call: Callable[[], Result]) -> Result:
    """Call again, after a while, what fails for reasons that may pass: a server that is busy or away."""
    for wait_s in WAITS_S:
        try:
            return call()
        except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError):
            raise
        except OSError:
            time.sleep(wait_s)
    return call()


def find_files(addresses: Sequence[str], suffixes: Sequence[str]) -> list[FoundFile]:
    """Files as they are; of folders and patterns (*, ?, [..], **) the files with these suffixes, sorted.

    ValueError, one sentence, if an address does not exist or names no such file.
    """
    found: dict[str, int] = {}
    for address in addresses:
        system, path, before = _split(address)
        if any(sign in path for sign in GLOB) and not system.exists(path):
            inside = persistently(partial(system.glob, path, detail=True)).values()
        elif persistently(partial(system.isdir, path)):
            inside = persistently(partial(system.ls, path, detail=True))
        elif system.exists(path):
            found[address] = int(system.info(path).get("size") or 0)
            continue
        else:
            raise ValueError(f"there is no file or folder {address}.")
        fitting = {
            before + one["name"].removeprefix("/" if before == "memory://" else ""): int(one.get("size") or 0)
            for one in inside
            if one["type"] == "file" and one["name"].lower().endswith(tuple(suffixes))
        }
        if not fitting:
            raise ValueError(f"{address} holds no file that ends in {', '.join(suffixes)}.")
        found |= dict(sorted(fitting.items()))
    return list(found.items())


def names_in(folder: str) -> dict[str, int]:
    """The names of the files in a folder, with their bytes; none if there is no folder."""
    system, path, _ = _split(folder)
    try:
        inside = persistently(lambda: system.ls(path, detail=True))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {base_name(one["name"]): int(one.get("size") or 0) for one in inside if one["type"] == "file"}


def read_bytes(address: str, start: int | None = None, end: int | None = None) -> bytes:
    """A file's content, or a part of it. FileNotFoundError or another OSError if it cannot be read."""
    system, path, _ = _split(address)
    return persistently(lambda: system.cat_file(path, start=start, end=end))


def write_bytes(address: str, content: bytes) -> None:
    """Write a small file: it is complete or absent."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "content")
        path.write_bytes(content)
        upload(path, address)


def upload(file: Path, address: str) -> None:
    """Copy a file of this machine to an address, whose folder is made: it is complete or absent there, also if this is
    called for one address by two processes at once. ValueError, one sentence, if it cannot be written."""
    system, path, _ = _split(address)
    try:
        if not is_remote(address):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as part:
                shutil.copyfile(file, part)
        else:  # objects appear when they are complete
            persistently(lambda: system.put_file(str(file), path))
    except (OSError, NotImplementedError) as error:
        raise ValueError(f"{address} cannot be written: {' '.join(str(error).split()) or 'read only'}.") from error


@contextmanager
def local_copy(address: str) -> Iterator[Path]:
    """A path under which the file can be read on this machine: its own, or that of a copy, which is deleted then.

    FileNotFoundError or another OSError if it cannot be read.
    """
    system, path, _ = _split(address)
    if not is_remote(address):
        if not Path(path).exists():
            raise FileNotFoundError(f"there is no file {address}.")
        yield Path(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, base_name(address.split("?")[0]) or "file")
        persistently(lambda: system.get_file(path, str(copy)))
        yield copy
