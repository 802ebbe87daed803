"""`iuv-png` and `pose-with-style`: one picture of I, U, V of the photo's size, for who reads with Pillow.

RGB order: R = I (0 background, 1 to 24), G = 255 U, B = 255 V, rounded; 0 on background.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from opendensepose.data.photos import read_pixels
from opendensepose.formats.labelled_photo import FindPhoto, LabelledPhoto, one_person
from opendensepose.iuv import IUV
from opendensepose.surface import NUM_CHARTS
from opendensepose.visualize import write_png

__all__ = ["read_iuv_png", "write_iuv_png", "write_pose_with_style"]


def write_iuv_png(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write <stem>.iuv.png."""
    return [_write(folder / f"{labelled.stem}.iuv.png", labelled)]


def write_pose_with_style(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write pose-with-style/<stem>_iuv.png, the name under which that project looks for it."""
    return [_write(folder / "pose-with-style" / f"{labelled.stem}_iuv.png", labelled)]


def _write(path: Path, labelled: LabelledPhoto) -> Path:
    iuv = labelled.merged()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.dstack([iuv.i, *(np.rint(255 * part).astype(np.uint8) for part in (iuv.u, iuv.v))]))
    return path


def read_iuv_png(path: Path, find_photo: FindPhoto | None = None) -> Iterator[LabelledPhoto]:
    """Read the map, its people not separated. ValueError, one sentence, if its red channel is no chart."""
    pixels = read_pixels(path, "RGB")
    i = np.ascontiguousarray(pixels[..., 0])
    if i.max(initial=0) > NUM_CHARTS:
        raise ValueError(
            f"{path}: its red channel must be I, 0 to {NUM_CHARTS}, got {i.max()}. If it is the old tool's"
            " <stem>_IUV.png, say --from iuv-legacy."
        )
    u, v = (np.where(i > 0, pixels[..., k], 0).astype(np.float32) / np.float32(255) for k in (1, 2))
    stem = path.stem.removesuffix(".iuv").removesuffix("_iuv")
    yield LabelledPhoto(stem, i.shape, [one_person(IUV(i, u, v))] if i.any() else [])
