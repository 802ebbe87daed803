"""Makes the pictures of the annotation tool's instructions: the body behind the clothes is what is drawn.

    python scripts/make_instruction_pictures.py

Writes `coat.png`, `coat_parts.png`, `skirt.png` and `skirt_parts.png`, rendered people without and with their part
masks, into `src/opendensepose/annotate/page/instructions/`: together less than 300 KB.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import opendensepose.annotate
from opendensepose.annotate.surface.part_colours import TOOL_COLOURS
from opendensepose.surface import CHART_TO_PART
from opendensepose.synth import Ingredients, render_image
from opendensepose.visualize import outline_coverage

OUT = Path(opendensepose.annotate.__file__).parent / "page" / "instructions"
SIZE_HW = (600, 450)
PEOPLE = {"coat": [11, 29], "skirt": [11, 21]}  # seeds of people in loose clothes
MARGIN_PX, HEIGHT_PX, COLOURS = 25, 420, 96


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    off = ("other_people", "occluders", "truncation", "bags", "hats", "sensor")
    plain = replace(Ingredients.version_1(), **{name: False for name in off})  # PEOPLE's seeds were chosen with it
    for name, seed in PEOPLE.items():
        image = render_image(np.random.default_rng(seed), SIZE_HW, framing="portrait", num_people=1, ingredients=plain)
        part = CHART_TO_PART[image.i]
        rows, columns = np.nonzero(part)
        top, left = max(rows.min() - MARGIN_PX, 0), max(columns.min() - 2 * MARGIN_PX, 0)
        window = np.s_[top : rows.max() + MARGIN_PX, left : columns.max() + 2 * MARGIN_PX]
        photo = image.image_rgb[window]
        _save(OUT / f"{name}.png", photo)
        _save(OUT / f"{name}_parts.png", _with_parts(photo, part[window]))


def _with_parts(photo: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The photo with the part masks over it in the tool's colours and a white line around each."""
    canvas = photo.astype(np.float32)
    inside = (part > 0)[..., None]
    canvas += np.where(inside, 0.55, 0) * (TOOL_COLOURS[part].astype(np.float32) - canvas)
    lines = np.zeros(part.shape, np.float32)
    for number in np.unique(part[part > 0]):
        np.maximum(lines, outline_coverage(part == number, width_px=1.8), out=lines)
    canvas += 0.95 * lines[..., None] * (255 - canvas)
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def _save(path: Path, picture: np.ndarray) -> None:
    scale = HEIGHT_PX / picture.shape[0]
    small = cv2.resize(
        picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    Image.fromarray(small).quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
