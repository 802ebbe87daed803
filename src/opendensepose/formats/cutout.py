"""`cutout`: each person's labelled pixels of the photo, the rest transparent."""

from pathlib import Path

import cv2
import numpy as np

from opendensepose.formats.labelled_photo import LabelledPhoto, labelled_box, write_each_person
from opendensepose.iuv import IUV

__all__ = ["cut_out", "write_cutout"]

MARGIN_PX = 2  # room for the soft edge


def write_cutout(folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write <stem>.cutout_<k>.png for the k-th person: RGBA, cut to the person. ValueError if the photo is missing."""
    return write_each_person(folder, labelled, "cutout", cut_out)


def cut_out(image_rgb: np.ndarray, iuv: IUV) -> np.ndarray:
    """Cut the labelled pixels (H, W) out of a photo (H, W, 3): (h, w, 4) uint8, not premultiplied.

    The edge is soft: alpha is 0 where less than a quarter of the pixels around are labelled, 255 from three quarters.
    """
    x0, y0, x1, y1 = labelled_box(iuv.i)
    window = np.s_[max(0, y0 - MARGIN_PX) : y1 + MARGIN_PX, max(0, x0 - MARGIN_PX) : x1 + MARGIN_PX]
    share = cv2.GaussianBlur((iuv.i[window] > 0).astype(np.float32), (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    alpha = np.rint(255 * np.clip(2 * share - 0.5, 0, 1)).astype(np.uint8)
    return np.dstack([image_rgb[window], alpha])
