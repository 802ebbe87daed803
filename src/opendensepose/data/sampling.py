"""Points to annotate: roughly equidistant on a part's mask, by k-means on its pixels."""

import numpy as np

__all__ = ["MAX_POINTS_PER_PART", "point_count", "sample_part_points"]

MAX_POINTS_PER_PART = 14
_MOST_PIXELS = 3000  # k-means sees an even subset of larger masks
_ROUNDS = 12


def point_count(area_px: float) -> int:
    """Choose the number of points for a part whose mask covers `area_px` pixels of the person's 256 x 256 box.

    Grows with the part's length (the root of its area) up to 14: a hand gets about 3, a lower leg 10, a torso 14, a
    whole visible person 100 to 150, as in COCO-DensePose. The paper states the growth and the 14; the rule is ours.
    """
    if area_px <= 0:
        return 0
    return int(np.clip(np.round(np.sqrt(area_px) / 5), 1, MAX_POINTS_PER_PART))


def sample_part_points(mask: np.ndarray, count: int) -> np.ndarray:
    """Spread `count` points evenly over the pixels of `mask` (H, W) bool: (P, 2) int32 x, y, P <= count, all different.

    k-means on the pixel centres from a farthest-point start, each mean moved to the nearest pixel of the mask.
    Deterministic.
    """
    from scipy.cluster.vq import kmeans2  # here, since reading photos needs no scipy
    from scipy.spatial import cKDTree

    if mask.ndim != 2:
        raise ValueError(f"a mask is (H, W), got {mask.shape}")
    y_index, x_index = np.nonzero(mask)
    pixels = np.stack([x_index, y_index], axis=1).astype(np.float64)  # (M, 2)
    if count <= 0 or len(pixels) == 0:
        return np.zeros((0, 2), np.int32)
    if len(pixels) <= count:
        return pixels.astype(np.int32)
    seen = pixels[np.linspace(0, len(pixels) - 1, min(len(pixels), _MOST_PIXELS)).round().astype(int)]
    centres = kmeans2(seen, _farthest_points(seen, count), iter=_ROUNDS, minit="matrix")[0]
    nearest = np.unique(cKDTree(pixels).query(centres)[1])
    return pixels[nearest].astype(np.int32)


def _farthest_points(points: np.ndarray, count: int) -> np.ndarray:
    """`count` of the points (M, 2), each the farthest from those before it; the first is the nearest to their mean."""
    chosen = [int(np.argmin(((points - points.mean(0)) ** 2).sum(1)))]
    distance = ((points - points[chosen[0]]) ** 2).sum(1)
    for _ in range(count - 1):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(1))
    return points[chosen]
