"""One person in a photo, and how several persons share its pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opendensepose.iuv import IUV, empty_iuv

__all__ = ["Instance", "merge_instances", "without_repeats"]


@dataclass(frozen=True)
class Instance:
    """A labelled person.

    box_xyxy: (4,) float32 pixels. score: how sure it is a person, 0 to 1. iuv: of the whole photo, background where
    this person is not seen. confidence: (H, W) float32, the probability that the pixel's chart is right, 0 on
    background. ValueError if shapes or ranges are others.
    """

    box_xyxy: np.ndarray
    score: float
    iuv: IUV
    confidence: np.ndarray

    def __post_init__(self):
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


def merge_instances(instances: Sequence[Instance], size_hw: tuple[int, int]) -> tuple[IUV, np.ndarray]:
    """One IUV map of the photo and the map of persons (H, W) uint8: 0 background, k the k-th of the sequence.

    A pixel that several persons claim goes to the one most confident there, the earlier of equals.
    """
    if len(instances) > 255:
        raise ValueError(f"at most 255 persons fit in one map, got {len(instances)}.")
    iuv = empty_iuv(size_hw)
    person, best = np.zeros(size_hw, np.uint8), np.full(size_hw, -1.0, np.float32)
    for k, instance in enumerate(instances, start=1):
        if instance.iuv.size_hw != tuple(size_hw):
            raise ValueError(f"person {k} has a map of {instance.iuv.size_hw}, the photo is {tuple(size_hw)}.")
        wins = (instance.iuv.i > 0) & (instance.confidence > best)
        for name in ("i", "u", "v"):
            getattr(iuv, name)[wins] = getattr(instance.iuv, name)[wins]
        person[wins], best[wins] = k, instance.confidence[wins]
    return iuv, person


def without_repeats(instances: Sequence[Instance], most_shared: float = 0.6) -> list[Instance]:
    """The instances without those found twice: the surer ones, each of which shares at most `most_shared` of its
    pixels with any surer one."""
    kept: list[Instance] = []
    for instance in sorted(instances, key=lambda one: -one.score):
        own = instance.iuv.i > 0
        if all((own & (other.iuv.i > 0)).sum() <= most_shared * own.sum() for other in kept):
            kept.append(instance)
    return kept
