#!/usr/bin/env python3
"""How long DensePose R-CNN takes for a photo of 1116 x 600 with six people: prints a table.

    python benchmarks/rcnn_speed.py [--model NAME_OR_FILE] [--device cpu] [--rounds 5] [--threads 2]

Without --model, R_50_FPN_s1x with random weights: its time does not depend on them. The boxes of six people are given.

Beside each measurement the machine is measured by 3x3 convolutions of 256 channels, in GFLOP/s. "at 310" is how long it
would take on the machine where detectron2 took 3.1 s (backbone 1.5, proposals 0.4, heads 1.2): seconds times yardstick
by 310 GFLOP/s. Once by the clock, which other programs disturb, once by the processor's time on all threads together,
which they disturb less; the latter does not see threads that wait for each other. Medians of the rounds.
"""

import argparse
import os
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait must not count as working
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import numpy as np  # noqa: E402

DETECTRON2_S = {"backbone": 1.5, "proposals": 0.4, "heads": 1.2, "whole call, boxes given": 3.1}
DETECTRON2_GFLOPS = 310
SIZE_HW = (600, 1116)


def seconds(call) -> np.ndarray:
    """By the clock, and by the processor on all threads."""
    start = np.array([time.perf_counter(), time.process_time()])
    call()
    return np.array([time.perf_counter(), time.process_time()]) - start


def yardstick_gflops() -> np.ndarray:
    """3x3 convolution, 256 to 256 channels on 100 x 168 cells: GFLOP per second of the clock and of the processor."""
    import torch

    conv = torch.nn.Conv2d(256, 256, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.randn(1, 256, 100, 168).to(memory_format=torch.channels_last)
    conv(x)
    return 2 * 9 * 256 * 256 * 100 * 168 / 1e9 / np.median([seconds(lambda: conv(x)) for _ in range(5)], axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    import torch

    from opendensepose.models.image_batch import network_size, scale_photo
    from opendensepose.models.rcnn.densepose_rcnn import build_densepose_rcnn
    from opendensepose.predict import Predictor

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), dtype=np.uint8)
    boxes = np.float32([[20 + 180 * k, 40 + 10 * k, 190 + 180 * k, 580] for k in range(6)])
    predictor = Predictor(args.model or build_densepose_rcnn(), args.device)
    model = predictor.network.model
    hw = network_size(SIZE_HW, model.short_side, model.long_side)
    image, given = scale_photo(photo, hw).to(args.device), torch.from_numpy(boxes * hw[1] / SIZE_HW[1]).to(args.device)
    calls = {}
    with torch.inference_mode():
        pyramid = model.features(model.batch([image]))
        calls["backbone"] = lambda: model.features(model.batch([image]), search=False)
        calls["proposals"] = lambda: model.detect(pyramid, [hw], 0.05)
        calls["heads"] = lambda: model.charts(pyramid, [given])
        calls["whole call, boxes given"] = lambda: predictor(photo, boxes=boxes)
        for call in calls.values():
            call()
        taken, work = {name: [] for name in calls}, {name: [] for name in calls}
        for _ in range(args.rounds):
            for name, call in calls.items():
                before, now, after = yardstick_gflops(), seconds(call), yardstick_gflops()
                taken[name].append(now)
                work[name].append(now * (before + after) / 2)
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.device}, photo 1116x600 seen at", end=" "
    )
    print(
        f"{hw[1]}x{hw[0]}, 6 people; yardstick now {after[0]:.0f} GFLOP/s by the clock, {after[1]:.0f} by the processor"
    )
    print(f"{'':34s}{'at 310':>8s}{'ratio':>8s}{'':12s}{'at 310':>8s}{'ratio':>8s}")
    print(f"{'':26s}{'clock':>8s}{'':16s}{'processor':>12s}{'':16s}{'detectron2':>12s}")
    for name, theirs in DETECTRON2_S.items():
        clock, processor = np.median(taken[name], axis=0)
        there = np.median(work[name], axis=0) / DETECTRON2_GFLOPS
        by_clock = f"{clock:8.2f}{there[0]:8.2f}{there[0] / theirs:8.2f}"
        print(f"{name:26s}{by_clock}{processor:12.2f}{there[1]:8.2f}{there[1] / theirs:8.2f}{theirs:12.1f}")


if __name__ == "__main__":
    main()
