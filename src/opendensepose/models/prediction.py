"""The contract between `Predictor` and the networks: what each network can do once it is made ready for prediction.

Letters: N boxes of one photo, H x W size of a photo.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

import numpy as np

from opendensepose.instance import Instance

if TYPE_CHECKING:  # prediction without torch knows this contract too
    import torch

__all__ = ["EmbeddingNetwork", "Network", "PreparedNetwork"]


class PreparedNetwork(Protocol):
    """A copy of a network for prediction only: frozen, in evaluation mode, its norms folded, on the network's device.

    Photos, at least one, are (H, W, 3) uint8 RGB arrays, checked by the caller; their sizes may differ, those of equal
    size run as one batch. Both methods return one list for each photo, the people with the highest score first.
    """

    min_score: float  # least score of the people to keep unless the caller asks for another one, in [0, 1]

    def find(self, images_rgb: Sequence[np.ndarray], min_score: float) -> list[list[Instance]]:
        """Find the people in each photo whose score is at least min_score, and label them."""
        ...

    def label(self, images_rgb: Sequence[np.ndarray], boxes_xyxy: Sequence[np.ndarray]) -> list[list[Instance]]:
        """Label the people in the given boxes of each photo, (N, 4) float32 pixels, within the photo and not empty.

        Each person keeps its box. A network may leave out boxes in which it sees nobody.
        """
        ...


@runtime_checkable
class EmbeddingNetwork(Protocol):
    """What a `PreparedNetwork` has besides if its people have embeddings and no charts, see SurfaceEmbedding."""

    @property
    def num_vertices(self) -> int:
        """Return the size of the mesh whose vertices it predicts."""
        ...


@runtime_checkable
class Network(Protocol):
    """A torch module that can be made ready for prediction."""

    def to(self, device: torch.device) -> Self:
        """See torch.nn.Module."""
        ...

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """See torch.nn.Module."""
        ...

    def prepare(self, mirrored: bool = True, refine: bool = True) -> PreparedNetwork:
        """Make a copy ready for prediction; networks without such options ignore them.

        mirrored: average the labels of a crop with those of its mirror image. refine: label a first crop only to
        tighten the box. ValueError if the network does not predict people in photos.
        """
        ...
