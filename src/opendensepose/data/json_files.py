"""Large JSON files, read fast and written atomically without loss: numbers keep every digit, unknown fields stay."""

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from opendensepose.atomic_write import atomic_file

__all__ = ["read_json", "write_json"]


def read_json(path: str | Path) -> Any:
    """The content of a JSON file as dicts, lists, strings, ints, floats; NaN and Infinity are read too.

    FileNotFoundError or another OSError if it cannot be opened; ValueError, one sentence, if it is no JSON.
    """
    path = Path(path)
    content = path.read_bytes()
    if not content.strip():
        raise ValueError(f"{path} is empty, expected JSON.")
    gc_was_on = gc.isenabled()
    gc.disable()  # all of it stays in use; searching it for garbage takes as long as reading
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_leniently(path, content)  # Python's own reader accepts NaN and names the place of an error
    finally:
        if gc_was_on:
            gc.enable()


def _read_leniently(path: Path, content: bytes) -> Any:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not JSON: byte {error.start} is no text in UTF-8.") from None
    except ValueError as error:  # a number of thousands of digits
        raise ValueError(f"{path} cannot be read: {error}.") from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply to be read.") from None


def write_json(path: str | Path, document: Any) -> None:
    """Write `document` to `path` atomically; `read_json` gives back the same, NaN included.

    Large documents are encoded in parts, so that the whole text is never in memory.
    OSError if `path` cannot be written, ValueError or TypeError if a value cannot be written as JSON.
    """
    with atomic_file(path) as part, open(part, "wb", buffering=1 << 20) as file:
        for chunk in _chunks(document, levels=2):
            file.write(chunk)


def _chunks(value: Any, levels: int) -> Iterator[bytes]:
    """The JSON text of `value` in pieces: dicts and lists of the first `levels` levels entry by entry."""
    if levels and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        yield b"{"
        for k, (key, entry) in enumerate(value.items()):
            yield (b",\n" if k else b"") + _encode(key) + b":"
            yield from _chunks(entry, levels - 1)
        yield b"}"
    elif levels and isinstance(value, list | tuple):
        yield b"["
        for k, entry in enumerate(value):
            yield (b",\n" if k else b"") + _encode(entry)
        yield b"]"
    else:
        yield _encode(value)


def _encode(value: Any) -> bytes:
    """One value as JSON; msgspec writes NaN as null and refuses lone surrogates, so Python's writer does those."""
    try:
        text = msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value).encode()
    return json.dumps(value).encode() if b"null" in text else text
