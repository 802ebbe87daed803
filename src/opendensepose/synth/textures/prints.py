"""Chest prints of shirts, as pictures with an alpha channel."""

import cv2
import numpy as np
import torch

from opendensepose.synth.kinds import Kind, draw_kind
from opendensepose.synth.person_free_photos import load_person_free_photo, photos_in_use
from opendensepose.synth.textures.noise import fbm_2d
from opendensepose.synth.textures.patterns import fabric_colour

__all__ = ["PRINTS", "make_print"]

SIZE = 128
LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghiklmnoprstuvw&!"))
FONTS = (0, 1, 2, 3, 4, 5, 6, 7)  # the Hershey fonts of OpenCV


def colour_of(rng: np.random.Generator) -> tuple[int, ...]:
    """A colour as OpenCV wants it: opaque RGBA, 0 to 255."""
    return (*(int(255 * x) for x in fabric_colour(rng)), 255)


def glyph_rows(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """One to five rows of big or small letters."""
    num_rows, colour = int(rng.integers(1, 6)), colour_of(rng)
    height = rng.uniform(0.4, 0.9) * SIZE / num_rows
    for row in range(num_rows):
        word = "".join(rng.choice(LETTERS, int(rng.integers(2, 5 + 2 * num_rows))))
        font, thickness = int(rng.choice(FONTS)), int(rng.integers(1, 5))
        (width, text_height), _ = cv2.getTextSize(word, font, 1.0, thickness)
        scale = min(height / text_height, 0.95 * SIZE / width)
        origin = (int((SIZE - width * scale) / 2), int((row + 0.8) * SIZE / num_rows))
        cv2.putText(canvas, word, origin, font, scale, colour, thickness, cv2.LINE_AA)


def number(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """A sports number."""
    text, scale = str(int(rng.integers(1, 100))), rng.uniform(2.5, 4)
    (width, height), _ = cv2.getTextSize(text, 1, 2 * scale, 8)
    origin = (int((SIZE - width) / 2), int((SIZE + height) / 2))
    cv2.putText(canvas, text, origin, 1, 2 * scale, colour_of(rng), int(rng.integers(6, 14)), cv2.LINE_AA)


def logo(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Concentric and crossing simple shapes, small or large."""
    radius = rng.uniform(0.1, 0.45) * SIZE
    centre = np.array([SIZE / 2, SIZE / 2])
    for shrink in np.linspace(1, 0.3, int(rng.integers(1, 5))):
        corners = int(rng.choice([3, 4, 5, 6, 40]))
        angles = np.arange(corners) * 2 * np.pi / corners + rng.uniform(0, 6)
        radii = radius * shrink * np.where((np.arange(corners) % 2 == 0), 1.0, rng.uniform(0.4, 1.0))
        outline = centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
        cv2.fillPoly(canvas, [outline.astype(np.int32)], colour_of(rng), cv2.LINE_AA)


def geometry(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """Scattered lines, discs and bars."""
    for _ in range(int(rng.integers(2, 14))):
        a, b = (tuple(int(x) for x in rng.integers(8, SIZE - 8, 2)) for _ in range(2))
        shape = rng.integers(3)
        if shape == 0:
            cv2.line(canvas, a, b, colour_of(rng), int(rng.integers(2, 14)), cv2.LINE_AA)
        elif shape == 1:
            cv2.circle(canvas, a, int(rng.integers(4, 40)), colour_of(rng), -1, cv2.LINE_AA)
        else:
            cv2.rectangle(canvas, a, b, colour_of(rng), -1, cv2.LINE_AA)


def photo(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """A crop of a photograph in a rectangle or a soft oval."""
    source = load_person_free_photo(str(rng.choice(photos_in_use())))
    side = int(rng.integers(64, min(source.shape[:2]) + 1))
    y, x = (int(rng.integers(0, s - side + 1)) for s in source.shape[:2])
    crop = cv2.resize(source[y : y + side, x : x + side], (SIZE, SIZE), interpolation=cv2.INTER_AREA) / 255
    canvas[..., :3] = 255 * crop ** rng.uniform(0.7, 1.4)
    half = rng.uniform(0.3, 0.48, 2) * SIZE
    mask = np.zeros((SIZE, SIZE), np.uint8)
    if rng.random() < 0.6:
        low, high = SIZE / 2 - half, SIZE / 2 + half
        mask[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])] = 255
    else:
        cv2.ellipse(mask, ((SIZE / 2, SIZE / 2), tuple(2 * half), 0), 255, -1, cv2.LINE_AA)
    canvas[..., 3] = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 3))


def portrait(rng: np.random.Generator, canvas: np.ndarray) -> None:
    """A high-contrast portrait-like blob: an oval with dark hair, eyes, mouth and shadows of noise."""
    light, dark = colour_of(rng), colour_of(rng)
    width, height = rng.uniform(40, 70), rng.uniform(60, 95)
    cv2.ellipse(canvas, ((64, 62), (width * 1.35, height * 1.25), 0), dark, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, ((64, 70), (width, height), 0), light, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.ellipse(canvas, ((64 + side * width * 0.23, 62), (width * 0.2, 7), 0), dark, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, ((64, 68 + height * 0.28), (width * 0.35, 7), 0), dark, -1, cv2.LINE_AA)
    shade = fbm_2d(rng, (SIZE, SIZE), 3, cells=4).numpy()
    dark_side = (shade > rng.uniform(0.5, 0.7)) & (canvas[..., 3] > 128)
    canvas[dark_side] = dark


PRINTS = {
    "glyph_rows": Kind(35, glyph_rows),
    "number": Kind(10, number),
    "logo": Kind(20, logo),
    "geometry": Kind(12, geometry),
    "photo": Kind(15, photo),
    "portrait": Kind(8, portrait),
}


def make_print(rng: np.random.Generator, device: str = "cpu", kind: str | None = None) -> torch.Tensor:
    """Make a chest print: (128, 128, 4) float32 RGBA in [0, 1]. kind: a key of PRINTS, None draws one by its weight."""
    kind = draw_kind(rng, PRINTS, kind, "print kind")
    canvas = np.zeros((SIZE, SIZE, 4), np.uint8)
    PRINTS[kind].make(rng, canvas)
    worn = canvas.astype(np.float32) / 255
    worn[..., 3] *= np.float32(rng.uniform(0.8, 1.0))  # the fabric shows through
    return torch.from_numpy(worn).to(device)
