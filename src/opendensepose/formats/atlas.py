"""`atlas`: the colours that a photo shows of each person, laid out on the 24 charts.

The layout is that of the authors' texture atlas, see `surface.atlas`.
"""

from pathlib import Path

import cv2
import numpy as np

from opendensepose.formats.labelled_photo import LabelledPhoto, write_each_person
from opendensepose.iuv import IUV
from opendensepose.surface.atlas import ATLAS_SIZE_HW, TILE, atlas_xy

__all__ = ["atlas_of", "write_atlas"]

FILL_PX = 6  # a texel so near to a seen one takes its colour: there are more texels than pixels of a person


def write_atlas(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write <stem>.atlas_<k>.png for the k-th person: RGBA. ValueError if the photo is missing."""
    return write_each_person(folder, labelled, "atlas", atlas_of)


def atlas_of(image_rgb: np.ndarray, iuv: IUV) -> np.ndarray:
    """Lay the labelled pixels of a photo (H, W, 3) uint8 out on the charts: (1200, 800, 4) uint8.

    A texel is the mean of the pixels that show it; texels near to those take the colour of the nearest of their chart.
    Alpha is 255 for both, 0 elsewhere.
    """
    height, width = ATLAS_SIZE_HW
    seen = iuv.i > 0
    column, row = np.floor(atlas_xy(iuv.i[seen], iuv.u[seen], iuv.v[seen])).astype(np.int64).T
    texel = row * width + column
    count = np.bincount(texel, minlength=height * width)
    total = np.stack([np.bincount(texel, image_rgb[seen][:, k], height * width) for k in range(3)], axis=1)
    colour = np.rint(total / np.maximum(count, 1)[:, None]).astype(np.uint8).reshape(height, width, 3)
    is_seen = count.reshape(height, width) > 0
    atlas = np.zeros((height, width, 4), np.uint8)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            tile = np.s_[top : top + TILE, left : left + TILE]
            atlas[tile] = _fill(colour[tile], is_seen[tile])
    return atlas


def _fill(colour: np.ndarray, is_seen: np.ndarray) -> np.ndarray:
    """A tile (200, 200, 3) with its seen texels (200, 200) bool as RGBA, the surroundings of what is seen filled."""
    if not is_seen.any():
        return np.zeros((TILE, TILE, 4), np.uint8)
    distance, label = cv2.distanceTransformWithLabels(
        np.where(is_seen, 0, 255).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((label.max() + 1, 3), np.uint8)
    nearest[label[is_seen]] = colour[is_seen]
    alpha = np.where(distance <= FILL_PX, 255, 0).astype(np.uint8)
    return np.dstack([nearest[label] * (alpha[..., None] > 0), alpha])
