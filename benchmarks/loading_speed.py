#!/usr/bin/env python3
"""Images per second of loading alone, and of training: prints a table. Loading must not starve the trainer.

    python benchmarks/loading_speed.py DATA [--recipe rcnn_small] [--batch-size 4] [--workers 1] [--steps 40]

DATA: a folder with annotations.json and images/. Loading alone with 0 and with K worker processes; steps alone on
batches that are in memory already; and both together. The first batches, when processes start and shapes are new, do
not count. Beside the clock, which other programs disturb, the time of the processor in this process.
"""

import argparse
import itertools
import time

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

    from opendensepose.training.annotated.images import AnnotatedImages
    from opendensepose.training.annotated.sampler import DistributedBatchSampler, ImageBatches
    from opendensepose.training.fit import new_network, set_up, train_steps
    from opendensepose.training.network_recipes import NETWORK_RECIPES
    from opendensepose.training.processes import make_fabric

    torch.set_num_threads(args.threads)
    changes = {"batch_size": args.batch_size, "workers": args.workers}
    recipe = NETWORK_RECIPES[args.recipe](**{name: value for name, value in changes.items() if value is not None})
    images = AnnotatedImages(args.data, recipe.transforms, recipe.seed)
    fabric = make_fabric(args.device)
    network, recipe = new_network(recipe, None)
    state = set_up(fabric, network, recipe)

    def batches(workers: int) -> ImageBatches:
        order = DistributedBatchSampler(len(images), recipe.batch_size, recipe.seed, 0, FIRST + args.steps)
        return ImageBatches(images, order, workers)

    def step(batch) -> None:
        train_steps(fabric, state, [batch], recipe, lambda parts: None)

    rows = {
        "loading, no workers": seconds_per_batch(batches(0)),
        f"loading, {recipe.workers} workers": seconds_per_batch(batches(recipe.workers)) if recipe.workers else None,
        "training, in memory": seconds_per_batch(list(itertools.islice(batches(0), FIRST + args.steps)), step),
        "both together": seconds_per_batch(batches(recipe.workers), step),
    }
    print(f"{recipe.name}, batches of {recipe.batch_size}, {fabric.device}, {args.threads} threads")
    for name, seconds in rows.items():
        if seconds is not None:
            rate = recipe.batch_size / seconds[0]
            print(f"{name:<22}{1000 * seconds[0]:>8.0f} ms/batch{rate:>8.1f} images/s, processor {seconds[1]:.2f} s")


if __name__ == "__main__":
    main()
