"""One person in a photo: labelled at every pixel, or annotated at sparse points; how persons share the pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opendensepose.iuv import IUV, empty_iuv
from opendensepose.keypoints import NUM_KEYPOINTS
from opendensepose.part_grid import GRID
from opendensepose.surface import NO_VERTEX, NUM_CHARTS, NUM_PARTS, SurfaceEmbedding

__all__ = ["DenseAnnotation", "Instance", "merge_instances", "place_in_photo", "without_duplicates"]

SAME_POINT_UV = 0.2  # labels of one pixel that differ by less show one point: several times the usual error


@dataclass(frozen=True)
class Instance:
    """A labelled person.

    box_xyxy: (4,) float32 pixels. score: how sure it is a person, and one labelled well, 0 to 1. iuv: of the whole
    photo, background where this person is not seen. confidence: (H, W) float32, 0 on background: of calibrated weights,
    as the default ones, the probability that the labelled point lies within 10 cm of the true one along the surface; of
    other networks that the pixel's chart is right, of embedding networks that it is the person's. embedding: of
    networks that predict a mesh's vertices; the map has no charts then unless they are looked up. ValueError if shapes
    or ranges are others.
    """

    box_xyxy: np.ndarray
    score: float
    iuv: IUV
    confidence: np.ndarray
    embedding: SurfaceEmbedding | None = None

    @property
    def mask(self) -> np.ndarray:
        """Return where the person is seen, (H, W) bool."""
        mask = self.iuv.i > 0
        if self.embedding is not None:
            mask[self.embedding.window] |= self.embedding.vertex != NO_VERTEX
        return mask

    def __post_init__(self) -> None:
        if np.shape(self.box_xyxy) != (4,):
            raise ValueError(f"box_xyxy must have shape (4,), got {np.shape(self.box_xyxy)}.")
        x0, y0, x1, y1 = self.box_xyxy
        if not (x0 <= x1 and y0 <= y1):
            raise ValueError(
                f"box_xyxy must have x0 <= x1 and y0 <= y1, got {[float(edge) for edge in self.box_xyxy]}."
            )
        if not 0 <= self.score <= 1:
            raise ValueError(f"score must lie in [0, 1], got {self.score}.")
        if self.confidence.shape != self.iuv.size_hw:
            raise ValueError(
                f"confidence must have shape {self.iuv.size_hw} like the IUV map, got {self.confidence.shape}."
            )
        if self.embedding is not None and (self.embedding.window_xyxy[[3, 2]] > self.iuv.size_hw).any():
            raise ValueError(
                f"the embedding's window must lie in the photo of shape {self.iuv.size_hw}, got"
                f" {self.embedding.window_xyxy.tolist()}."
            )


@dataclass(frozen=True)
class DenseAnnotation:
    """A person annotated at P sparse points, as COCO-DensePose has them.

    annotation_id, image_id: the file's. box_xyxy: (4,) float32 pixels. point_xy: (P, 2) float64 pixels of the whole
    photo, not truncated; the annotated pixel is column int(x), row int(y). i: (P,) uint8 chart 1..24, u, v: (P,)
    float32 in [0, 1]; all three 0 where an annotator gave a mesh vertex only. mask: (256, 256) uint8 of the 14 parts,
    0 background, on a grid laid over the box, or None. area: square pixels. iscrowd: a group drawn as one.
    vertex: (P,) int64 index into the file's reference mesh, or None. keypoints: (17, 3) float32 x, y in pixels and
    visibility 0, 1, 2, or None. P is 0 for people without points. ValueError if types, shapes or ranges are others.
    """

    annotation_id: int
    image_id: int
    box_xyxy: np.ndarray
    point_xy: np.ndarray
    i: np.ndarray
    u: np.ndarray
    v: np.ndarray
    mask: np.ndarray | None
    area: float
    iscrowd: bool
    vertex: np.ndarray | None = None
    keypoints: np.ndarray | None = None

    @property
    def is_annotated(self) -> bool:
        """Return whether there are points with charts and part masks, of one person: what the paper's networks learn
        from."""
        return not self.iscrowd and self.mask is not None and bool((self.i > 0).any())

    def __post_init__(self) -> None:
        num_points = len(self.i) if np.ndim(self.i) == 1 else 0
        _check_array("box_xyxy", self.box_xyxy, np.float32, (4,))
        x0, y0, x1, y1 = self.box_xyxy
        if not (x0 <= x1 and y0 <= y1):
            raise ValueError(
                f"box_xyxy must have x0 <= x1 and y0 <= y1, got {[float(edge) for edge in self.box_xyxy]}."
            )
        _check_array("i", self.i, np.uint8, (num_points,), most=NUM_CHARTS)
        if self.vertex is None and num_points and self.i.min() == 0:
            raise ValueError("i must be 1..24 where there is no vertex, got 0.")
        _check_array("point_xy", self.point_xy, np.float64, (num_points, 2))
        _check_array("u", self.u, np.float32, (num_points,), least=0, most=1)
        _check_array("v", self.v, np.float32, (num_points,), least=0, most=1)
        if self.mask is not None:
            _check_array("mask", self.mask, np.uint8, (GRID, GRID), most=NUM_PARTS)
        if self.vertex is not None:
            _check_array("vertex", self.vertex, np.int64, (num_points,), least=0)
        if self.keypoints is not None:
            _check_array("keypoints", self.keypoints, np.float32, (NUM_KEYPOINTS, 3))
        if not (np.isfinite(self.area) and self.area >= 0):
            raise ValueError(f"area must be a number of at least 0, got {self.area}.")


def _check_array(
    name: str, value: np.ndarray, dtype: type, shape: tuple, *, least: float = -np.inf, most: float = np.inf
) -> None:
    """Raise ValueError unless `value` is an array of this type and shape, finite and within [least, most]."""
    expected = f"{name} must be {np.dtype(dtype)} of shape {shape}"
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{expected}, got {type(value).__name__}.")
    if value.dtype != dtype or value.shape != shape:
        raise ValueError(f"{expected}, got {value.dtype} of shape {value.shape}.")
    if value.size == 0:
        return
    if not np.isfinite(value).all():
        raise ValueError(f"{name} must be finite, got {value[~np.isfinite(value)][0]}.")
    if value.min() < least or value.max() > most:
        raise ValueError(f"{name} must lie in [{least:g}, {most:g}], got values from {value.min()} to {value.max()}.")


def place_in_photo(
    labels: IUV,
    confidence: np.ndarray,
    corner_xy: tuple[int, int],
    size_hw: tuple[int, int],
    box_xyxy: np.ndarray,
    score: float,
    mask: np.ndarray | bool = True,
) -> Instance:
    """Make the instance of a person who is labelled in a window of a photo of size_hw.

    labels and confidence (h, w) are the window's, corner_xy the photo's pixel at its top left corner, not negative;
    rows and columns beyond the photo's right and bottom edges are dropped. mask (h, w) bool: which pixels are the
    person's; the window must lie inside the photo then.
    """
    x, y = corner_xy
    maps = []
    for part in (labels.i, labels.u, labels.v, confidence):
        whole = np.zeros(size_hw, part.dtype)  # takes memory only where it is written
        there = whole[y : y + part.shape[0], x : x + part.shape[1]]
        np.multiply(part[: there.shape[0], : there.shape[1]], mask, out=there)
        maps.append(whole)
    return Instance(box_xyxy, score, IUV(*maps[:3]), maps[3])


def merge_instances(instances: Sequence[Instance], size_hw: tuple[int, int]) -> tuple[IUV, np.ndarray]:
    """Merge into one IUV map of the photo, and a map of persons (H, W) uint8: 0 background, k the k-th of the
    sequence.

    A pixel that several persons claim goes to the one most confident there, the earlier of equals.
    """
    if len(instances) > 255:
        raise ValueError(f"at most 255 persons fit in one map, got {len(instances)}.")
    iuv = empty_iuv(size_hw)
    person, best = np.zeros(size_hw, np.uint8), np.full(size_hw, -1.0, np.float32)
    for k, instance in enumerate(instances, start=1):
        if instance.iuv.size_hw != tuple(size_hw):
            raise ValueError(f"person {k} has a map of {instance.iuv.size_hw}, the photo is {tuple(size_hw)}.")
        wins = instance.mask & (instance.confidence > best)
        for name in ("i", "u", "v"):
            getattr(iuv, name)[wins] = getattr(instance.iuv, name)[wins]
        person[wins], best[wins] = k, instance.confidence[wins]
    return iuv, person


def without_duplicates(instances: Sequence[Instance], most_shared: float = 0.6) -> list[Instance]:
    """Keep each person once: of two instances of one person the one with the higher score.

    Two instances show one person if more than `most_shared` of the lower-scoring one's pixels are the other's too, or
    if so much of the smaller one shows the same points of the body in both: two people can share pixels, but no pixel
    shows the same point of two bodies.
    """
    kept: list[Instance] = []
    for instance in sorted(instances, key=lambda one: -one.score):
        if not any(_is_duplicate(instance, other, most_shared) for other in kept):
            kept.append(instance)
    return kept


def _is_duplicate(instance: Instance, other: Instance, most_shared: float) -> bool:
    own, others = instance.iuv.i > 0, other.iuv.i > 0
    shared = own & others
    num_own, num_shared = own.sum(), shared.sum()
    if num_shared > most_shared * num_own:
        return True
    smaller = min(num_own, others.sum())
    if num_shared <= most_shared * smaller:
        return False
    (i, u, v), (i2, u2, v2) = ((x.i[shared], x.u[shared], x.v[shared]) for x in (instance.iuv, other.iuv))
    return ((i == i2) & (np.hypot(u - u2, v - v2) < SAME_POINT_UV)).sum() > most_shared * smaller
