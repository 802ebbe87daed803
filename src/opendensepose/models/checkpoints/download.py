"""Downloading one file: with a progress bar, resumable, and there as a whole or not at all."""

import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

__all__ = ["download"]

BLOCK = 1 << 18  # bytes
TIMEOUT = 30  # seconds without any byte


def download(address: str, path: Path, sha256: str | None = None) -> None:
    """Download the file at `address` to `path`, resuming what an interrupted download left in <path>.part.

    OSError, one sentence: no connection, refused by the server, broken off. ValueError: not of the size that the server
    announced, or not of the given SHA-256 (64 hexadecimal digits, or the first of them); then nothing is left.
    """
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    have = part.stat().st_size if part.is_file() else 0
    try:
        with _open(address, have) as response:
            have, total = _place(response, have)
            _receive(response, part, have, total)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # 416: nothing comes after what we have; it is checked below
            raise OSError(f"the server answers {error.code} {error.reason}") from error
        total = _total(error.headers.get("Content-Range")) or have
    except urllib.error.URLError as error:
        raise OSError(f"no connection: {error.reason}") from error
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise OSError(f"the connection broke off: {error or type(error).__name__}") from error
    _check(part, total, sha256)
    os.replace(part, path)


def _open(address: str, have: int) -> http.client.HTTPResponse:
    request = urllib.request.Request(address, headers={"User-Agent": "opendensepose", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    return urllib.request.urlopen(request, timeout=TIMEOUT)


def _place(response: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """Return from which byte the response goes on, and the size of the whole file, None if the server does not say."""
    if response.status == 206:
        return have, _total(response.headers.get("Content-Range"))
    length = response.headers.get("Content-Length")
    return 0, int(length) if length else None


def _total(content_range: str | None) -> int | None:
    """`bytes 5-9/10` -> 10"""
    size = (content_range or "").rpartition("/")[2]
    return int(size) if size.isdecimal() else None


def _receive(response: http.client.HTTPResponse, part: Path, have: int, total: int | None) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress,
        part.open("ab" if have else "wb") as file,
    ):
        bar = progress.add_task("downloading", total=total, completed=have)
        while block := response.read(BLOCK):
            file.write(block)
            progress.advance(bar, len(block))
    size = part.stat().st_size
    if total is not None and size < total:
        raise OSError(f"the connection broke off after {size} of {total} bytes")


def _check(part: Path, total: int | None, sha256: str | None) -> None:
    size = part.stat().st_size
    if total is not None and size != total:
        part.unlink()
        raise ValueError(f"the file has {size} bytes and should have {total}")
    if sha256 is not None:
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(sha256):
            part.unlink()
            raise ValueError(f"the file is damaged or another one: its SHA-256 is {found}, expected {sha256}")
