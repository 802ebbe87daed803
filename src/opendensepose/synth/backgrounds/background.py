"""Drawn backgrounds without people, as busy as photos are.

`make_background` draws from a pool of large canvases: the canvas in a slot depends on (pool_seed, slot) alone, so a
picture never depends on what was made before it. Callers increase `pool_seed` for new scenes (sample_index // 500).
"""

from functools import lru_cache

import cv2
import numpy as np
import torch

from opendensepose.synth.backgrounds import indoor, outdoor
from opendensepose.synth.backgrounds.materials import between, noise_field
from opendensepose.synth.backgrounds.objects import objects
from opendensepose.synth.drawing.resize import resize
from opendensepose.synth.kinds import Kind, draw_kind, slots_by_kind
from opendensepose.synth.person_free_photos import photos_in_use

__all__ = ["BACKGROUND_KINDS", "make_background"]

BACKGROUND_KINDS = {  # their functions take rng and size_hw
    "studio": Kind(34, indoor.studio),
    "room": Kind(16, indoor.room),
    "street": Kind(12, indoor.street),
    "nature": Kind(12, outdoor.nature),
    "leaves": Kind(6, outdoor.leaves),
    "photo": Kind(8, outdoor.photo),
    "objects": Kind(9, objects),
    "gradient_noise": Kind(3, outdoor.gradient_noise),
}
NUM_SLOTS = 32
KIND_SLOTS = slots_by_kind(BACKGROUND_KINDS, NUM_SLOTS)
SMALL_CANVAS_HW, LARGE_CANVAS_HW = (400, 528), (768, 1024)


def patchy_light(rng: np.random.Generator, size_hw: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) float32 factors: sunlit and shaded areas, or the dappled shade of trees."""
    field = noise_field(rng, size_hw, int(rng.integers(1, 4)), rng.uniform(1, 8), stretch_yx=rng.uniform(0.3, 1.5, 2))
    mask = np.clip((field - rng.uniform(0.3, 0.7)) * rng.uniform(4, 40) + 0.5, 0, 1)
    shade = rng.uniform(0.35, 0.8)
    return between(mask, shade * rng.normal(1, 0.04, 3), rng.uniform(0.95, 1.25) * rng.normal(1, 0.04, 3))


@lru_cache(maxsize=NUM_SLOTS + 8)
def pool_canvas(pool_seed: int, slot: int, large: bool, device: str, photos: tuple[str, ...]) -> torch.Tensor:
    """(h, w, 3) uint8 canvas in `slot` of the pool, blurred as by a camera's depth of field.

    photos: those in use, what its pictures of photos are cut from.
    """
    rng = np.random.default_rng((5, pool_seed, slot))
    kind = next(kind for kind, slots in KIND_SLOTS.items() if slot in slots)
    size_hw = LARGE_CANVAS_HW if large else SMALL_CANVAS_HW
    canvas = BACKGROUND_KINDS[kind].make(rng, size_hw)
    if kind != "studio" and rng.random() < 0.3:
        canvas = canvas * patchy_light(rng, size_hw)
    canvas = cv2.convertScaleAbs(np.maximum(canvas, 0), alpha=255)
    if kind not in ("studio", "photo") and rng.random() < 0.4:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.001, 0.006) * size_hw[0])
    return torch.from_numpy(canvas).to(device)


def make_background(
    rng: np.random.Generator, size_hw: tuple[int, int], pool_seed: int = 0, device: str = "cpu", kind: str | None = None
) -> torch.Tensor:
    """Make a background without people: (H, W, 3) float32 sRGB in [0, 1].

    kind: a key of BACKGROUND_KINDS, None draws one by its weight. pool_seed: which pool of canvases it is cut from.
    """
    height, width = (int(s) for s in size_hw)
    slots = range(NUM_SLOTS) if kind is None else KIND_SLOTS[draw_kind(rng, BACKGROUND_KINDS, kind, "background kind")]
    slot = slots[int(rng.integers(len(slots)))]
    canvas = pool_canvas(int(pool_seed), slot, max(height, width) > 400, str(device), photos_in_use())
    scale = min(canvas.shape[0] / height, canvas.shape[1] / width) * rng.uniform(0.45, 1.0)
    cut_h, cut_w = max(2, int(height * scale)), max(2, int(width * scale))
    y, x = int(rng.integers(0, canvas.shape[0] - cut_h + 1)), int(rng.integers(0, canvas.shape[1] - cut_w + 1))
    crop = canvas[y : y + cut_h, x : x + cut_w]
    if rng.random() < 0.15:  # far out of focus
        factor = rng.uniform(2, 9) * max(1.0, scale)
        crop = resize(crop, [max(3, int(s / factor)) for s in (cut_h, cut_w)], "area")
        crop = resize(crop, (height, width), "bicubic")
    else:
        crop = resize(crop, (height, width), "area" if scale > 1.2 else "bilinear")
    if rng.random() < 0.5:
        crop = crop.flip(1)
    gain = np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.05, 3)) / 255
    gain = torch.from_numpy(gain.astype(np.float32)).to(device)
    return (crop * gain).clamp_(0, 1)
