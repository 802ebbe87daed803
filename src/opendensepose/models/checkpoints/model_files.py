"""Which file holds a model, by its name. No torch: prediction without it asks here too."""

from difflib import get_close_matches
from pathlib import Path

from opendensepose.models.checkpoints.official import OFFICIAL, fetch_official

__all__ = ["GRAPHS", "WEIGHTS", "weights_path"]

_FOLDER = Path(__file__).parents[1] / "weights"
WEIGHTS = {"default": _FOLDER / "default.safetensors"}  # released with the package
GRAPHS = {"default": _FOLDER / "default.onnx"}  # the same as exported networks, which read their weights from it


def weights_path(name_or_file: str | Path) -> Path:
    """Return the checkpoint file of a released or official model's name, or the given file itself.

    Official weights are downloaded when first asked for; OSError if that fails. ValueError where neither such a model
    nor such a file exists.
    """
    if str(name_or_file) in OFFICIAL:
        return fetch_official(str(name_or_file))
    path = WEIGHTS.get(str(name_or_file), Path(name_or_file))
    if not path.is_file():
        near = get_close_matches(str(name_or_file), [*WEIGHTS, *OFFICIAL], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "docs/how_to/predict.md names the official ones."
        raise ValueError(
            f"no model called {str(name_or_file)!r} and no such file; known models: {', '.join(sorted(WEIGHTS))}, and"
            f" {len(OFFICIAL)} official ones: {hint}"
        )
    return path
