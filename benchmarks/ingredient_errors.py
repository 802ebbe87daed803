"""What a model gets wrong on rendered people, ingredient by ingredient, from the front and from behind.

    python benchmarks/ingredient_errors.py [--model NAME_OR_FILE] [--pictures N] [--worst FOLDER]

Each row renders N photos of one person with the ingredients of version 1 and one newer one; "all" has every one.
agreement: pixels with the right chart / pixels with a person in truth or prediction; front/back, left/right: pixels
labelled with the chart of the other side, where truth and prediction both see a person; missed: truth's person pixels
that are background in the prediction; empty: of N more pictures without people, those in which nobody is found. The
last two rows are all of these people, parted by which side of the torso is seen more. --worst keeps the pictures with
the most front/back errors, prediction and truth beside them.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose import Predictor
from opendensepose.instance import merge_instances
from opendensepose.surface import CHART_COLOURS
from opendensepose.synth import Ingredients, render_images

SIZE_HW = (320, 240)
BACK, FRONT = (1, 7, 8, 11, 12, 17, 18, 21, 22), (2, 9, 10, 13, 14, 15, 16, 19, 20)
FRONT_OF_BACK = dict(zip(BACK, (2, 9, 10, 13, 14, 15, 16, 19, 20), strict=True))


def other_side_tables() -> tuple[np.ndarray, np.ndarray]:
    """(25,) chart on the body's other face, and (25,) its mirror image; 0 where there is none."""
    turned, mirrored = np.zeros(25, np.uint8), np.zeros(25, np.uint8)
    for back, front in FRONT_OF_BACK.items():
        turned[back], turned[front] = front, back
    for first in range(3, 24, 2):
        mirrored[first], mirrored[first + 1] = first + 1, first
    return turned, mirrored


TURNED, MIRRORED = other_side_tables()
KEYS = ("either", "right", "both", "front/back", "left/right", "person", "missed")


def counts(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Numbers of pixels of one picture; truth, predicted: (H, W) charts."""
    person, found = truth > 0, predicted > 0
    both = person & found
    return {
        "either": float((person | found).sum()),
        "right": float((both & (truth == predicted)).sum()),
        "both": float(both.sum()),
        "front/back": float((both & (predicted == TURNED[truth])).sum()),
        "left/right": float((both & (predicted == MIRRORED[truth])).sum()),
        "person": float(person.sum()),
        "missed": float((person & ~found).sum()),
    }


def row(name: str, pictures: list[dict[str, float]], empty: str = "") -> str:
    """A line of the table from counts()."""
    total = {key: max(1.0, sum(one[key] for one in pictures)) for key in KEYS}
    return (
        f"{name:20s} {total['right'] / total['either']:9.3f} {total['front/back'] / total['both']:10.3f} "
        f"{total['left/right'] / total['both']:10.3f} {total['missed'] / total['person']:7.3f} {empty:>6s}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--worst", type=Path, default=None)
    args = parser.parse_args()
    predictor, old = Predictor(args.model), Ingredients.version_1()
    switched = {name: replace(old, **{name: True}) for name in Ingredients.SINCE_VERSION_1}
    by_view: dict[str, list] = {"from the front": [], "from behind": []}
    worst = []
    print(f"{'':20s} agreement front/back left/right  missed  empty")
    for name, enabled in {"version 1": old, **switched, "all": Ingredients()}.items():
        measured, rngs = [], np.random.default_rng(7).spawn(2 * args.pictures)
        for picture in render_images(rngs[: args.pictures], SIZE_HW, num_people=1, ingredients=enabled):
            predicted = merge_instances(predictor(picture.image_rgb), SIZE_HW)[0].i
            one = counts(picture.i, predicted)
            measured.append(one)
            behind = np.isin(picture.i, BACK).sum() > np.isin(picture.i, FRONT).sum()
            by_view["from behind" if behind else "from the front"].append(one)
            panes = [picture.image_rgb, CHART_COLOURS[predicted], CHART_COLOURS[picture.i]]
            worst.append((one["front/back"] / max(one["both"], 300), np.concatenate(panes, 1)))
        free = render_images(rngs[args.pictures :], SIZE_HW, num_people=0, ingredients=enabled)
        empty = sum(not predictor(picture.image_rgb) for picture in free)
        print(row(name, measured, f"{empty / len(free):.2f}"), flush=True)
    for name, measured in by_view.items():
        print(row(name, measured))
    if args.worst:
        args.worst.mkdir(parents=True, exist_ok=True)
        for k, (_, panes) in enumerate(sorted(worst, key=lambda one: -one[0])[:24]):
            Image.fromarray(panes).save(args.worst / f"{k:02d}.jpg", quality=85)


if __name__ == "__main__":
    main()
