"""COCO-DensePose annotations written from dense truth.

Box-scaled coordinates: dp_x = 255 * (x - box_x) / box_w with x at the pixel's centre (index + 0.5). The released
evaluators read the prediction at int(dp_x / 255 * box_w + box_x), which is then exactly the annotated pixel.
"""

import numpy as np

from opendensepose.data.sampling import point_count, sample_part_points
from opendensepose.surface import CHART_TO_PART

__all__ = ["KEYPOINT_NAMES", "SKELETON", "category", "decode_mask", "encode_mask", "person_annotation"]

NUM_PARTS = 14  # torso to head, in the order of surface.PART_NAMES
GRID = 256  # masks and points live on a 256 x 256 grid laid over the person's box

KEYPOINT_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip

# Pairs of keypoints joined by a line; 1-based, as COCO's files have them.
SKELETON = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10), (9, 11),
    (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip


def category() -> dict:
    """COCO's entry for people, with the keypoints' names and skeleton."""
    return {
        "id": 1, "name": "person", "supercategory": "person",
        "keypoints": list(KEYPOINT_NAMES), "skeleton": [list(pair) for pair in SKELETON],
    }  # fmt: skip


def encode_mask(mask: np.ndarray) -> dict:
    """A mask (H, W) bool as COCO's compressed RLE, JSON-ready: {"size": [H, W], "counts": str}."""
    from pycocotools import mask as rle  # here, since reading photos needs no pycocotools

    code = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in code["size"]], "counts": code["counts"].decode("ascii")}


def decode_mask(code: dict) -> np.ndarray:
    """The mask (H, W) bool of a compressed RLE as `encode_mask` writes it."""
    from pycocotools import mask as rle

    return rle.decode({"size": code["size"], "counts": code["counts"].encode("ascii")}).astype(bool)


def person_annotation(
    *, annotation_id: int, image_id: int, i: np.ndarray, u: np.ndarray, v: np.ndarray, keypoints: np.ndarray
) -> dict | None:
    """One person's COCO-DensePose annotation, or None where nothing of the person is seen.

    `i` uint8, `u`, `v` float32 are (H, W) maps of the whole image that are 0 wherever this person is not seen;
    `keypoints` (17, 3) float: x, y in pixels and COCO's visibility 0, 1 or 2.
    """
    if not i.shape == u.shape == v.shape:
        raise ValueError(f"i, u and v must have one shape, got {i.shape}, {u.shape} and {v.shape}")
    if keypoints.shape != (17, 3):
        raise ValueError(f"keypoints must be (17, 3), got {keypoints.shape}")
    rows, columns = np.nonzero(i)
    if rows.size == 0:
        return None
    x0, y0, x1, y1 = (int(k) for k in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    keypoints = np.where(keypoints[:, 2:] > 0, keypoints, 0.0)
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": int(rows.size),
        "segmentation": encode_mask(i > 0),
        "keypoints": [round(float(value), 2) for value in keypoints.ravel()],
        "num_keypoints": int((keypoints[:, 2] > 0).sum()),
        **_dense_fields(i[y0:y1, x0:x1], u[y0:y1, x0:x1], v[y0:y1, x0:x1]),
    }


def _dense_fields(i: np.ndarray, u: np.ndarray, v: np.ndarray) -> dict:
    """dp_masks, dp_x, dp_y, dp_I, dp_U, dp_V of the maps (h, w) cut to the person's box."""
    height, width = i.shape
    part = np.asarray(CHART_TO_PART)[i]
    row = ((np.arange(GRID) + 0.5) * height / GRID).astype(int)
    column = ((np.arange(GRID) + 0.5) * width / GRID).astype(int)
    part_on_grid = part[row][:, column]  # (256, 256)
    masks, points = [], []
    for number in range(1, NUM_PARTS + 1):
        on_grid = part_on_grid == number
        masks.append(encode_mask(on_grid) if on_grid.any() else [])
        points.append(sample_part_points(part == number, point_count(on_grid.sum())))
    x, y = np.concatenate(points).T  # (P,), (P,)
    return {
        "dp_masks": masks,
        "dp_x": _rounded((x + 0.5) * 255 / width, 3),
        "dp_y": _rounded((y + 0.5) * 255 / height, 3),
        "dp_I": _rounded(i[y, x], 0),
        "dp_U": _rounded(u[y, x], 6),
        "dp_V": _rounded(v[y, x], 6),
    }


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    """Plain floats for JSON, as COCO-DensePose has them."""
    return [round(float(value), digits) for value in values]
