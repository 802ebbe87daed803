"""An endless stream of batches of rendered people. Batch number and seed decide what is rendered, so a run can
resume.

Letters: N images, H x W pixels, M most people in an image of the batch.
"""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from opendensepose.training.augment import augment
from opendensepose.training.recipes import Recipe

__all__ = ["Batch", "BatchStream", "Sample", "batch_loader", "look_sample", "stack"]

KEPT_RENDERS = 256  # per worker, from which images are drawn again when reuse > 1
RENDERED_AT_ONCE = 16  # bodies are posed in one pass
BATCHES_PER_POOL = 40  # backgrounds and fabrics are drawn from a pool that is new after so many batches


class Sample(NamedTuple):
    """One image to learn from. In a crop ("look") only the person whose box frames it is labelled."""

    image: np.ndarray  # (H, W, 3) uint8 RGB
    i: np.ndarray  # (H, W) uint8
    u: np.ndarray  # (H, W) float32
    v: np.ndarray  # (H, W) float32
    boxes_xyxy: np.ndarray  # (M, 4) float32 pixels: everybody in the image


class Batch(NamedTuple):
    """Samples of one size. kind is "look" (crops) or "glance" (whole photos; their i, u, v are not learned from)."""

    kind: str
    image: Tensor  # (N, 3, H, W) uint8, channels last in memory
    i: Tensor  # (N, H, W) uint8
    u: Tensor  # (N, H, W) float32
    v: Tensor  # (N, H, W) float32
    boxes_xyxy: Tensor  # (N, M, 4) float32 pixels, padded with zeros


def look_sample(rendered) -> Sample:
    """A rendered portrait, labelled for its first person only: everybody else is background."""
    first = rendered.person == 1
    return Sample(
        rendered.image_rgb,
        np.where(first, rendered.i, 0).astype(np.uint8),
        np.where(first, rendered.u, 0).astype(np.float32),
        np.where(first, rendered.v, 0).astype(np.float32),
        np.asarray(rendered.boxes_xyxy, np.float32).reshape(-1, 4),
    )


def stack(kind: str, samples: list[Sample]) -> Batch:
    """Samples of one size -> a Batch."""
    most = max(1, *(len(sample.boxes_xyxy) for sample in samples))
    boxes = np.zeros((len(samples), most, 4), np.float32)
    for row, sample in zip(boxes, samples, strict=True):
        row[: len(sample.boxes_xyxy)] = sample.boxes_xyxy
    image = torch.from_numpy(np.stack([sample.image for sample in samples])).permute(0, 3, 1, 2)
    i, u, v = (torch.from_numpy(np.stack([getattr(sample, name) for sample in samples])) for name in "iuv")
    return Batch(kind, image, i, u, v, torch.from_numpy(boxes))


class BatchStream(IterableDataset):
    """Batches first, first + 1, .. of a recipe. render is `synth.render_images` or a stand-in with its signature.

    With K workers, worker k makes the batches first + k, first + k + K, ..; DataLoader hands them out in order.
    """

    def __init__(self, recipe: Recipe, render: Callable, first: int = 0, device: str = "cpu"):
        self.recipe, self.render, self.first, self.device = recipe, render, first, device
        self.kept: dict[tuple[int, int], list[Sample]] = {}  # by size

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        number, count = (worker.id, worker.num_workers) if worker else (0, 1)
        if worker:
            torch.set_num_threads(1)
            os.nice(3)  # the network goes first: its threads wait for each other, and rendering fills the gaps
        index = self.first + number
        while True:
            yield self.batch(index)
            index += count

    def batch(self, index: int) -> Batch:
        """Batch number `index`; with reuse 1 it depends on seed and index alone."""
        recipe, rng = self.recipe, np.random.default_rng([self.recipe.seed, index])
        if index % recipe.glance_every == recipe.glance_every - 1:
            size_hw = recipe.glance_sides if rng.random() < 0.5 else recipe.glance_sides[::-1]
            return stack("glance", self._samples(rng, index, size_hw, "scene"))
        return stack("look", self._samples(rng, index, recipe.look_hw, "portrait"))

    def _samples(self, rng: np.random.Generator, index: int, size_hw: tuple[int, int], framing: str) -> list[Sample]:
        """One batch: fresh renders, and with reuse > 1 earlier ones changed at random."""
        size, reuse = self.recipe.batch_size, self.recipe.reuse
        kept = self.kept.setdefault(tuple(size_hw), [])
        num_again = size - -(-size // reuse) if kept else 0
        fresh = self._rendered(rng, index, size - num_again, size_hw, framing)
        turn = 12.0 if framing == "portrait" else 0.0  # turned boxes would no longer be tight
        again = [augment(kept[rng.integers(len(kept))], rng, turn) for _ in range(num_again)]
        if reuse > 1:
            self.kept[tuple(size_hw)] = (kept + fresh)[-KEPT_RENDERS:]
        return fresh + again

    def _rendered(self, rng: np.random.Generator, index: int, count: int, size_hw, framing: str) -> list[Sample]:
        samples, pool = [], index // BATCHES_PER_POOL
        for start in range(0, count, RENDERED_AT_ONCE):
            rngs = rng.spawn(min(RENDERED_AT_ONCE, count - start))
            rendered = self.render(rngs, size_hw, framing=framing, device=self.device, pool_seed=pool)
            samples.extend(look_sample(one) for one in rendered)
        return samples


def batch_loader(recipe: Recipe, render: Callable, first: int, device: str) -> DataLoader:
    """Batches rendered in worker processes on the CPU; on a GPU by the device itself, in this process."""
    on_cpu = str(device) == "cpu"
    stream = BatchStream(recipe, render, first, device=str(device))
    if not on_cpu or recipe.workers == 0:
        return DataLoader(stream, batch_size=None, num_workers=0)
    return DataLoader(
        stream,
        batch_size=None,
        num_workers=recipe.workers,
        prefetch_factor=3,
        multiprocessing_context="spawn",
        persistent_workers=False,
    )
