"""Things in front of people: furniture, poles, plants, held things, sports gear, fences; never a person.

A shape function draws an 8-bit mask (H, W) around the person's box; `make_occluder` gives it a surface, light and a
soft edge, and keeps the share of the box that it hides within COVERAGE.
"""

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike

from opendensepose.synth.backgrounds.materials import material, noise_field, three
from opendensepose.synth.backgrounds.outdoor import GREENS
from opendensepose.synth.kinds import Kind, draw_kind
from opendensepose.synth.textures.fabrics import make_texture

__all__ = ["COVERAGE", "OCCLUDER_KINDS", "make_occluder"]

COVERAGE = (0.05, 0.50)  # share of the person's box (its part inside the picture) that is hidden
NUM_TRIES = 5


def polygon(mask: np.ndarray, corners: ArrayLike) -> None:
    """Fill a polygon (K, 2) xy."""
    cv2.fillPoly(mask, [np.round(np.asarray(corners) * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)


def line(mask: np.ndarray, start: Iterable[float], end: Iterable[float], width: float) -> None:
    """A round-ended bar."""
    a, b = (tuple(int(v * 16) for v in p) for p in (start, end))
    cv2.line(mask, a, b, 255, max(1, int(width)), cv2.LINE_AA, shift=4)


def ellipse(mask: np.ndarray, centre: Iterable[float], axes: Iterable[float], angle: float = 0.0) -> None:
    """A filled ellipse; axes are full lengths."""
    axes = tuple(max(1.0, float(a)) for a in axes)
    cv2.ellipse(mask, (tuple(float(c) for c in centre), axes, float(angle)), 255, -1, cv2.LINE_AA)


def counter(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray) -> None:
    """The edge of a table, desk, counter or wall across the lower part."""
    x0, y0, x1, y1 = box
    top = y1 - (y1 - y0) * rng.uniform(0.1, 0.45)
    tilt, width = rng.normal(0, 0.04) * (x1 - x0), x1 - x0
    left = -5 if rng.random() < 0.7 else x0 - rng.uniform(-0.2, 0.5) * width
    right = mask.shape[1] + 5 if rng.random() < 0.7 else x1 + rng.uniform(-0.2, 0.5) * width
    bottom = mask.shape[0] + 5 if rng.random() < 0.7 else top + rng.uniform(0.1, 0.4) * (y1 - y0)
    polygon(mask, [(left, top + tilt), (right, top - tilt), (right, bottom), (left, bottom)])
    for _ in range(int(rng.integers(0, 4))):  # things standing on it
        x, w = rng.uniform(x0, x1), rng.uniform(0.05, 0.3) * width
        h = w * rng.uniform(0.3, 1.5)
        polygon(mask, [(x - w / 2, top - h), (x + w / 2, top - h), (x + w / 2, top + 3), (x - w / 2, top + 3)])


def chair_back(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray) -> None:
    """Posts and rails, or a closed rounded back."""
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    cx, half = rng.uniform(x0, x1), rng.uniform(0.2, 0.5) * width
    top, bar = y1 - rng.uniform(0.2, 0.55) * height, max(1.5, rng.uniform(0.02, 0.08) * width)
    bottom = y1 + 0.1 * height
    if rng.random() < 0.4:
        rail = rng.uniform(0.5, 1.0) * (bottom - top)
        polygon(mask, [(cx - half, top), (cx + half, top), (cx + half, top + rail), (cx - half, top + rail)])
    else:
        for x in np.linspace(cx - half, cx + half, int(rng.integers(2, 7))):
            line(mask, (x, top), (x, bottom), bar)
        for y in np.linspace(top, bottom, int(rng.integers(2, 5))):
            line(mask, (cx - half, y), (cx + half, y), bar)


def pole(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray) -> None:
    """A post, tree or door frame from top to bottom."""
    x0, _, x1, _ = box
    height, width = mask.shape[0], (x1 - x0) * rng.uniform(0.07, 0.5)
    x, lean = rng.uniform(x0, x1), rng.normal(0, 0.04) * height
    grow = rng.uniform(0.7, 1.3)
    right = (x + width * grow - lean, height + 5)
    polygon(mask, [(x + lean, -5), (x + width + lean, -5), right, (x - lean, height + 5)])


def foliage(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray) -> None:
    """Leaves and grass growing into the picture, mostly from below or from a side."""
    x0, y0, x1, y1 = box
    size = max(x1 - x0, y1 - y0)
    centre = [(x0, y1), (x1, y1), ((x0 + x1) / 2, y1), (x0, y0), (x1, y0)][rng.integers(5)]
    count, spread, leaf = int(rng.integers(30, 120)), rng.uniform(0.12, 0.3) * size, rng.uniform(0.03, 0.12) * size
    points = rng.normal(0, 1, (count, 2)) * spread + centre
    for point, scale, angle in zip(points, rng.uniform(0.4, 1.2, count), rng.uniform(0, 180, count), strict=True):
        ellipse(mask, point, (leaf * scale, leaf * scale * 0.4), angle)


def held_thing(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray) -> None:
    """A bag, box, laptop, phone, book, ball or plate before the body."""
    x0, y0, x1, y1 = box
    size = np.sqrt((x1 - x0) * (y1 - y0)) * rng.uniform(0.2, 0.8)
    centre = np.array([rng.uniform(x0, x1), y0 + (y1 - y0) * rng.uniform(0.25, 0.9)])
    angle, aspect = rng.normal(0, 25), rng.uniform(0.4, 1.0)
    if rng.random() < 0.35:
        ellipse(mask, centre, (size, size * (1.0 if rng.random() < 0.6 else aspect)), angle)
        return
    corners = cv2.boxPoints((tuple(centre.tolist()), (float(size), float(size * aspect)), float(angle)))
    corners = corners + rng.normal(0, 0.04 * size, (4, 2))
    polygon(mask, corners)
    if rng.random() < 0.4:  # a strap or handle
        cv2.polylines(
            mask, [np.array([corners[1], centre - (0, size), corners[2]], np.int32)], False, 255, 2, cv2.LINE_AA
        )


def sports_gear(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray) -> None:
    """A racket, ski, board, bat or bicycle wheel."""
    x0, y0, x1, y1 = box
    size = max(x1 - x0, y1 - y0)
    centre = np.array([rng.uniform(x0, x1), rng.uniform(y0 + 0.3 * (y1 - y0), y1)])
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)])
    kind = rng.integers(4)
    if kind == 0:  # racket: rim, strings, handle
        radius = 0.16 * size
        for offset in np.linspace(-0.8, 0.8, 7) * radius:
            reach = np.sqrt(radius**2 - offset**2)
            line(mask, centre + (offset, -reach), centre + (offset, reach), 1)
            line(mask, centre + (-reach, offset), centre + (reach, offset), 1)
        cv2.circle(mask, tuple(centre.astype(int).tolist()), max(2, int(radius)), 255, max(2, int(size * 0.02)))
        line(mask, centre + direction * radius, centre + direction * radius * 2.6, size * 0.03)
    elif kind == 1:  # skis, bats, sticks
        for _ in range(int(rng.integers(1, 3))):
            shift = rng.normal(0, 0.08, 2) * size
            ends = centre + shift + direction * size * 0.5, centre + shift - direction * size * 0.5
            line(mask, *ends, size * rng.uniform(0.02, 0.06))
    elif kind == 2:  # board
        ellipse(mask, centre, (size * rng.uniform(0.6, 1.0), size * rng.uniform(0.12, 0.22)), np.degrees(angle))
    else:  # wheel
        radius = max(3, int(0.25 * size))
        cv2.circle(mask, tuple(centre.astype(int).tolist()), radius, 255, max(2, int(size * 0.03)), cv2.LINE_AA)
        for spoke in np.linspace(0, np.pi, 5)[:-1]:
            arm = radius * np.array([np.cos(spoke), np.sin(spoke)])
            line(mask, centre - arm, centre + arm, 1)


def fence(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray) -> None:
    """Bars or a grid across the box, or the railing of a balcony."""
    x0, y0, x1, y1 = box
    pitch = (x1 - x0) * rng.uniform(0.12, 0.4)
    bar = max(1.5, pitch * rng.uniform(0.1, 0.35))
    top = y0 + (y1 - y0) * rng.uniform(-0.1, 0.7)
    lean = rng.normal(0, 0.1) * pitch
    for x in np.arange(-pitch * rng.random(), mask.shape[1] + pitch, pitch):
        line(mask, (x + lean, top), (x - lean, mask.shape[0]), bar)
    line(mask, (-5, top), (mask.shape[1] + 5, top), bar * rng.uniform(1, 2.5))
    if rng.random() < 0.4:
        for y in np.arange(top, mask.shape[0], pitch):
            line(mask, (-5, y), (mask.shape[1] + 5, y), bar)


def blob(rng: np.random.Generator, mask: np.ndarray, box: np.ndarray) -> None:
    """A piece of anything: a smooth closed outline, often cut by the frame."""
    x0, y0, x1, y1 = box
    size = np.sqrt((x1 - x0) * (y1 - y0)) * rng.uniform(0.2, 0.5)
    centre = np.array([rng.uniform(x0, x1), rng.uniform(y0, y1)])
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radii = np.ones(40)
    for wave in range(1, 6):
        radii += rng.normal(0, 0.35 / wave) * np.cos(wave * angles + rng.uniform(0, 6))
    outline = centre + (size * np.clip(radii, 0.2, 2))[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    polygon(mask, outline)


OCCLUDER_KINDS = {  # their functions take rng, mask and box
    "counter": Kind(24, counter),
    "chair_back": Kind(12, chair_back),
    "pole": Kind(10, pole),
    "foliage": Kind(10, foliage),
    "held_thing": Kind(20, held_thing),
    "sports_gear": Kind(10, sports_gear),
    "fence": Kind(6, fence),
    "blob": Kind(8, blob),
}


def visible_box(box_xyxy: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """(4,) the part of the box inside the picture, at least 2 pixels wide and high."""
    height, width = size_hw
    x0, y0, x1, y1 = (float(v) for v in box_xyxy)
    x0, x1 = np.clip([x0, x1], 0, width)
    y0, y1 = np.clip([y0, y1], 0, height)
    if x1 - x0 < 2 or y1 - y0 < 2:
        raise ValueError(
            f"box_xyxy must cover at least 2 x 2 pixels of a picture of {size_hw} (H, W), got {list(box_xyxy)}"
        )
    return np.array([x0, y0, x1, y1])


def coverage(mask: np.ndarray, box: np.ndarray) -> float:
    """Share of the box's pixels that an 8-bit mask hides."""
    x0, y0, x1, y1 = int(np.floor(box[0])), int(np.floor(box[1])), int(np.ceil(box[2])), int(np.ceil(box[3]))
    return cv2.mean(mask[y0:y1, x0:x1])[0] / 255


def exact_mask(size_hw: tuple[int, int], box: np.ndarray) -> np.ndarray:
    """The fall-back that always fits: the lower third of the box."""
    mask = np.zeros(size_hw, np.uint8)
    bottom, rows = int(np.ceil(box[3])), int(np.ceil(box[3]) - np.floor(box[1]))
    mask[bottom - max(1, round(0.3 * rows)) :] = 255
    return mask


def draw_mask(
    rng: np.random.Generator, size_hw: tuple[int, int], box: np.ndarray, kind: str | None
) -> tuple[np.ndarray, str]:
    """(H, W) 8-bit soft mask whose coverage of the box lies within COVERAGE, and the kind it became."""
    for _ in range(NUM_TRIES):
        name = draw_kind(rng, OCCLUDER_KINDS, kind, "occluder kind")
        mask = np.zeros(size_hw, np.uint8)
        OCCLUDER_KINDS[name].make(rng, mask, box)
        sigma = rng.uniform(0.3, 0.9) if rng.random() < 0.8 else rng.uniform(1, 4)
        mask = cv2.GaussianBlur(mask, (0, 0), sigma)
        if COVERAGE[0] <= coverage(mask, box) <= COVERAGE[1]:
            return mask, name
    return exact_mask(size_hw, box), "counter"


def surface_of(rng: np.random.Generator, size_hw: tuple[int, int], pool_seed: int, kind: str | None) -> np.ndarray:
    """(H, W, 3) float32 the occluder's texture, unlit."""
    if kind == "foliage" and rng.random() < 0.8:
        return material(rng, size_hw, GREENS[rng.integers(len(GREENS))] * rng.uniform(0.6, 1.4), busy=0.8)
    if kind not in ("fence", "sports_gear") and rng.random() < 0.25:
        fabric = make_texture(rng, pool_seed).numpy()
        return cv2.resize(fabric, (size_hw[1], size_hw[0]))
    return material(rng, size_hw)


def make_occluder(
    rng: np.random.Generator,
    size_hw: tuple[int, int],
    box_xyxy: np.ndarray,
    pool_seed: int = 0,
    device: str = "cpu",
    kind: str | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Make a thing in front of the person in `box_xyxy`: rgb (H, W, 3) and alpha (H, W), float32 in [0, 1].

    Composite as `image * (1 - alpha) + rgb * alpha`; rgb is 0 away from the thing. It hides 5 to 50 % of the part of
    the box that lies inside the picture. kind: a key of OCCLUDER_KINDS, None draws one by its weight. ValueError if the
    box leaves less than 2 x 2 pixels inside the picture.
    """
    size_hw = int(size_hw[0]), int(size_hw[1])
    mask, kind = draw_mask(rng, size_hw, visible_box(box_xyxy, size_hw), kind)
    left, top, width, height = cv2.boundingRect(mask)
    inside = slice(top, top + height), slice(left, left + width)
    slope, bright = rng.normal(0, 0.25, 2), rng.uniform(0.55, 1.15)
    y = np.linspace(-slope[0], slope[0], height, dtype=np.float32)[:, None]
    x = np.linspace(1 - slope[1], 1 + slope[1], width, dtype=np.float32)[None, :]
    depth = cv2.blur(mask[inside], (9, 9)) * np.float32(0.35 / 255) + np.float32(0.65)  # darker along its edges
    light = (x + y) * depth * np.float32(bright)
    if rng.random() < 0.3:
        light *= noise_field(rng, (height, width), 2, 2) * np.float32(0.6) + np.float32(0.7)
    rgb = np.zeros((*size_hw, 3), np.float32)
    rgb[inside] = surface_of(rng, (height, width), pool_seed, kind) * three(light)
    alpha = torch.from_numpy(mask).to(device).float() / 255
    return torch.from_numpy(rgb).to(device).clamp_(0, 1), alpha
