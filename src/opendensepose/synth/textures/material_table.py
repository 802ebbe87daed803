"""How surfaces look: materials, and the table of them that shade() reads.

Letters: M materials, K tiling textures, D prints.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np
import torch
import warp as wp

from opendensepose.synth.textures.fabrics import draw_fabric, fabric_stack, make_hair_texture
from opendensepose.synth.textures.noise import fbm_2d
from opendensepose.synth.textures.patterns import TEXTURE_SIZE
from opendensepose.synth.textures.prints import make_print

__all__ = ["CHANNEL_ORDERS", "Decal", "Material", "MaterialRow", "MaterialTable", "UvTexture", "material_rows",
           "material_table"]  # fmt: skip

CHANNEL_ORDERS = tuple(permutations(range(3)))
FOLD_TEXTURE, HAIR_TEXTURE, FIRST_FABRIC = 0, 1, 2  # of the tiling textures; shade() takes the first for the folds
HAIR_GAIN = 2.0  # strands are brighter and darker than the hair's colour, textures end at 1


class UvTexture(NamedTuple):
    """A texture of a TextureAtlas on a material."""

    picture: int  # index into the atlas
    mean_luminance: float  # above 0: only the texture's folds are used, as its luminance over this mean
    side_m: float  # metres of cloth along the texture's side


class Decal(NamedTuple):
    """Where a print lies on the chest of the body at rest, metres."""

    x: float
    z: float
    half_width: float
    half_height: float


@dataclass
class Material:
    """How a set of triangles looks. Colours are sRGB in [0, 1]; lengths in metres.

    texture: "none", "fabric", "hair" or "skin"; scale: texture tiles per metre; angle: radians; fold: strength of the
    shading noise; decal: place of a print on the chest, or None; uv: None if the mesh has no texture coordinates.
    """

    colour: np.ndarray
    texture: str = "none"
    scale: float = 4.0
    angle: float = 0.0
    specular: float = 0.03
    fold: float = 0.0
    decal: Decal | None = None
    uv: UvTexture | None = None


@wp.struct
class MaterialRow:
    """A material as the shading kernel reads it."""

    colour: wp.vec3  # sRGB
    texture: wp.int32  # index of a tiling texture, -1 for none
    scale: wp.float32
    angle: wp.float32
    specular: wp.float32
    fold: wp.float32
    decal: wp.int32  # index of a print, -1 for none
    decal_center: wp.vec2  # x, z
    decal_half: wp.vec2  # half its width and height
    is_skin: wp.int32  # 1: the vertices' paint multiplies the colour
    shift: wp.vec2  # of the tiling texture, u and v in tiles
    sign: wp.vec2  # -1 mirrors the tiling texture along u, v
    channel_order: wp.int32  # of the tiling texture, index into CHANNEL_ORDERS
    uv_row: wp.int32  # of the atlas's table, -1 for no UV texture
    mean_luminance: wp.float32  # as of UvTexture
    side_m: wp.float32


class MaterialTable(NamedTuple):
    """The materials of a mesh with the pictures they refer to."""

    rows: np.ndarray  # (M,) MaterialRow
    textures: torch.Tensor  # (K, 256, 256, 4) uint8 RGBA, tiling
    prints: torch.Tensor  # (D, h, w, 4) uint8 RGBA


def material_rows(count: int) -> np.ndarray:
    """Make (count,) MaterialRow without textures, prints or mirroring, all else 0."""
    rows: np.ndarray = np.zeros(count, MaterialRow.numpy_dtype())  # type: ignore[attr-defined]  # wp.struct adds it
    rows["texture"] = rows["decal"] = rows["uv_row"] = -1
    rows["sign"] = 1.0
    return rows


def material_table(
    rng: np.random.Generator, materials: Sequence[Material], pool_seed: int, device: str
) -> MaterialTable:
    """Draw fabrics and prints for M materials and write their table; uv_row and the fields after it stay unset."""
    rows = material_rows(len(materials))
    prints: list[torch.Tensor] = []
    for row, material in zip(rows, materials, strict=True):
        row["colour"] = material.colour
        row["scale"], row["angle"] = material.scale, material.angle
        row["specular"], row["fold"] = material.specular, material.fold
        row["is_skin"] = material.texture == "skin"
        if material.texture == "fabric":
            drawn = draw_fabric(rng)
            row["colour"], row["texture"] = drawn.gain, FIRST_FABRIC + drawn.slot
            row["shift"] = np.array(drawn.shift_yx[::-1]) / TEXTURE_SIZE
            row["sign"] = [-1 if axis in drawn.flips else 1 for axis in (1, 0)]
            row["channel_order"] = CHANNEL_ORDERS.index(drawn.order)
        if material.texture == "hair":
            row["colour"], row["texture"] = HAIR_GAIN * row["colour"], HAIR_TEXTURE
        if material.decal is not None:
            row["decal"] = len(prints)
            row["decal_center"] = material.decal.x, material.decal.z
            row["decal_half"] = material.decal.half_width, material.decal.half_height
            prints.append((make_print(rng, device) * 255).round().to(torch.uint8))
    no_print = torch.zeros(1, 1, 1, 4, dtype=torch.uint8, device=device)
    return MaterialTable(rows, _textures(pool_seed, device), torch.stack(prints) if prints else no_print)


@functools.lru_cache(maxsize=2)
def _textures(pool_seed: int, device: str) -> torch.Tensor:
    """(50, 256, 256, 4) uint8: folds, hair and the pool's fabrics."""
    fixed = torch.stack([_fold_noise(device), _hair_strands(device)])
    return torch.cat([(fixed.clamp(0, 1) * 255).round().to(torch.uint8), fabric_stack(pool_seed, device)])


@functools.cache
def _fold_noise(device: str) -> torch.Tensor:
    size = (TEXTURE_SIZE, TEXTURE_SIZE)
    channels = [fbm_2d(np.random.default_rng(k), size, octaves=4, tile=True) for k in range(3)]
    noise = torch.stack([*channels, torch.ones_like(channels[0])], -1)
    spread = noise[..., :3] - noise[..., :3].mean((0, 1))
    noise[..., :3] = 0.5 + spread / spread.std() * 0.35
    return noise.to(device)


@functools.cache
def _hair_strands(device: str) -> torch.Tensor:
    """(256, 256, 4) strands with a mean of about 1 / HAIR_GAIN, to multiply a hair colour with."""
    strands = make_hair_texture(np.random.default_rng(3)).mean(-1, keepdim=True)
    strands = (strands / strands.mean()).clamp(0.2, 3).sqrt().expand(-1, -1, 3) / HAIR_GAIN
    strands = strands.repeat(2, 2, 1)[:TEXTURE_SIZE, :TEXTURE_SIZE]
    return torch.nn.functional.pad(strands, (0, 1), value=1.0).contiguous().to(device)
