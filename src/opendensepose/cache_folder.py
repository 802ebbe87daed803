"""The folder in the user's cache that holds what is made or downloaded once per machine."""

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Return $OPENDENSEPOSE_CACHE or the platform's cache folder, on Linux ~/.cache/opendensepose. It may not exist."""
    from platformdirs import user_cache_path  # here: the surface loads with numpy alone

    own = os.environ.get("OPENDENSEPOSE_CACHE")
    return Path(own) if own else user_cache_path("opendensepose", appauthor=False)
