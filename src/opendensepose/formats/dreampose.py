"""`dreampose`: U and V of one person as a plain array, for DreamPose."""

from pathlib import Path

import numpy as np

from opendensepose.atomic_write import atomic_file
from opendensepose.formats.labelled_photo import LabelledPhoto

__all__ = ["write_dreampose"]


def write_dreampose(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write dreampose/<stem>_densepose.npy: float32 (2, H, W), U and V, 0 on background."""
    iuv = labelled.merged()
    path = folder / "dreampose" / f"{labelled.stem}_densepose.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as part, part.open("wb") as file:
        np.save(file, np.stack([iuv.u, iuv.v]))
    return [path]
