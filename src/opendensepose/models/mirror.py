"""Maps that a network gives for a mirrored image, turned back into maps of the image itself, by the mirror rule."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from opendensepose.surface import MIRROR_CHART, NUM_CHARTS, mirror_iuv

__all__ = ["mirror_class_maps", "mirror_uv_maps"]


def mirror_class_maps(maps: Tensor) -> Tensor:
    """Mirror logits or probabilities (..., 25, h, w) of background and charts: columns reversed, left and right charts
    exchanged."""
    return maps.flip(-1).index_select(-3, torch.as_tensor(MIRROR_CHART.astype(np.int64), device=maps.device))


def mirror_uv_maps(u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror U and V (..., C, h, w) of all charts, C = 24, or C = 25 with background first: columns reversed, left and
    right charts exchanged, 1 - U or 1 - V where the rule says so. ValueError for another C."""
    first = NUM_CHARTS + 1 - u.shape[-3]
    if u.shape != v.shape or first not in (0, 1):
        raise ValueError(f"u and v must be (..., 24 or 25, h, w), got {tuple(u.shape)} and {tuple(v.shape)}.")
    order = torch.as_tensor(MIRROR_CHART[first:].astype(np.int64) - first, device=u.device)

    def mirrored(maps: Tensor, reverses: np.ndarray) -> Tensor:
        reverse = torch.as_tensor(reverses[first:], dtype=maps.dtype, device=maps.device)[:, None, None]
        return (reverse + (1 - 2 * reverse) * maps.flip(-1)).index_select(-3, order)

    return mirrored(u, _reverses()[0]), mirrored(v, _reverses()[1])


@cache
def _reverses() -> tuple[np.ndarray, np.ndarray]:
    """Return, by chart 0..24, 1 where the mirrored point has 1 - U, and where it has 1 - V; else 0."""
    zeros = np.zeros(NUM_CHARTS + 1, np.float32)
    _, u_at_0, v_at_0 = mirror_iuv(np.arange(NUM_CHARTS + 1), zeros, zeros)
    return u_at_0, v_at_0
