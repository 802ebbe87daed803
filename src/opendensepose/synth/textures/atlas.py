"""A texture atlas: pictures of many sizes with their mipmaps in one flat array that kernels sample.

Letters: N texels of all pictures, L pictures, K mipmap levels (each half as wide and high as the one before).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import warp as wp

from opendensepose.synth.warp_arrays import Bytes2, Ints2

__all__ = ["LEVELS", "LUMA", "TextureAtlas", "UvMapping", "no_uv_mapping", "pack_textures", "sample_texture", "uv_row"]

LEVELS = 5
LUMA = (0.299, 0.587, 0.114)  # weights of sRGB's red, green and blue in luminance (ITU-R BT.601)


@dataclass(frozen=True)
class TextureAtlas:
    """Pictures with their mipmaps; level k of picture l is row l * LEVELS + k of the table."""

    texels: torch.Tensor  # (N, 4) uint8 RGBA
    table: torch.Tensor  # (L * K, 3) int32: first texel, height, width
    heights: tuple[int, ...]  # (L,) of the pictures

    def level(self, picture: int, side_m: float, pixels_per_metre: float) -> int:
        """Choose the mipmap level of a picture, side_m metres long, whose texels are about as large as the pixels."""
        finer = self.heights[picture] / side_m / max(pixels_per_metre, 1e-6)
        return int(np.clip(np.floor(np.log2(finer) + 0.3), 0, LEVELS - 1))

    def colours_at(self, picture: int, uv: np.ndarray) -> np.ndarray:
        """Read the nearest texels of a picture at uv (n, 2), v upwards: (n, 3) float32 RGB in [0, 1]."""
        start, height, width = self.table[picture * LEVELS].tolist()
        column, row = (np.array([0, 1]) + uv * [1, -1]).T * [[width], [height]]
        column, row = column.astype(int).clip(0, width - 1), row.astype(int).clip(0, height - 1)
        texels = self.texels[start : start + height * width].cpu().numpy()
        return texels[row * width + column, :3].astype(np.float32) / 255


@dataclass(frozen=True)
class UvMapping:
    """Texture coordinates of a mesh in an atlas."""

    atlas: TextureAtlas
    corner_uv: torch.Tensor  # (R, 3, 2) float32: triangles of one body, then all triangles after the bodies
    num_closed: int  # triangles of all bodies, which come first
    num_body: int  # triangles of one body
    first_cut_out: int  # from this triangle on, triangles are drawn only where their texture is opaque
    cut_out_rows: torch.Tensor  # (C,) int32 rows of the atlas's table for these C triangles


def no_uv_mapping(device: str) -> UvMapping:
    """Make the mapping of a mesh without UV textures: one white texel."""
    white = torch.full((1, 4), 255, dtype=torch.uint8, device=device)
    atlas = TextureAtlas(white, torch.tensor([[0, 1, 1]] * LEVELS, dtype=torch.int32, device=device), (1,))
    corner_uv = torch.zeros(1, 3, 2, device=device)
    return UvMapping(atlas, corner_uv, 0, 1, 0, torch.zeros(0, dtype=torch.int32, device=device))


def pack_textures(pictures: Sequence[np.ndarray], device: str) -> TextureAtlas:
    """Pack pictures, (H, W, 4) uint8 RGBA each, and their mipmaps into an atlas."""
    texels, table, start = [], [], 0
    for picture in pictures:
        level = picture
        for k in range(LEVELS):
            if k:
                level = _halved(level)
            height, width = level.shape[:2]
            table.append((start, height, width))
            texels.append(level.reshape(-1, 4))
            start += height * width
    flat = torch.from_numpy(np.concatenate(texels)).to(device)
    return TextureAtlas(flat, torch.tensor(table, dtype=torch.int32, device=device), tuple(len(p) for p in pictures))


def _halved(picture: np.ndarray) -> np.ndarray:
    """Halve a picture; colours are weighted by alpha, so that transparent pixels contribute none."""
    height, width = (max(side // 2, 1) for side in picture.shape[:2])
    alpha = picture[..., 3:].astype(np.float32) + 1e-3
    mean = [
        cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) for part in (picture[..., :3] * alpha, alpha)
    ]
    colour = mean[0] / mean[1][..., None]
    return np.concatenate([colour, mean[1][..., None]], -1).round().clip(0, 255).astype(np.uint8)


@wp.func
def sample_texture(texels: Bytes2, table: Ints2, row: int, u: float, v: float) -> wp.vec4:
    """Sample RGBA in [0, 1] bilinearly at (u, v) of a row's picture; v points up, edges are clamped."""
    start = table[row, 0]
    height = table[row, 1]
    width = table[row, 2]
    x = wp.clamp(u * float(width) - 0.5, 0.0, float(width - 1))
    y = wp.clamp((1.0 - v) * float(height) - 0.5, 0.0, float(height - 1))
    x0 = int(x)
    y0 = int(y)
    right = wp.where(x0 + 1 < width, 1, 0)
    below = wp.where(y0 + 1 < height, width, 0)
    fx = x - float(x0)
    fy = y - float(y0)
    k = start + y0 * width + x0
    c = wp.vec4(0.0, 0.0, 0.0, 0.0)
    for i in range(4):
        top = float(texels[k, i]) * (1.0 - fx) + float(texels[k + right, i]) * fx
        bottom = float(texels[k + below, i]) * (1.0 - fx) + float(texels[k + below + right, i]) * fx
        c[i] = top * (1.0 - fy) + bottom * fy
    return c / 255.0


@wp.func
def uv_row(t: int, num_closed: int, num_body: int) -> int:
    """Find the row of UvMapping.corner_uv for triangle t of the mesh."""
    if t < num_closed:
        return t % num_body
    return num_body + t - num_closed
