#!/usr/bin/env python3
"""How long `predict` takes: prints a table of median times in milliseconds on this machine.

    python benchmarks/predict_speed.py [--model NAME_OR_FILE] [--device cpu] [--backend NAME] [--rounds 20]
        [--people 1]

The photo is 640 x 480 and, so that found people do not matter, the boxes to be labelled are given; finding is timed
apart. `cold_start.py` times the command in a new process.
"""

import argparse
import statistics
import time

import numpy as np


def example_photo() -> np.ndarray:
    """The astronaut of scikit-image, shown in 640 x 480."""
    import cv2
    import skimage.data

    photo = np.full((480, 640, 3), 127, np.uint8)
    photo[:, 80:560] = cv2.resize(skimage.data.astronaut(), (480, 480), interpolation=cv2.INTER_AREA)
    return photo


def median_ms(call, rounds: int) -> float:
    for _ in range(3):
        call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--device", default=None)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--backend", default=None)
    parser.add_argument("--people", type=int, default=1)
    args = parser.parse_args()

    from opendensepose.predict import Predictor

    photo = example_photo()
    boxes = np.tile(np.float32([[150, 0, 450, 480]]), (args.people, 1))
    nowhere = Predictor(args.model, args.device, min_score=1.0, backend=args.backend)
    print(f"{nowhere.backend}, {nowhere.device}")
    print(f"photo 640x480, {args.people} person(s)")
    print(f"{'what':48s}{'median ms':>10s}")
    find = median_ms(lambda: nowhere(photo), args.rounds)
    print(f"{'find people (detect)':48s}{find:10.1f}")
    for mirrored in (False, True):
        for refine in (False, True):
            predictor = Predictor(args.model, args.device, mirrored=mirrored, refine=refine, backend=args.backend)
            label = median_ms(lambda p=predictor: p(photo, boxes=boxes), args.rounds)
            name = f"find and label, mirrored={mirrored}, refine={refine}"
            print(f"{name:48s}{find + label:10.1f}")


if __name__ == "__main__":
    main()
