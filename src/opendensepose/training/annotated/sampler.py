"""Which images make which batch: decided by seed and step alone, so that a run can resume and processes can share."""

import signal
from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from opendensepose.models.targets import Targets
from opendensepose.training.annotated.images import AnnotatedImages, Unreadable, to_targets

__all__ = ["DistributedBatchSampler", "ImageBatches", "epoch_permutation"]

PREFETCHED = 4  # batches per worker


def epoch_permutation(num_images: int, seed: int, epoch: int) -> np.ndarray:
    """Draw a permutation (num_images,) of the images."""
    return np.random.default_rng([seed, epoch]).permutation(num_images)


class DistributedBatchSampler(Sampler):
    """Batches of steps first, first + 1, .. up to `steps`, of which this process takes every `world`-th image from
    `rank` on. An entry is (number of the image, place in the order of training)."""

    def __init__(
        self, num_images: int, batch_size: int, seed: int, first: int, steps: int, rank: int = 0, world: int = 1
    ):
        if batch_size % world:
            raise ValueError(f"a batch of {batch_size} images cannot be shared by {world} processes evenly.")
        self.num_images, self.batch_size, self.seed = num_images, batch_size, seed
        self.first, self.steps, self.rank, self.world = first, steps, rank, world

    def __len__(self) -> int:
        return max(0, self.steps - self.first)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, order = -1, np.empty(0, np.int64)
        for step in range(self.first, self.steps):
            batch = []
            for position in range(step * self.batch_size + self.rank, (step + 1) * self.batch_size, self.world):
                if position // self.num_images != epoch:
                    epoch = position // self.num_images
                    order = epoch_permutation(self.num_images, self.seed, epoch)
                batch.append((int(order[position % self.num_images]), position))
            yield batch


class ImageBatches:
    """Iterates over (images, targets) of the order's batches, read by worker processes. ValueError, one sentence, when
    an image cannot be read."""

    def __init__(self, data: AnnotatedImages, order: DistributedBatchSampler, workers: int = 2):
        self.loader = DataLoader(
            data,
            batch_sampler=order,
            num_workers=workers,
            collate_fn=_as_they_are,
            worker_init_fn=_start_worker,
            prefetch_factor=PREFETCHED if workers else None,
            multiprocessing_context="spawn" if workers else None,
        )

    def __iter__(self) -> Iterator[tuple[list[torch.Tensor], list[Targets]]]:
        for samples in self.loader:
            for sample in samples:
                if isinstance(sample, Unreadable):
                    raise ValueError(sample.sentence)
            images, targets = zip(*map(to_targets, samples), strict=True)
            yield list(images), list(targets)


def _as_they_are(samples: list) -> list:
    return samples  # arrays travel as bytes: one message per batch, where tensors would be a file each


def _start_worker(number: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all: the main process decides
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
