#!/usr/bin/env python3
"""Images per second of loading alone, and of training: prints a table. Loading must not starve the trainer.

    python benchmarks/loading_speed.py DATA [--recipe rcnn_small] [--batch-size 4] [--workers 1] [--steps 40]

DATA: a folder with annotations.json and images/. Loading alone with 0 and with K worker processes; steps alone on
batches that are in memory already; and both together. The first batches, when processes start and shapes are new, do
not count. Beside the clock, which other programs disturb, the time of the processor in this process.
"""

import argparse
import time
from collections.abc import Iterator

FIRST = 8  # batches that do not count


def seconds_per_batch(batches, step=None) -> tuple[float, float]:
    """By the clock, and by the processor on all threads of this process."""
    start = None
    for number, batch in enumerate(batches):
        if step:
            step(batch)
        if number == FIRST - 1:
            start = time.perf_counter(), time.process_time()
    end = time.perf_counter(), time.process_time()
    return tuple((b - a) / (number + 1 - FIRST) for a, b in zip(start, end, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--recipe", default="rcnn_small")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device")
    args = parser.parse_args()

    import torch

    from opendensepose.training import RECIPES
    from opendensepose.training.annotated.source import AnnotatedPeople
    from opendensepose.training.processes import make_fabric
    from opendensepose.training.state import new_state
    from opendensepose.training.train import new_network, train_step

    torch.set_num_threads(args.threads)
    changes = {"batch_size": args.batch_size, "workers": args.workers}
    recipe = RECIPES[args.recipe](**{name: value for name, value in changes.items() if value is not None})
    recipe = recipe.changed(steps=FIRST + args.steps)
    fabric = make_fabric(args.device)
    network, recipe = new_network(recipe, None)
    state = new_state(fabric, network, AnnotatedPeople(recipe, fabric, args.data).learner(network), recipe)

    def batches(workers: int) -> Iterator:
        return AnnotatedPeople(recipe.changed(workers=workers), fabric, args.data).batches(first=0)

    def step(batch) -> None:
        train_step(fabric, state, batch, recipe)

    rows = {
        "loading, no workers": seconds_per_batch(batches(0)),
        f"loading, {recipe.workers} workers": seconds_per_batch(batches(recipe.workers)) if recipe.workers else None,
        "training, in memory": seconds_per_batch(list(batches(0)), step),
        "both together": seconds_per_batch(batches(recipe.workers), step),
    }
    print(f"{recipe.name}, batches of {recipe.batch_size}, {fabric.device}, {args.threads} threads")
    for name, seconds in rows.items():
        if seconds is not None:
            rate = recipe.batch_size / seconds[0]
            print(f"{name:<22}{1000 * seconds[0]:>8.0f} ms/batch{rate:>8.1f} images/s, processor {seconds[1]:.2f} s")


if __name__ == "__main__":
    main()
