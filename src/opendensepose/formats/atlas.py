"""`atlas`: the colours that a photo shows of each person, laid out on the 24 charts.

The layout of the authors' texture atlas: 800 x 1200 pixels in cells of 200; chart 6 i + j + 1 has the cell at column
200 i, row 200 j; in it a point lies in column 199 U, row 199 (1 - V).
"""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from opendensepose.atomic_write import atomic_file
from opendensepose.formats.labelled_photo import LabelledPhoto
from opendensepose.iuv import IUV

__all__ = ["atlas_of", "write_atlas"]

CELL, COLUMNS, ROWS = 200, 4, 6
FILL_PX = (
    6  # texels this near to a seen one take its colour: a photo shows a person in fewer pixels than there are texels
)


def write_atlas(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write <stem>.atlas_<k>.png for the k-th person: RGBA. ValueError if the photo is missing."""
    if labelled.image_rgb is None:
        raise ValueError(f"an atlas needs the photo {labelled.name}.")
    paths = []
    for k, person in enumerate(labelled.people, start=1):
        path = folder / f"{labelled.stem}.atlas_{k}.png"
        with atomic_file(path) as part:
            Image.fromarray(atlas_of(labelled.image_rgb, person.iuv)).save(part, "PNG")
        paths.append(path)
    return paths


def atlas_of(image_rgb: np.ndarray, iuv: IUV) -> np.ndarray:
    """Lay the labelled pixels of a photo (H, W, 3) uint8 out on the charts: (1200, 800, 4) uint8.

    A texel is the mean of the pixels that show it; texels near to those take the colour of the nearest of their chart.
    Alpha is 255 for both, 0 elsewhere.
    """
    seen = iuv.i > 0
    chart = iuv.i[seen].astype(np.int64) - 1
    column = np.rint((CELL - 1) * iuv.u[seen]).astype(np.int64)
    row = np.rint((CELL - 1) * (1 - iuv.v[seen])).astype(np.int64)
    texel = (chart * CELL + row) * CELL + column
    size = COLUMNS * ROWS * CELL * CELL
    count = np.bincount(texel, minlength=size).astype(np.float32)
    colour = np.stack([np.bincount(texel, image_rgb[seen][:, k], size) for k in range(3)], axis=1)
    colour = np.rint(colour / np.maximum(count, 1)[:, None]).astype(np.uint8)
    cells = [_fill(one, number > 0) for one, number in zip(
        colour.reshape(-1, CELL, CELL, 3), count.reshape(-1, CELL, CELL), strict=True)]  # fmt: skip
    columns = [np.concatenate(cells[ROWS * i : ROWS * (i + 1)], axis=0) for i in range(COLUMNS)]
    return np.concatenate(columns, axis=1)


def _fill(colour: np.ndarray, is_seen: np.ndarray) -> np.ndarray:
    """A cell (200, 200, 3) with its seen texels (200, 200) bool as RGBA, the surroundings of what is seen filled."""
    if not is_seen.any():
        return np.zeros((CELL, CELL, 4), np.uint8)
    distance, label = cv2.distanceTransformWithLabels(
        np.where(is_seen, 0, 255).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((label.max() + 1, 3), np.uint8)
    nearest[label[is_seen]] = colour[is_seen]
    alpha = np.where(distance <= FILL_PX, 255, 0).astype(np.uint8)
    return np.dstack([nearest[label] * (alpha[..., None] > 0), alpha])
