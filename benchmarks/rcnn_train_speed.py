#!/usr/bin/env python3
"""What a training step of DensePose R-CNN with ResNet-50 computes, and how fast: prints two tables.

    python benchmarks/rcnn_train_speed.py [--size 800x1067] [--regions 8] [--rounds 3] [--threads 2]

A step of two images with four people each, random weights, stem and first stage fixed: losses, backward pass, SGD. The
proposals are joined by boxes near the people, as a trained network finds them, so that --regions of each image teach
charts. Beside ours is detectron2's arithmetic: the same operations laid out as there, with every level of the decoder
brought to stride 4 and the decoder computed on complete images, before regions are pooled. Work is that of convolutions
and matrix products; the processor's time on all threads together is little disturbed by other programs. The yardstick
is a 3x3 convolution of 256 channels, forward and backward: a step of its speed throughout would have a ratio of 1.

The second table is what the forward pass keeps for the backward pass, for a batch of 16 images on one device, with all
128 regions of an image that may show people, and with at most 32.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait must not count as working
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from opendensepose.models.rcnn.densepose_rcnn import DensePoseRCNN, build_densepose_rcnn  # noqa: E402
from opendensepose.models.rcnn.heads import PyramidDecoder, pool_regions  # noqa: E402
from opendensepose.models.rcnn.samples import RegionSamples, Sampling  # noqa: E402
from opendensepose.models.targets import Targets  # noqa: E402
from opendensepose.training.recipes import FROZEN_STAGES  # noqa: E402

NUM_PEOPLE, NUM_POINTS = 4, 100  # of an image, of a person
BATCH, POSITIVE, MOST = 16, 128, Sampling().dense


class PlainDecoder(PyramidDecoder):
    """The same function in detectron2's order."""

    def regions(self, pyramid: list[Tensor], boxes: list[Tensor], cells: int) -> Tensor:
        total = 0
        for convs, level in zip(self.levels, pyramid, strict=True):
            for conv in convs:
                level = F.relu(conv(level), inplace=True)
                if level.shape[-1] < pyramid[0].shape[-1]:
                    level = F.interpolate(level, scale_factor=2, mode="bilinear", align_corners=False)
            total = total + level
        return pool_regions([self.predictor(total)], boxes, cells)


def people(size_hw: tuple[int, int], random: torch.Generator) -> Targets:
    """People side by side over the height of an image."""
    height, width = size_hw
    left = torch.arange(NUM_PEOPLE) * width / NUM_PEOPLE
    boxes = torch.stack([left + 5, torch.full_like(left, 10), left + width / NUM_PEOPLE - 5, left * 0 + height - 10], 1)
    person = torch.arange(NUM_PEOPLE).repeat_interleave(NUM_POINTS)
    inside = torch.rand(len(person), 2, generator=random)
    return Targets(
        boxes=boxes,
        parts=torch.randint(0, 15, (NUM_PEOPLE, 256, 256), generator=random).to(torch.uint8),
        annotated=torch.ones(NUM_PEOPLE, dtype=torch.bool),
        keypoints=torch.zeros(NUM_PEOPLE, 17, 3),
        point_xy=boxes[person, :2] + inside * (boxes[person, 2:] - boxes[person, :2]),
        point_i=torch.randint(1, 25, (len(person),), generator=random),
        point_uv=torch.rand(len(person), 2, generator=random),
        point_person=person,
        ignored=torch.zeros(0, 4),
    )


def network(decoder: type[PyramidDecoder], regions: int, targets: list[Targets]) -> DensePoseRCNN:
    """The network, whose proposals include boxes that differ from the people's by a few pixels."""
    torch.manual_seed(0)
    model = build_densepose_rcnn(norm="frozen", stride_in_1x1=False).train()
    model.decoder = decoder()
    model.sampling = replace(model.sampling, dense=regions)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(FROZEN_STAGES))
    best = model.proposals.best

    def with_people(*arguments) -> list[tuple[Tensor, Tensor]]:
        found = []
        for (boxes, logits), target in zip(best(*arguments), targets, strict=True):
            near = target.boxes.repeat(1 + regions // NUM_PEOPLE, 1)
            near = near + 4 * torch.rand(near.shape, generator=torch.Generator().manual_seed(0))
            found.append((torch.cat([near, boxes]), torch.cat([logits.new_ones(len(near)), logits])))
        return found

    model.proposals.best = with_people
    return model.to(memory_format=torch.channels_last)


def step_of(model: DensePoseRCNN, images: list[Tensor], targets: list[Targets]) -> Callable[[], None]:
    optimizer = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], lr=1e-6, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        sum(model.losses(images, targets).values()).backward()
        optimizer.step()

    return step


def work_gflop(call: Callable[[], None]) -> float:
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / 1e9


def processor_s(call: Callable[[], None]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def yardstick_gflops() -> float:
    """3x3 convolution, 256 to 256 channels on 100 x 168 cells, forward and backward: GFLOP per processor second."""
    conv = torch.nn.Conv2d(256, 256, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.randn(1, 256, 100, 168).to(memory_format=torch.channels_last).requires_grad_()

    def both() -> None:
        conv(x).sum().backward()

    both()
    return work_gflop(both) / median(processor_s(both) for _ in range(5))


@contextmanager
def kept_bytes() -> Iterator[Callable[[], int]]:
    """Counts the bytes that forward passes inside keep for the backward pass, parameters left out."""
    storages: dict[int, Tensor] = {}  # alive, so that no address is used twice

    def pack(tensor: Tensor) -> Tensor:
        if not (tensor.is_leaf and tensor.requires_grad):
            storages.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield lambda: sum(tensor.untyped_storage().nbytes() for tensor in storages.values())


def memory_gb(model: DensePoseRCNN, image: Tensor, target: Targets) -> tuple[float, float]:
    """GB that an image keeps besides its regions, and one region."""

    def kept(num_regions: int) -> int:
        boxes = target.boxes.repeat(num_regions, 1)[:num_regions]
        sampled = RegionSamples(boxes, torch.arange(num_regions) % NUM_PEOPLE)
        with kept_bytes() as total:
            pyramid = model.features(model.batch([image]))
            losses = model.dense_losses(pyramid, [sampled], [target])
            assert all(loss.isfinite() for loss in losses.values())
        return total()

    model.sampling = replace(model.sampling, dense=None)
    few, more = kept(8), kept(16)  # multiples of 8, to which regions are filled up
    per_region = (more - few) / 8
    return (few - 8 * per_region) / 1e9, per_region / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="800x1067", help="height x width of both images")
    parser.add_argument("--regions", type=int, default=8, help="of an image, that teach charts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    random = torch.Generator().manual_seed(0)
    size_hw = tuple(int(side) for side in args.size.split("x"))
    targets = [people(size_hw, random) for _ in range(2)]
    images = [255 * torch.rand(3, *size_hw, generator=random) for _ in targets]
    decoders = {"ours": PyramidDecoder, "detectron2's arithmetic": PlainDecoder}
    steps = {name: step_of(network(of, args.regions, targets), images, targets) for name, of in decoders.items()}
    work = {name: work_gflop(step) for name, step in steps.items()}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    ratios: dict[str, list[float]] = {name: [] for name in steps}
    before = yardstick_gflops()
    for _ in range(args.rounds):
        for name, step in steps.items():
            seconds[name].append(processor_s(step))
            after = yardstick_gflops()
            ratios[name].append(work[name] / seconds[name][-1] / ((before + after) / 2))
            before = after
    print(
        f"torch {torch.__version__}, {args.threads} threads; {args.size}, {args.regions} regions of each of 2 images;"
    )
    print(f"yardstick {before:.0f} GFLOP/s; medians of {args.rounds} rounds")
    print(f"{'':26s}{'TFLOP':>8s}{'processor s':>13s}{'GFLOP/s':>9s}{'ratio':>7s}")
    for name in steps:
        spent = median(seconds[name])
        print(f"{name:26s}{work[name] / 1e3:8.2f}{spent:13.1f}{work[name] / spent:9.0f}{median(ratios[name]):7.2f}")
    del steps
    model = network(PyramidDecoder, args.regions, targets)
    per_image, per_region = memory_gb(model, images[0], targets[0])
    print(f"\nkept for the backward pass: {per_image:.2f} GB an image and {1000 * per_region:.1f} MB a region")
    for regions in (POSITIVE, MOST):
        total = BATCH * (per_image + regions * per_region)
        print(f"{BATCH} images with {regions:3d} regions each: {total:5.1f} GB")


if __name__ == "__main__":
    main()
