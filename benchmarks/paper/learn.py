"""Heads learn from cached features: one loop for all lines.

Letters: N images, R regions.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from opendensepose.models.fcn.teacher import Teacher
from opendensepose.models.rcnn.cascade import CascadeRCNN
from opendensepose.models.rcnn.samples import RegionSamples
from opendensepose.models.targets import Targets
from paper.features import as_tensor
from paper.networks import TEACHER_SIDE, FrozenFCN
from paper.people import CROP_VARIANTS, SIZE_HW, VARIANTS, RenderedSet, window_of

NUM_IMAGES = 4  # of a step
BOXES = 1  # of each person in a step
WINDOW = 320  # pixels: of an image in a step of the FCN
CROPS = 8  # of a step of the teacher
COARSEST = 32
WARMUP_STEPS = 50
WEIGHT_DECAY, CLIP_NORM = 0.02, 10.0

Losses = Callable[[list[int]], dict[str, Tensor]]


def learn(
    network: nn.Module, losses: Losses, num_samples: int, batch: int, steps: int, rate: float, seed: int
) -> float:
    """Train for so many steps, AdamW, the rate falling as a cosine to 0. losses: of the samples with these numbers.
    Returns the processor time in seconds."""
    torch.manual_seed(seed)
    rng, start = np.random.default_rng(seed), time.process_time()
    learned = [one for one in network.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(learned, rate, weight_decay=WEIGHT_DECAY)
    order = _order(num_samples, rng)
    network.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARMUP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))
        total = sum(losses([next(order) for _ in range(batch)]).values())
        if not torch.isfinite(total):
            raise FloatingPointError(f"the loss is not finite at step {step}.")
        optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(learned, CLIP_NORM)
        optimizer.step()
    network.eval()
    return time.process_time() - start


def _order(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(count).tolist()


def region_losses(network: CascadeRCNN, data: RenderedSet, targets: list[Targets], rng: np.random.Generator) -> Losses:
    """Of the people of some images, each in BOXES of its boxes."""
    features = data.pooled_people(data.variants, "variants")
    _, image, person = data.boxes
    places = np.random.default_rng(0)  # where dense labels are learned in cells

    def losses(rows: list[int]) -> dict[str, Tensor]:
        sampled, chosen = [], []
        for n in rows:
            own = np.flatnonzero(image == n)
            variant = np.concatenate([rng.permutation(VARIANTS)[:BOXES] for _ in own])
            of = own.repeat(BOXES)
            sampled.append(RegionSamples(data.variants[of, variant], torch.from_numpy(person[of])))
            chosen.append(of * VARIANTS + variant)
        pooled = as_tensor(features[np.concatenate(chosen)])
        labels = [replace(_with_floats(targets[n]), seed=int(places.integers(2**31))) for n in rows]
        return network.dense_losses([pooled], sampled, labels)

    return losses


def _with_floats(targets: Targets) -> Targets:
    return window_of(targets, (0, 0), max(SIZE_HW)) if targets.dense is not None else targets


def window_losses(
    network: FrozenFCN, data: RenderedSet, targets: list[Targets], rng: np.random.Generator, whole: bool = False
) -> Losses:
    """Of a window of each image around one of its people, or of the whole image."""
    boxes, image, _ = data.boxes

    def losses(rows: list[int]) -> dict[str, Tensor]:
        parts, labels = [], []
        for n in rows:
            x, y = (0, 0) if whole else _window(boxes[rng.choice(np.flatnonzero(image == n))], rng)
            side = max(SIZE_HW) if whole else WINDOW
            cells = [(y // s, x // s, side // s) for s in (4, 8, 16, 32)]
            parts.append(
                [level[n, :, r : r + k, c : c + k] for level, (r, c, k) in zip(data.levels, cells, strict=True)]
            )
            labels.append(window_of(targets[n], (x, y), side))
        levels = [as_tensor(np.stack(level)) for level in zip(*parts, strict=True)]
        size = SIZE_HW if whole else (WINDOW, WINDOW)
        return network.output_losses(network.output(levels), [size] * len(rows), labels)

    return losses


def _window(box: Tensor, rng: np.random.Generator) -> tuple[int, int]:
    """The first pixel x, y of a window whose middle is somewhere in the box, in whole cells of the coarsest level."""
    (x0, y0, x1, y1), (height, width) = box.tolist(), SIZE_HW
    middle = rng.uniform(x0, x1), rng.uniform(y0, y1)
    x, y = (
        round(min(max(place - WINDOW / 2, 0), side - WINDOW) / COARSEST) * COARSEST
        for place, side in zip(middle, (width, height), strict=True)
    )
    return x, y


def crop_losses(network: Teacher, data: RenderedSet, targets: list[Targets], images: int) -> tuple[Losses, int]:
    """Of the teacher's crops, and the number of samples; of the first so many images."""
    levels, labels = data.crops(network), data.crop_targets(targets)
    count = int((data.boxes[1] < images).sum()) * CROP_VARIANTS

    def losses(rows: list[int]) -> dict[str, Tensor]:
        features = [as_tensor(level[rows]) for level in levels]
        size = (TEACHER_SIDE, TEACHER_SIDE)
        return network.fcn.output_losses(network.fcn.output(features), [size] * len(rows), [labels[n] for n in rows])

    return losses, count
