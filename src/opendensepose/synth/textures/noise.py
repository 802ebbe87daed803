"""Procedural noise: smooth random fields over a picture, and normal noise.

Letters: H, W picture. A field depends on its arguments and `rng` alone.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

__all__ = ["fbm_2d", "normal_noise"]

NORMAL_BANK_SIZE = 1 << 21


@lru_cache(maxsize=256)
def spline_taps(num_out: int, num_cells: int, tile: bool, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The 4 lattice cells (4, num_out) int64 that each pixel sees, and their cubic B-spline weights (4, num_out, 1)."""
    position = (np.arange(num_out) + 0.5) / num_out * num_cells - 0.5
    left = np.floor(position).astype(np.int64)
    t = position - left
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]) / 6
    cells = left + np.array([[-1], [0], [1], [2]])
    cells = cells % num_cells if tile else cells.clip(0, num_cells - 1)
    return torch.from_numpy(cells).to(device), torch.from_numpy(weights.astype(np.float32))[..., None].to(device)


def spread(lattice: torch.Tensor, size_hw: Sequence[int], tile: bool) -> torch.Tensor:
    """(H, W) smooth field through a lattice (h, w): a cubic B-spline along one axis, then the other.

    Sums of four products instead of a matrix product, whose rounding depends on the number of threads.
    """
    for num_out in size_hw:
        cells, weights = spline_taps(int(num_out), lattice.shape[0], tile, str(lattice.device))
        rows = lattice.index_select(0, cells[0]) * weights[0]
        for k in (1, 2, 3):
            rows += lattice.index_select(0, cells[k]) * weights[k]
        lattice = rows.T.contiguous()
    return lattice


def random_lattice(rng: np.random.Generator, cells_yx: Sequence[int], device: str = "cpu") -> torch.Tensor:
    """(h, w) float32 uniform values in [-1, 1]."""
    return torch.from_numpy(rng.random(cells_yx, dtype=np.float32) * 2 - 1).to(device)


def fbm_2d(
    rng: np.random.Generator,
    size_hw: Sequence[int],
    octaves: int = 4,
    tile: bool = False,
    device: str = "cpu",
    cells: float = 4,
    gain: float = 0.5,
    stretch_yx: Sequence[float] = (1.0, 1.0),
) -> torch.Tensor:
    """Make fractal noise (H, W) float32, stretched to span [0, 1].

    `cells` lattice cells lie along the shorter side in the first octave, twice as many in each next,
    with `gain` times the amplitude. `stretch_yx` multiplies the cells along an axis. With `tile`
    the field continues seamlessly over its opposite edges. Each octave is added on its own lattice,
    to the coarser ones spread over it; only the last lattice is spread over the pixels.
    """
    shorter = min(size_hw)
    field = None
    for octave in range(octaves):
        cells_yx = [cells * 2**octave * s / shorter * k for s, k in zip(size_hw, stretch_yx, strict=True)]
        cells_yx = [max(1, min(round(c), s)) for c, s in zip(cells_yx, size_hw, strict=True)]
        lattice = random_lattice(rng, cells_yx, device) * gain**octave
        field = lattice if field is None else lattice + spread(field, cells_yx, tile)
    field = spread(field, size_hw, tile)
    low, high = field.aminmax()
    return (field - low) / (high - low).clamp_min(1e-6)


@lru_cache(maxsize=4)
def normal_bank(device: str) -> torch.Tensor:
    """(NORMAL_BANK_SIZE,) standard normal values, always the same ones."""
    values = np.random.default_rng(20260101).standard_normal(NORMAL_BANK_SIZE, dtype=np.float32)
    return torch.from_numpy(values).to(device)


def normal_noise(rng: np.random.Generator, shape: Sequence[int], device: str = "cpu") -> torch.Tensor:
    """Make standard normal noise of `shape`: a random part of a fixed bank, 20 times faster than drawing it."""
    count = int(np.prod(shape))
    bank = normal_bank(str(device))
    if count > len(bank) // 2:
        bank = bank.repeat(-(-2 * count // len(bank)))
    start = int(rng.integers(len(bank) - count))
    return bank[start : start + count].reshape(*shape)
