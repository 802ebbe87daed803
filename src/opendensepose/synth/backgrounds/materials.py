"""Surfaces of things in backgrounds, cut from a fixed set of small tiles and recoloured; painting them on a canvas."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from opendensepose.synth.person_free_photos import load_person_free_photo, photos_in_use
from opendensepose.synth.textures.noise import fbm_2d
from opendensepose.synth.textures.patterns import FABRICS

__all__ = [
    "between",
    "colour",
    "fill_polygon",
    "material",
    "noise_field",
    "photo_crop",
    "shadow",
    "three",
    "tinted",
    "warp_quad",
]

NUM_TILES = 96
TILE = 256

HUES = np.array(  # walls, wood, stone, plants, sky, skin: common colours of the world around people
    [
        (0.92, 0.91, 0.89), (0.80, 0.78, 0.74), (0.62, 0.60, 0.57), (0.42, 0.41, 0.40), (0.22, 0.22, 0.23),
        (0.10, 0.10, 0.11), (0.86, 0.80, 0.68), (0.66, 0.50, 0.34), (0.45, 0.29, 0.17), (0.28, 0.18, 0.11),
        (0.62, 0.30, 0.22), (0.75, 0.16, 0.14), (0.88, 0.66, 0.53), (0.72, 0.50, 0.38), (0.38, 0.46, 0.24),
        (0.20, 0.32, 0.16), (0.55, 0.66, 0.78), (0.24, 0.38, 0.58), (0.12, 0.18, 0.32), (0.90, 0.76, 0.30),
    ],
    np.float32,
)  # fmt: skip


def colour(rng: np.random.Generator, lightness: float | None = None) -> np.ndarray:
    """Draw a common colour of people's surroundings: (3,) float32; `lightness` sets its mean."""
    hue = HUES[rng.integers(len(HUES))] if rng.random() < 0.92 else rng.random(3)
    hue = np.clip(hue * rng.uniform(0.75, 1.2) + rng.normal(0, 0.03, 3), 0.02, 1)
    mean = hue.mean()
    hue = hue + rng.uniform(0, 0.6) * (mean - hue)  # most things are greyer than their hue's name
    if lightness is not None:
        hue = hue * (lightness / mean) if lightness < mean else 1 - (1 - hue) * (1 - lightness) / (1 - mean)
    return hue.astype(np.float32)


def three(mask: np.ndarray) -> np.ndarray:
    """Repeat (H, W) to (H, W, 3): numpy is far faster on equal shapes than broadcasting over 3 channels."""
    mask = np.ascontiguousarray(mask, np.float32)
    return cv2.merge((mask, mask, mask))


def tinted(image: np.ndarray, gain: ArrayLike, offset: ArrayLike = (0.0, 0.0, 0.0)) -> np.ndarray:
    """Multiply an image (H, W, 3) float32 by a gain per channel and add an offset per channel."""
    matrix = np.zeros((3, 4), np.float32)
    matrix[:, :3] = np.diag(np.broadcast_to(gain, 3))
    matrix[:, 3] = offset
    return cv2.transform(image, matrix)


def between(mask: np.ndarray, first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Mix two colours by a mask (H, W): (H, W, 3), `first` where it is 0, `second` where it is 1."""
    low, high = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return tinted(three(mask), high - low, low)


def noise_field(
    rng: np.random.Generator, size_hw: tuple[int, int], octaves: int = 4, cells: float = 4, **options: Any
) -> np.ndarray:
    """Make fractal noise (H, W) float32 in [0, 1]; options of fbm_2d()."""
    return fbm_2d(rng, size_hw, octaves, cells=cells, **options).numpy()


def photo_crop(rng: np.random.Generator, size_hw: tuple[int, int], smallest: float = 0.3) -> np.ndarray:
    """Crop a random person-free photo, flipped and recoloured: (H, W, 3) float32."""
    photos = photos_in_use()
    photo = load_person_free_photo(photos[rng.integers(len(photos))])
    aspect = size_hw[1] / size_hw[0]
    height = min(photo.shape[0], photo.shape[1] / aspect) * rng.uniform(smallest, 1)
    height, width = max(8, int(height)), max(8, int(height * aspect))
    height, width = min(height, photo.shape[0]), min(width, photo.shape[1])
    y, x = rng.integers(0, photo.shape[0] - height + 1), rng.integers(0, photo.shape[1] - width + 1)
    crop = photo[y : y + height, x : x + width]
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    crop = cv2.resize(np.ascontiguousarray(crop), (int(size_hw[1]), int(size_hw[0]))).astype(np.float32) / 255
    if rng.random() < 0.3:
        crop = np.ascontiguousarray(crop[..., rng.permutation(3)])
    return tinted(crop, rng.uniform(0.6, 1.3) * rng.normal(1, 0.12, 3))


def wood(rng: np.random.Generator) -> np.ndarray:
    """Boards with grain."""
    grain = noise_field(rng, (TILE, TILE), 4, 6, stretch_yx=(0.25, 3.0), tile=True)
    boards = int(rng.integers(1, 7))
    board = (np.arange(TILE) * boards) // TILE
    tint = rng.uniform(0.8, 1.1, boards).astype(np.float32)[board]
    seam = 1 - 0.5 * ((np.arange(TILE) * boards) % TILE < 3 * boards)
    hue = HUES[6 + rng.integers(4)]
    return hue * ((0.65 + 0.6 * grain) * tint * seam)[..., None].astype(np.float32)


def masonry(rng: np.random.Generator) -> np.ndarray:
    """Bricks, tiles or slabs with joints."""
    rows, columns = int(rng.integers(2, 17)), int(rng.integers(1, 9))
    y, x = np.mgrid[0:TILE, 0:TILE].astype(np.float32) / TILE
    row = np.floor(y * rows)
    x = x * columns + (0.5 * (row % 2) if rng.random() < 0.6 else 0)
    tint = rng.uniform(0.7, 1.15, (rows, columns))[row.astype(int), np.floor(x).astype(int) % columns]
    joint = (np.minimum((y * rows) % 1 / rows, x % 1 / columns) < rng.uniform(0.004, 0.02)).astype(np.float32)
    face = colour(rng) * (tint * (0.8 + 0.3 * noise_field(rng, (TILE, TILE), 4, 8, tile=True)))[..., None]
    return face + joint[..., None] * (colour(rng) - face)


def mottled(rng: np.random.Generator) -> np.ndarray:
    """Plaster, concrete, soil, foliage: fractal noise between two colours."""
    noise = noise_field(rng, (TILE, TILE), 6, rng.uniform(2, 12), gain=rng.uniform(0.4, 0.9), tile=True)
    first = colour(rng)
    second = first * rng.uniform(0.4, 0.9) if rng.random() < 0.6 else colour(rng)
    return first + noise[..., None] * (second - first)


def fabric(rng: np.random.Generator) -> np.ndarray:
    """Curtains, sofas, cushions."""
    kinds = [kind for kind in FABRICS if kind not in ("sequins", "lace")]
    return FABRICS[kinds[rng.integers(len(kinds))]].make(rng)


TILE_KINDS = {"wood": wood, "masonry": masonry, "mottled": mottled, "fabric": fabric}


def tile(index: int) -> np.ndarray:
    """(256, 256, 3) uint8 material `index` of the fixed set; one in three is cut from a photo."""
    return _tile(index, photos_in_use())


@lru_cache(maxsize=2 * NUM_TILES)
def _tile(index: int, photos: tuple[str, ...]) -> np.ndarray:  # photos: what photo_crop chooses from
    rng = np.random.default_rng((11, index))
    if index % 3 == 0:
        surface = photo_crop(rng, (TILE, TILE), 0.4)
    else:
        surface = list(TILE_KINDS.values())[index % len(TILE_KINDS)](rng)
    return (np.clip(surface, 0, 1) * 255).astype(np.uint8)


def material(
    rng: np.random.Generator, size_hw: tuple[float, float], base: np.ndarray | None = None, busy: float | None = None
) -> np.ndarray:
    """Draw a surface (H, W, 3) float32; base: its colour, busy: how much texture it keeps, in [0, 1]."""
    height, width = max(1, int(size_hw[0])), max(1, int(size_hw[1]))
    source = tile(int(rng.integers(NUM_TILES)))
    if rng.random() < 0.5:
        source = source.transpose(1, 0, 2)
    cut = [int(np.clip(s * rng.uniform(0.4, 1.6), 16, TILE)) for s in (height, width)]
    y, x = rng.integers(0, TILE - cut[0] + 1), rng.integers(0, TILE - cut[1] + 1)
    patch = cv2.resize(np.ascontiguousarray(source[y : y + cut[0], x : x + cut[1]]), (width, height)).astype(np.float32)
    busy = rng.uniform(0, 1) ** 1.5 if busy is None else busy
    base = colour(rng) if base is None else base
    mean = np.array(cv2.mean(patch)[:3]) + 12
    return tinted(patch, base * busy / mean, base * (1 - busy))


def fill_polygon(canvas: np.ndarray, corners: ArrayLike, surface: np.ndarray, softness: float = 0.0) -> None:
    """Paint `surface` (a colour, or an (H, W, 3) array of the canvas's size) into a polygon (K, 2) xy."""
    corners = np.asarray(corners, np.float32)
    low = np.floor(corners.min(0)).astype(int) - 2
    high = np.ceil(corners.max(0)).astype(int) + 3
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, canvas.shape[1::-1])
    if x1 <= x0 or y1 <= y0:
        return
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    shifted = ((corners - (x0, y0)) * 16).round().astype(np.int32)
    cv2.fillPoly(mask, [shifted], 255, cv2.LINE_AA, shift=4)
    if softness > 0.3:
        mask = cv2.GaussianBlur(mask, (0, 0), softness)
    alpha = three(mask) * np.float32(1 / 255)
    patch = canvas[y0:y1, x0:x1]
    paint = surface[y0:y1, x0:x1] if np.ndim(surface) == 3 else np.asarray(surface, np.float32)
    patch += alpha * (paint - patch)


def shadow(canvas: np.ndarray, centre_xy: Iterable[float], axes_xy: Iterable[float], darkness: float) -> None:
    """Darken a soft ellipse, as in the shadow of a thing."""
    cx, cy = centre_xy
    ax, ay = (max(float(a), 1.0) for a in axes_xy)
    y0, y1 = (int(np.clip(cy + s * 2 * ay, 0, canvas.shape[0])) for s in (-1, 1))
    x0, x1 = (int(np.clip(cx + s * 2 * ax, 0, canvas.shape[1])) for s in (-1, 1))
    if x1 <= x0 or y1 <= y0:
        return
    y = ((np.arange(y0, y1, dtype=np.float32) - cy) / ay)[:, None]
    x = ((np.arange(x0, x1, dtype=np.float32) - cx) / ax)[None, :]
    canvas[y0:y1, x0:x1] *= three(1 - darkness * np.clip(1 - (x * x + y * y) / 4, 0, 1) ** 2)


def warp_quad(canvas: np.ndarray, surface: np.ndarray, corners: ArrayLike) -> None:
    """Paint the picture `surface` into the quadrangle `corners` (4, 2) xy, in perspective."""
    corners = np.asarray(corners, np.float32)
    height, width = surface.shape[:2]
    square = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    x0, y0 = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, canvas.shape[1::-1])
    if x1 <= x0 or y1 <= y0:
        return
    matrix = cv2.getPerspectiveTransform(square, corners - np.array([x0, y0], np.float32))
    size = (int(x1 - x0), int(y1 - y0))
    patch = cv2.warpPerspective(np.float32(surface), matrix, size, borderMode=cv2.BORDER_REFLECT)
    whole = canvas[y0:y1, x0:x1]
    mask = np.zeros(whole.shape[:2], np.uint8)
    cv2.fillPoly(mask, [((corners - (x0, y0)) * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    whole += three(mask) * np.float32(1 / 255) * (patch - whole)
