"""`npz`: predict's own file, with all that is known of a photo's people; plain numpy arrays."""

from collections.abc import Iterator
from pathlib import Path

from opendensepose.data.predictions import load_prediction, save_prediction
from opendensepose.formats.labelled_photo import FindPhoto, LabelledPhoto

__all__ = ["read_npz", "write_npz"]


def write_npz(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write <stem>.npz, see `data.predictions`. ValueError for more than 255 people."""
    path = folder / f"{labelled.stem}.npz"
    save_prediction(path, labelled.people, labelled.size_hw)
    return [path]


def read_npz(path: Path, find_photo: FindPhoto | None = None) -> Iterator[LabelledPhoto]:
    """Read the photo's people. ValueError, one sentence that names the file, if it is damaged."""
    prediction = load_prediction(path)
    try:
        yield LabelledPhoto(path.stem, prediction.iuv.size_hw, prediction.people())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
