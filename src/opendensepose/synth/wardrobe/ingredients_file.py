"""The one file of ingredients in the user's cache: written atomically, checked when it is read.

ingredients-<version>.npz holds arrays whose keys begin with "wardrobe/" (garments, hair, eyes, skins) and "panoramas/"
(light and backgrounds). Beside it ingredients-<version>.txt says where everything comes from and under which licence.
"""

import functools
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.atomic_write import atomic_write
from opendensepose.cache_folder import cache_folder

__all__ = [
    "VERSION",
    "IngredientArrays",
    "about_ingredients",
    "ingredients_path",
    "load_ingredients",
    "write_ingredients",
]

VERSION = 1  # to be raised when the arrays change their names, shapes or meaning


class IngredientArrays(Mapping[str, np.ndarray]):
    """Read-only arrays by key. Hashed by identity, so that functions of the arrays can be cached."""

    def __init__(self, arrays: Mapping[str, np.ndarray]):
        self._arrays = dict(arrays)
        for array in self._arrays.values():
            array.flags.writeable = False

    def __getitem__(self, key: str) -> np.ndarray:
        return self._arrays[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    __eq__ = object.__eq__
    __hash__ = object.__hash__


def ingredients_path() -> Path:
    """Return the path of this version's file, which may not exist."""
    return cache_folder() / f"ingredients-{VERSION}.npz"


def write_ingredients(arrays: Mapping[str, np.ndarray], provenance: str, path: Path | None = None) -> Path:
    """Write arrays and, beside them, the text `provenance`, each atomically; return the arrays' path."""
    path = path or ingredients_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    everything: dict[str, Any] = {"version": np.int64(VERSION), **arrays}
    np.savez_compressed(packed, **everything)
    atomic_write(path.with_suffix(".txt"), provenance.encode())
    atomic_write(path, packed.getvalue())  # last: where it is, the text is too
    return path


def load_ingredients(path: Path | None = None) -> IngredientArrays | None:
    """Load the ingredients' arrays by key, read-only and cached; None if they were never fetched.

    path: a file to read instead of the user's cache. ValueError if the file is damaged or of another version.
    """
    path = path or ingredients_path()
    try:
        stamp = path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _load(path, stamp)


@functools.lru_cache(maxsize=1)
def _load(path: Path, stamp: int) -> IngredientArrays:
    """stamp: the file's time of writing, so that a file fetched anew is read anew."""
    again = "run `opendensepose ingredients` again"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:  # reading an array checks its CRC
            arrays = {name: stored[name] for name in stored.files}
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): {again}") from error
    found = arrays.pop("version", None)
    if found is None or found != VERSION:
        raise ValueError(f"{path} holds ingredients of version {found}, this program needs version {VERSION}: {again}")
    return IngredientArrays(arrays)


def ingredients_checksum() -> str | None:
    """Compute the first 16 digits of the file's SHA-256, on which pictures depend; None if nothing was fetched."""
    path = ingredients_path()
    if not path.exists():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def about_ingredients() -> str:
    """Say in a sentence which ingredients are used, or what is missing and how to get it."""
    path = ingredients_path()
    if load_ingredients() is None:
        return (
            "clothes and light are procedural, since real garments and photographed light were not fetched:"
            " run `opendensepose ingredients` once to get them"
        )
    return f"real garments and photographed light from {path}"
