"""An endless stream of batches of rendered people. Batch number and seed decide what is rendered, so a run can
resume.

Letters: N images, H x W pixels, M most people in an image of the batch.
"""

import os
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from opendensepose.keypoints import NUM_KEYPOINTS
from opendensepose.training.augment import Sample, augment, zoom_in
from opendensepose.training.recipe import Recipe

if TYPE_CHECKING:
    from opendensepose.synth.truth import RenderedImage

__all__ = ["Batch", "BatchStream", "batch_loader", "crop_sample", "norm_batches", "stack"]

KEPT_RENDERS = 256  # per worker, from which images are drawn again when reuse > 1
RENDERED_AT_ONCE = 16  # bodies are posed in one pass
NORM_SEED = 9_000_001  # no training batch has this seed
BATCHES_PER_POOL = 40  # backgrounds and fabrics are drawn from a pool that is new after so many batches


class Batch(NamedTuple):
    """Samples of one size. kind is "crop" (crops) or "photo" (whole photos; their i, u, v are not learned from)."""

    kind: str
    image: Tensor  # (N, 3, H, W) uint8, channels last in memory
    i: Tensor  # (N, H, W) uint8
    u: Tensor  # (N, H, W) float32
    v: Tensor  # (N, H, W) float32
    boxes_xyxy: Tensor  # (N, M, 4) float32 pixels, padded with zeros
    keypoints: Tensor  # (N, 17, 3) float32
    yaw: Tensor  # (N,) float32


def crop_sample(rendered: "RenderedImage") -> Sample:
    """A rendered portrait, labelled for its first person only: everybody else is background."""
    first = rendered.person == 1
    labelled = bool(first.any())
    return Sample(
        rendered.image_rgb,
        np.where(first, rendered.i, 0).astype(np.uint8),
        np.where(first, rendered.u, 0).astype(np.float32),
        np.where(first, rendered.v, 0).astype(np.float32),
        np.asarray(rendered.boxes_xyxy, np.float32).reshape(-1, 4),
        rendered.keypoints[0].astype(np.float32) if labelled else np.zeros((NUM_KEYPOINTS, 3), np.float32),
        float(rendered.yaws[0]) if labelled else np.nan,
    )


def stack(kind: str, samples: list[Sample]) -> Batch:
    """Samples of one size -> a Batch."""
    most = max(1, *(len(sample.boxes_xyxy) for sample in samples))
    boxes = np.zeros((len(samples), most, 4), np.float32)
    for row, sample in zip(boxes, samples, strict=True):
        row[: len(sample.boxes_xyxy)] = sample.boxes_xyxy
    image = torch.from_numpy(np.stack([sample.image for sample in samples])).permute(0, 3, 1, 2)
    i, u, v = (torch.from_numpy(np.stack([getattr(sample, name) for sample in samples])) for name in "iuv")
    keypoints = torch.from_numpy(np.stack([sample.keypoints for sample in samples]))
    yaw = torch.tensor([sample.yaw for sample in samples], dtype=torch.float32)
    return Batch(kind, image, i, u, v, torch.from_numpy(boxes), keypoints, yaw)


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
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all: the main process decides
            torch.set_num_threads(1)
            os.nice(3)  # the network goes first, rendering fills the gaps
        index = self.first + number
        while True:
            yield self.batch(index)
            index += count

    def batch(self, index: int) -> Batch:
        """Batch number `index`; with reuse 1 it depends on seed and index alone."""
        source, rng = self.recipe.rendered, np.random.default_rng([self.recipe.seed, index])
        if index % source.photo_every == source.photo_every - 1:
            size_hw = source.photo_sides if rng.random() < 0.5 else source.photo_sides[::-1]
            return stack("photo", self._samples(rng, index, size_hw, "scene"))
        return stack("crop", self._samples(rng, index, source.crop_hw, "portrait"))

    def _samples(self, rng: np.random.Generator, index: int, size_hw: tuple[int, int], framing: str) -> list[Sample]:
        """One batch: fresh renders, and with reuse > 1 earlier ones changed at random."""
        size, reuse = self.recipe.batch_size, self.recipe.rendered.reuse
        kept = self.kept.setdefault(size_hw, [])
        num_again = size - -(-size // reuse) if kept else 0
        fresh = self._rendered(rng, index, size - num_again, size_hw, framing)
        turn = 12.0 if framing == "portrait" else 0.0  # turned boxes would no longer be tight
        again = [augment(kept[rng.integers(len(kept))], rng, turn) for _ in range(num_again)]
        if reuse > 1:
            self.kept[size_hw] = (kept + fresh)[-KEPT_RENDERS:]
        return fresh + again

    def _rendered(
        self, rng: np.random.Generator, index: int, count: int, size_hw: tuple[int, int], framing: str
    ) -> list[Sample]:
        source, pool = self.recipe.rendered, index // BATCHES_PER_POOL
        samples: list[Sample] = []
        for start in range(0, count, RENDERED_AT_ONCE):
            rngs = rng.spawn(min(RENDERED_AT_ONCE, count - start))
            empty = rng.binomial(len(rngs), source.empty_share) if framing == "portrait" else 0
            options = {"device": self.device, "pool_seed": pool, "ingredients": source.ingredients}
            nobody = self.render(rngs[:empty], size_hw, framing="scene", num_people=0, **options) if empty else []
            samples.extend(zoom_in(crop_sample(one), rng) for one in nobody)
            samples.extend(crop_sample(one) for one in self.render(rngs[empty:], size_hw, framing=framing, **options))
        return samples


def norm_batches(recipe: Recipe, render: Callable) -> list[Batch]:
    """Batches of both kinds from which batch norm's statistics are estimated: the same for every run of the recipe, so
    that a resumed run comes to the same weights as one without a stop."""
    stream = BatchStream(recipe.changed(seed=NORM_SEED, reuse=1), render)
    return [stream.batch(index) for index in range(recipe.rendered.norm_batches)]


def batch_loader(recipe: Recipe, render: Callable, first: int, device: str) -> DataLoader:
    """Batches rendered on the CPU by the recipe's worker processes, whatever device learns from them; in this process
    where there are none, or where the recipe says to render on the device itself."""
    stream = BatchStream(recipe, render, first, device=device if recipe.rendered.render_on_device else "cpu")
    workers = recipe.num_workers
    return DataLoader(
        stream,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        pin_memory=workers > 0 and torch.device(device).type == "cuda",
        multiprocessing_context="spawn" if workers else None,
    )
