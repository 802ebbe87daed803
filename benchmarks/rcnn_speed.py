#!/usr/bin/env python3
"""How long DensePose R-CNN takes for a photo of 1116 x 600 with six people: prints a table.

    python benchmarks/rcnn_speed.py [--model NAME_OR_FILE] [--device cpu] [--rounds 5] [--threads 2]

Without --model, R_50_FPN_s1x with random weights: its time does not depend on them. The boxes of six people are given.
Each round measures everything once, and with it the machine: 3x3 convolutions of 256 channels, in GFLOP/s. Times are
the rounds' medians; "at 310 GFLOP/s" is what they would be on the machine where detectron2 took 3.1 s (backbone 1.5,
proposals 0.4, heads 1.2), each round's time scaled by its own yardstick.
"""

import argparse
import statistics
import time

import numpy as np

DETECTRON2_S = {"backbone": 1.5, "proposals": 0.4, "heads": 1.2, "whole call, boxes given": 3.1}
DETECTRON2_GFLOPS = 310
SIZE_HW = (600, 1116)


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def yardstick_gflops() -> float:
    """3x3 convolution, 256 to 256 channels on 200 x 336 cells: what this machine can do at the moment."""
    import torch

    conv = torch.nn.Conv2d(256, 256, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.randn(1, 256, 200, 336).to(memory_format=torch.channels_last)
    conv(x)
    return 2 * 9 * 256 * 256 * 200 * 336 / min(seconds(lambda: conv(x)) for _ in range(3)) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    import torch

    from opendensepose.models.rcnn import DensePoseRCNN
    from opendensepose.models.rcnn_decode import network_size, scale_photo
    from opendensepose.predict import Predictor

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
    boxes = np.float32([[20 + 180 * k, 40 + 10 * k, 190 + 180 * k, 580] for k in range(6)])
    predictor = Predictor(args.model or DensePoseRCNN(), args.device)
    model = predictor.model
    hw = network_size(SIZE_HW, model.short_side, model.long_side)
    image, given = scale_photo(photo, hw).to(args.device), torch.from_numpy(boxes * hw[1] / SIZE_HW[1]).to(args.device)
    calls = {}
    with torch.inference_mode():
        pyramid = model.features(model.batch([image]))
        calls["backbone"] = lambda: model.features(model.batch([image]))
        calls["proposals"] = lambda: model.detect(pyramid, [hw], 0.05)
        calls["heads"] = lambda: model.charts(pyramid, [given])
        calls["whole call, boxes given"] = lambda: predictor(photo, boxes=boxes)
        for call in calls.values():
            call()
        times, speeds = {name: [] for name in calls}, []
        for _ in range(args.rounds):
            for name, call in calls.items():
                speed = yardstick_gflops()
                speeds.append(speed)
                times[name].append((seconds(call), speed))
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.device}, photo 1116x600 seen at", end=" "
    )
    print(f"{hw[1]}x{hw[0]}, 6 people; yardstick {statistics.median(speeds):.0f} GFLOP/s")
    print(f"{'what':28s}{'s':>8s}{'GFLOP it could':>16s}{'at 310 GFLOP/s':>16s}{'detectron2':>12s}{'ratio':>8s}")
    for name, rounds in times.items():
        work = statistics.median(taken * speed for taken, speed in rounds)
        taken, theirs = statistics.median(taken for taken, _ in rounds), DETECTRON2_S[name]
        there = work / DETECTRON2_GFLOPS
        print(f"{name:28s}{taken:8.2f}{work:16.0f}{there:16.2f}{theirs:12.1f}{there / theirs:8.2f}")


if __name__ == "__main__":
    main()
