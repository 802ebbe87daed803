"""Fabric and hair textures for people and things.

`make_texture` draws from a pool: the fabric in a slot depends on (pool_seed, slot) alone, so a picture never depends on
what was made before it. Callers increase `pool_seed` (sample_index // 500, say) to get new fabrics.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F

from opendensepose.synth.kinds import draw_kind, slots_by_kind
from opendensepose.synth.textures.noise import fbm_2d
from opendensepose.synth.textures.patterns import FABRICS, TEXTURE_SIZE

__all__ = ["FABRIC_KINDS", "FabricDraw", "draw_fabric", "fabric_stack", "make_hair_texture", "make_texture"]

NUM_SLOTS = 48
FABRIC_KINDS = tuple(FABRICS)


FABRIC_SLOTS = slots_by_kind(FABRICS, NUM_SLOTS)


@lru_cache(maxsize=NUM_SLOTS + 16)
def pool_fabric(pool_seed: int, slot: int, device: str) -> torch.Tensor:
    """Make the fabric in a slot of the pool: (256, 256, 3) float32."""
    kind = next(kind for kind, slots in FABRIC_SLOTS.items() if slot in slots)
    fabric = FABRICS[kind].make(np.random.default_rng((7, pool_seed, slot)))
    return torch.from_numpy(np.clip(fabric, 0, 1).astype(np.float32)).to(device)


@dataclass(frozen=True)
class FabricDraw:
    """A fabric of the pool and how it is changed."""

    slot: int
    shift_yx: tuple[int, int]  # pixels
    flips: tuple[int, ...]  # axes that are mirrored
    order: tuple[int, int, int]  # of the colour channels
    gain: np.ndarray  # (3,) of the colours, after reordering


def draw_fabric(rng: np.random.Generator, kind: str | None = None) -> FabricDraw:
    """Draw a fabric; kind: one of FABRIC_KINDS, None draws one by its weight."""
    slots = range(NUM_SLOTS) if kind is None else FABRIC_SLOTS[draw_kind(rng, FABRICS, kind, "fabric kind")]
    slot = slots[int(rng.integers(len(slots)))]
    shift_y, shift_x = (int(s) for s in rng.integers(0, TEXTURE_SIZE, 2))
    flips = tuple(axis for axis in (0, 1) if rng.random() < 0.5)
    first, second, third = rng.permutation(3).tolist() if rng.random() < 0.07 else (0, 1, 2)
    gain = (rng.normal(1, 0.12) + rng.normal(0, 0.04, 3)).astype(np.float32)
    return FabricDraw(slot, (shift_y, shift_x), flips, (first, second, third), gain)


def make_texture(
    rng: np.random.Generator, pool_seed: int = 0, device: str = "cpu", kind: str | None = None
) -> torch.Tensor:
    """Draw a fabric and make it: (256, 256, 3) float32 in [0, 1], which tiles. kind: as of draw_fabric()."""
    drawn = draw_fabric(rng, kind)
    fabric = pool_fabric(int(pool_seed), drawn.slot, str(device)).roll(drawn.shift_yx, (0, 1)).flip(drawn.flips)
    return (fabric[..., list(drawn.order)] * torch.from_numpy(drawn.gain).to(device)).clamp_(0, 1)


@lru_cache(maxsize=2)
def fabric_stack(pool_seed: int, device: str) -> torch.Tensor:
    """Stack all fabrics of a pool for shading: (48, 256, 256, 4) uint8 RGBA, opaque."""
    fabrics = torch.stack([pool_fabric(pool_seed, slot, device) for slot in range(NUM_SLOTS)])
    return F.pad((fabrics * 255).round().to(torch.uint8), (0, 1), value=255)


def make_hair_texture(rng: np.random.Generator, device: str = "cpu") -> torch.Tensor:
    """Make hair whose strands run along the rows' axis: (128, 128, 3) float32 in [0, 1], which tiles."""
    size = (128, 128)
    dark = np.array([[0.05, 0.04, 0.04], [0.13, 0.09, 0.07], [0.25, 0.16, 0.10], [0.42, 0.28, 0.16]])
    light = np.array([[0.70, 0.55, 0.33], [0.45, 0.18, 0.08], [0.62, 0.62, 0.62], [0.85, 0.84, 0.82]])
    if rng.random() < 0.04:
        base = rng.uniform(0.1, 0.9, 3)  # dyed
    else:
        base = dark[rng.integers(4)] if rng.random() < 0.7 else light[rng.integers(4)]
        base = base * rng.uniform(0.7, 1.25)
    curl = fbm_2d(rng, size, 2, True, device, cells=4)
    strands = fbm_2d(rng, size, 3, True, device, cells=12, stretch_yx=(0.2, 1.5), gain=0.8)
    locks = fbm_2d(rng, size, 2, True, device, cells=4, stretch_yx=(0.5, 2.0))
    wave = float(rng.choice([0.1, 0.3, 0.8]))
    shade = 0.35 + 0.55 * strands + 0.4 * locks + wave * (curl - 0.5)
    sheen = ((strands * locks) ** 3 * float(rng.uniform(0.1, 0.6)))[..., None]
    colour = torch.tensor(base, dtype=torch.float32, device=device)
    return (shade[..., None] * colour + sheen * (0.4 + 0.6 * colour)).clamp(0, 1)
