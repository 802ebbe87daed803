"""Makes docs/images/rendered.jpg: rendered people in fetched clothes and light, above their truth.

python scripts/make_render_picture.py [SEED]

Needs what `opendensepose ingredients` fetches. Pictures are as in training, but without occluders and the sensor's
noise, and drawn at twice the size, so that edges are smooth.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose import draw_overlay
from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.synth import Ingredients, RenderedImage, render_images
from opendensepose.synth.wardrobe import load_ingredients

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "rendered.jpg"
ENABLED = Ingredients(occluders=False, sensor=False)
DRAWN_HW, SHOWN_HW = (576, 432), (288, 216)
COLUMNS, SEED = 8, 31


def photos(seed: int) -> list[RenderedImage]:
    """Photos of one to three people."""
    rngs = np.random.default_rng(seed).spawn(COLUMNS)
    counts = np.random.default_rng(seed).choice([1, 1, 1, 2, 3], COLUMNS)
    return [
        render_images([rng], DRAWN_HW, framing="scene", num_people=int(count), ingredients=ENABLED)[0]
        for rng, count in zip(rngs, counts, strict=True)
    ]


def labelled(rendered: RenderedImage) -> np.ndarray:
    """The picture with its truth drawn over it."""
    people = []
    for k, box in enumerate(rendered.boxes_xyxy, start=1):
        mine = rendered.person == k
        if mine.any():
            i, u, v = (np.where(mine, part, part.dtype.type(0)) for part in (rendered.i, rendered.u, rendered.v))
            people.append(Instance(box, 1.0, IUV(i, u, v), mine.astype(np.float32)))
    return draw_overlay(rendered.image_rgb, people)


def row(pictures: list[np.ndarray]) -> np.ndarray:
    """The pictures side by side at the size that is shown."""
    size = SHOWN_HW[::-1]
    return np.concatenate([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BOX)) for one in pictures], 1)


def main() -> None:
    if load_ingredients() is None:
        raise SystemExit("run `opendensepose ingredients` first: the picture shows what it fetches")
    seed, rows = int(sys.argv[1]) if len(sys.argv) > 1 else SEED, []
    for k in range(2):
        shown = photos(seed + k)
        rows += [row([one.image_rgb for one in shown]), row([labelled(one) for one in shown])]
    Image.fromarray(np.concatenate(rows)).save(PICTURE, quality=80)
    print(PICTURE)


if __name__ == "__main__":
    main()
