"""Names, mirror rule and coarse parts of the 24 charts, as the authors of DensePose numbered them."""

import numpy as np
from numpy.typing import ArrayLike

CHART_NAMES = (
    "background",
    "torso, back",
    "torso, front",
    "right hand",
    "left hand",
    "left foot",
    "right foot",
    "right upper leg, back",
    "left upper leg, back",
    "right upper leg, front",
    "left upper leg, front",
    "right lower leg, back",
    "left lower leg, back",
    "right lower leg, front",
    "left lower leg, front",
    "left upper arm, front/inner",
    "right upper arm, front/inner",
    "left upper arm, back/outer",
    "right upper arm, back/outer",
    "left forearm, front/inner",
    "right forearm, front/inner",
    "left forearm, back/outer",
    "right forearm, back/outer",
    "head, right half",
    "head, left half",
)

# Order of `dp_masks` in COCO-DensePose, after the background.
PART_NAMES = (
    "background",
    "torso",
    "right hand",
    "left hand",
    "left foot",
    "right foot",
    "upper leg right",
    "upper leg left",
    "lower leg right",
    "lower leg left",
    "upper arm left",
    "upper arm right",
    "lower arm left",
    "lower arm right",
    "head",
)

NUM_CHARTS = 24  # without the background
NUM_PARTS = 14

MIRROR_CHART = np.array(
    [0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15, 18, 17, 20, 19, 22, 21, 24, 23], np.uint8
)
CHART_TO_PART = np.array(
    [0, 1, 1, 2, 3, 4, 5, 6, 7, 6, 7, 8, 9, 8, 9, 10, 11, 10, 11, 12, 13, 12, 13, 14, 14], np.uint8
)
MIRROR_CHART.flags.writeable = CHART_TO_PART.flags.writeable = False


def mirror_iuv(i: ArrayLike, u: ArrayLike, v: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The label of the mirrored surface point, for arrays of one shape: charts swap sides; torso: V -> 1-V; hands, feet
    and head: U -> 1-U; limbs keep U, V. Background stays as it is. Measured on the authors' models.
    ValueError if shapes differ or a chart is not in 0..24.
    """
    i, u, v = np.asarray(i), np.asarray(u), np.asarray(v)
    if not i.shape == u.shape == v.shape:
        raise ValueError(f"i, u and v must have one shape, got {i.shape}, {u.shape}, {v.shape}.")
    if i.size and (i.min() < 0 or i.max() > 24):
        raise ValueError(f"charts must be in 0..24, got {i.min()}..{i.max()}.")
    flips_v = (i == 1) | (i == 2)
    flips_u = ((i >= 3) & (i <= 6)) | (i >= 23)
    return MIRROR_CHART[i], np.where(flips_u, 1 - u, u).astype(u.dtype), np.where(flips_v, 1 - v, v).astype(v.dtype)
