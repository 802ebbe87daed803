#!/usr/bin/env python3
"""What a sample of `train default` costs: prints a table of processor milliseconds on one core.

    python benchmarks/train_speed.py [--batches 12] [--stint MINUTES]

Rendering (half of the samples, the others are used again) and the network's step at each of the recipe's scales, in
float32 and in the number type that "auto" takes here. The baseline in the same run is version 0.1's mixture: float32,
one batch in six of whole photos, crops of 192x144 shrunk to 2/3 in 72 % of the run. --stint also trains for real, with
one process that renders and one thread for the network, and prints its samples per second: leave the machine alone.
"""

import argparse
import csv
import tempfile
import time
from pathlib import Path

import torch

from opendensepose.synth import render_images
from opendensepose.training import Recipe, default, train
from opendensepose.training.precision import autocast_dtype
from opendensepose.training.processes import make_fabric
from opendensepose.training.rendered.samples import Batch, BatchStream
from opendensepose.training.rendered.source import LiteWithAuxiliary, shrink
from opendensepose.training.state import new_state
from opendensepose.training.train import new_network, train_step


def cost_ms(call, rounds: int) -> float:
    """Processor milliseconds of a call, the mean of `rounds` after one to warm up."""
    call()
    start = time.process_time()
    for _ in range(rounds):
        call()
    return 1000 * (time.process_time() - start) / rounds


def render_costs(recipe: Recipe, num_batches: int) -> tuple[dict[str, float], dict[str, Batch]]:
    """Milliseconds a sample by kind, without the first batches, which fill the pools; and a batch of each kind."""
    stream, first = BatchStream(recipe, render_images), 2 * recipe.source.photo_every
    batches = {stream.batch(index).kind: stream.batch(index) for index in range(first)}
    spent: dict[str, list[float]] = {}
    for index in range(first, first + num_batches):
        start = time.process_time()
        batch = stream.batch(index)
        spent.setdefault(batch.kind, []).append(1000 * (time.process_time() - start) / recipe.batch_size)
    return {kind: sum(values) / len(values) for kind, values in spent.items()}, batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=12)
    parser.add_argument("--stint", type=float, default=0.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    recipe = default()
    renders, batches = render_costs(recipe, args.batches)
    dtype = autocast_dtype("auto", "cpu")
    print(f"torch {torch.__version__}; float32 and {dtype or 'float32 (no bfloat16 here)'}; one thread")
    print(f"{'what':44s}{'ms/sample':>10s}{'float32':>10s}")
    for kind, value in renders.items():
        print(f"{'render and augment, ' + kind:44s}{value:10.1f}")
    fabric, (network, _), steps = make_fabric("cpu"), new_network(recipe, None), {}
    state = new_state(fabric, network, LiteWithAuxiliary(network), recipe)
    precisions = [recipe, recipe.changed(precision="float32")]
    cases = [("crop", s) for s in (0.5, 0.75, 1.0)] + [("photo", s) for s in (0.75, 1.0)]
    for kind, scale in cases:
        batch = shrink(batches[kind], scale)
        steps[kind, scale] = [
            cost_ms(lambda b=batch, r=of_precision: train_step(fabric, state, (b,), r), 3) / recipe.batch_size
            for of_precision in precisions
        ]
        size = "x".join(str(side) for side in batch.image.shape[-2:])
        print(f"{f'network, {kind} {size}':44s}{steps[kind, scale][0]:10.1f}{steps[kind, scale][1]:10.1f}")

    def mean(kind: str, scales: tuple[tuple[float, float], ...]) -> float:
        return sum(share * steps[kind, scale][0] for scale, share in scales)

    crops = 1 - 1 / recipe.source.photo_every
    network = crops * mean("crop", recipe.source.crop_scales) + (1 - crops) * mean("photo", recipe.source.photo_scales)
    rendering = crops * renders["crop"] + (1 - crops) * renders["photo"]
    before = 5 / 6 * (0.72 * steps["crop", 0.5][1] + 0.28 * steps["crop", 0.75][1]) + steps["photo", 1.0][1] / 6
    print(f"{'network, the recipe as a whole':44s}{network:10.1f}{before:10.1f}  (float32: version 0.1 as a whole)")
    print(f"{'rendering, the recipe as a whole':44s}{rendering:10.1f}")
    print(f"ratio to version 0.1's network: {network / before:.2f}")
    if args.stint:
        folder = Path(tempfile.mkdtemp())
        train(default(minutes=args.stint, workers=1), folder, start="default")
        with (folder / "stints.csv").open() as file:
            print("trained:", next(csv.DictReader(file))["samples_per_s"], "samples/s")


if __name__ == "__main__":
    main()
