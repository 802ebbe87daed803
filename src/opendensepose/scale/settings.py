"""With which settings a folder was made: a run with others must not add to it."""

import json
from collections.abc import Mapping
from typing import Any

from opendensepose.scale.addresses import join, names_in, read_bytes, write_bytes

__all__ = ["as_stored", "check_settings", "keep_settings"]

FILE = "settings.json"


def as_stored(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as they are read back from JSON: lists for tuples."""
    return json.loads(json.dumps(dict(settings)))


def check_settings(folder: str, before: Any, now: Mapping[str, Any]) -> None:
    """Raise ValueError, one sentence that names the differences, unless a folder was made with these settings."""
    if not isinstance(before, dict):
        raise ValueError(f"{folder} was made with another version: name another folder.")
    now = as_stored(now)
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if names:
        differing = ", ".join(f"{name} {before.get(name)}, not {now.get(name)}" for name in names)
        raise ValueError(f"{folder} was made with {differing}: name another folder.")


def keep_settings(folder: str, settings: Mapping[str, Any]) -> None:
    """Write the settings into a new folder, or check them in one that has been begun. ValueError if it has others or
    cannot be written."""
    if FILE in names_in(folder):
        check_settings(folder, json.loads(read_bytes(join(folder, FILE))), settings)
    else:
        write_bytes(join(folder, FILE), json.dumps(as_stored(settings)).encode())
