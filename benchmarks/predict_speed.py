#!/usr/bin/env python3
"""How long `predict` takes in a process that is running: prints a table of milliseconds on this machine.

    python benchmarks/predict_speed.py [PHOTO] [--model NAME_OR_FILE] [--device cpu] [--backend NAME] [--rounds 20]

Median seconds by the clock, and the least processor time of a round, which other programs of the machine disturb less.
Without a photo it is the astronaut in 640 x 480: a hard one, whose person is not found for sure at the first scale, so
that all scales are searched. `cold_start.py` times the command in a new process.
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


def print_ms(what: str, call, rounds: int) -> None:
    for _ in range(2):
        call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter(), time.process_time()
        call()
        times.append((1000 * (time.perf_counter() - start[0]), 1000 * (time.process_time() - start[1])))
    wall, processor = zip(*times, strict=True)
    print(f"{what:44s}{statistics.median(wall):12.1f}{min(processor):16.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", default=None)
    parser.add_argument("--model", default="default")
    parser.add_argument("--device", default=None)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--backend", default=None)
    args = parser.parse_args()

    from opendensepose.data.photos import read_photo
    from opendensepose.predict import Predictor

    photo = read_photo(args.photo) if args.photo else example_photo()
    predictor = Predictor(args.model, args.device, backend=args.backend)
    people = predictor(photo)
    print(f"{predictor.backend}, {predictor.device}; {photo.shape[1]} x {photo.shape[0]}, {len(people)} person(s)")
    print(f"{'what':44s}{'median ms':>12s}{'processor ms':>16s}")
    nobody = Predictor(args.model, args.device, min_score=1.0, backend=args.backend)  # labels nobody
    print_ms("search", lambda: nobody(photo), args.rounds)
    print_ms("whole call", lambda: predictor(photo), args.rounds)
    box = people[0].box_xyxy[None] if people else np.float32([[0, 0, photo.shape[1], photo.shape[0]]])
    for mirrored in (True, False):
        for refine in (True, False):
            one = Predictor(args.model, args.device, mirrored=mirrored, refine=refine, backend=args.backend)
            what = f"label one box, mirrored={mirrored}, refine={refine}"
            print_ms(what, lambda one=one: one(photo, boxes=box), args.rounds)


if __name__ == "__main__":
    main()
