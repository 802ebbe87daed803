"""Weights by name: those released with the package, and the official models."""

from pathlib import Path

from opendensepose.models.checkpoints.official import OFFICIAL, fetch_official

__all__ = ["WEIGHTS", "weights_path"]

WEIGHTS = {"default": Path(__file__).parents[1] / "weights" / "default.safetensors"}


def weights_path(name_or_file: str | Path) -> Path:
    """The checkpoint file of a released or official model's name, or the given file itself. ValueError where neither
    exists. Official weights are downloaded when first asked for; OSError if that fails."""
    if str(name_or_file) in OFFICIAL:
        return fetch_official(str(name_or_file))
    path = WEIGHTS.get(str(name_or_file), Path(name_or_file))
    if not path.is_file():
        raise ValueError(
            f"no model called {str(name_or_file)!r} and no such file; known models: {', '.join(sorted(WEIGHTS))},"
            f" and the official {', '.join(OFFICIAL)}."
        )
    return path
