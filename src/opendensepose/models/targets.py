"""What a network of the paper is trained on: the annotated people of one image, as tensors.

Letters: K people of an image, M annotated points of all of them, H x W pixels of the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["DenseLabels", "Targets", "join_people"]


class DenseLabels(NamedTuple):
    """Labels at every pixel, as the teacher in-paints them or a renderer knows them: all arrays, or all tensors."""

    i: np.ndarray | Tensor  # (H, W) uint8: 0 background, 1..24
    u: np.ndarray | Tensor  # (H, W) float32 in [0, 1]
    v: np.ndarray | Tensor  # (H, W) float32 in [0, 1]
    person: np.ndarray | Tensor  # (H, W) uint8: 0 background, k for row k - 1 of the people


@dataclass(frozen=True)
class Targets:
    """The annotated people of one image, in pixels of the image that the network is given (x right, y down, the centre
    of a pixel at +0.5).

    Every network has `losses(images, targets) -> dict[str, Tensor]`: images a list of (3, H, W) float32 RGB 0..255,
    targets one of these per image, named losses already weighted, so that their sum is what is minimised.
    """

    boxes: Tensor  # (K, 4) float32 xyxy
    parts: Tensor  # (K, 256, 256) uint8: 14 parts of the visible body, 0 nothing, on a grid laid over the box
    annotated: Tensor  # (K,) bool: has part masks and points; others are people of whom only the box is known
    keypoints: Tensor  # (K, 17, 3) float32 x, y, visibility 0 unknown, 1 hidden, 2 seen
    point_xy: Tensor  # (M, 2) float32
    point_i: Tensor  # (M,) int64 1..24
    point_uv: Tensor  # (M, 2) float32 in [0, 1]
    point_person: Tensor  # (M,) int64 row of the people
    ignored: Tensor  # (G, 4) float32 xyxy: groups drawn as one; nothing inside teaches the detector
    dense: DenseLabels | None = None
    seed: int = 0  # of what is drawn at random for this image, so that it does not depend on the rest of the batch

    @property
    def has_mask(self) -> Tensor:
        """(K,) bool: whose part masks are known, with points or without."""
        return self.parts.flatten(1).any(1)

    def to(self, device: torch.device | str) -> "Targets":
        """The same on another device."""
        moved = {f.name: getattr(self, f.name) for f in fields(self)}
        dense, seed = moved.pop("dense"), moved.pop("seed")
        if dense is not None:
            dense = DenseLabels(*(labels.to(device) for labels in dense))
        return Targets(**{name: tensor.to(device) for name, tensor in moved.items()}, dense=dense, seed=seed)


def join_people(targets: Sequence[Targets]) -> tuple[Targets, Tensor]:
    """Join the people of N images as those of one, without dense labels; return the row of each image's first person,
    (N,) int64, too."""
    counts = [len(one.boxes) for one in targets]
    first = torch.tensor([0, *counts[:-1]]).cumsum(0).to(targets[0].boxes.device)
    joined = {
        field.name: torch.cat([getattr(one, field.name) for one in targets])
        for field in fields(Targets)
        if field.name not in ("point_person", "dense", "seed")
    }
    owners = torch.cat([one.point_person + start for one, start in zip(targets, first, strict=True)])
    return Targets(**joined, point_person=owners), first
