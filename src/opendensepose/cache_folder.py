"""The folder in the user's cache that holds what is made or downloaded once per machine."""

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """$OPENDENSEPOSE_CACHE, or `opendensepose` in $XDG_CACHE_HOME or ~/.cache. It may not exist yet."""
    own = os.environ.get("OPENDENSEPOSE_CACHE")
    return Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "opendensepose"
