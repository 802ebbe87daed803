"""Rendered people as a source of samples for `train`: `densepose_lite` learns from crops and whole photos in turn."""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.models.densepose_lite.auxiliary import AuxiliaryHeads, auxiliary_losses
from opendensepose.models.densepose_lite.losses import dense_losses, detection_losses
from opendensepose.training.precision import autocast_dtype
from opendensepose.training.recipe import Recipe
from opendensepose.training.rendered.samples import Batch, batch_loader, norm_batches
from opendensepose.training.rendered.validate import measure_photos, measure_rendered, validation_batch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["LiteWithAuxiliary", "RenderedPeople", "estimate_norms", "network_threads", "scale_at", "shrink"]


class RenderedPeople:
    """Batches without end. photos: folder of real photos with reference maps, measured only. render: by default
    `synth.generate.render_images`."""

    released_dtype = torch.float16
    validates_start = True
    score_names = tuple(
        f"{of}{name}" for of in ("", "photos/") for name in ("agreement", "fg_iou", "label", "du", "dv")
    )

    def __init__(
        self, recipe: Recipe, fabric: "Fabric", photos: str | Path | None = None, render: Callable | None = None
    ):
        if fabric.world_size > 1:
            raise ValueError(f"the recipe {recipe.name} trains in one process, got {fabric.world_size}.")
        if render is None:
            from opendensepose.synth.generate import render_images

            render = render_images
        self.recipe, self.device, self.render = recipe, fabric.device, render
        self.photos = Path(photos) if photos else None
        self.network_threads = network_threads(recipe) if fabric.device.type == "cpu" else None

    def learner(self, network: nn.Module) -> nn.Module:
        """The network with the heads that only training uses. ValueError if it is none for rendered people."""
        if self.recipe.architecture != "densepose_lite":
            raise ValueError(f"a {self.recipe.architecture} cannot be trained on rendered people.")
        return LiteWithAuxiliary(network)

    def batches(self, first: int) -> Iterator[tuple[Batch, tuple[int, int]]]:
        """What `LiteWithAuxiliary.losses` takes, from step `first` on."""
        for step, batch in enumerate(batch_loader(self.recipe, self.render, first, str(self.device)), first):
            on_device = Batch(batch.kind, *(part.to(self.device, non_blocking=True) for part in batch[1:]))
            yield shrink(on_device, scale_at(self.recipe, batch.kind, step)), (step % 2, step // 2 % 2)

    @cached_property
    def norm_batches(self) -> list[Batch]:
        return norm_batches(self.recipe, self.render)

    @cached_property
    def validation(self) -> Batch:
        device = str(self.device) if self.recipe.rendered.render_on_device else "cpu"
        return validation_batch(self.recipe, self.render, device)

    def validate(self, network: nn.Module) -> dict[str, dict[str, float]]:
        """Figures by split, after batch norm's statistics of the network were estimated anew."""
        estimate_norms(network, self.norm_batches, autocast_dtype(self.recipe.precision, self.device))
        figures = {"rendered": measure_rendered(network, self.validation)}
        return figures | ({"photos": measure_photos(network, self.photos)} if self.photos else {})


class LiteWithAuxiliary(nn.Module):
    """A DensePoseLite and the heads that only training uses."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network, self.auxiliary = network, AuxiliaryHeads(network.backbone.widths)

    def losses(self, batch: Batch, offset_yx: tuple[int, int] = (0, 0)) -> dict[str, Tensor]:
        """Losses "kind/name" of one batch: detection for both kinds, dense labels and auxiliary outputs for crops only.

        offset_yx: see dense_losses.
        """
        image = batch.image.to(memory_format=torch.channels_last)
        if batch.kind == "photo":
            losses = detection_losses(self.network.detect(image), batch.boxes_xyxy)
        else:
            dense, detection, pyramid = self.network(image)
            losses = dense_losses(dense, batch.i.long(), batch.u, batch.v, offset_yx)
            losses |= auxiliary_losses(self.auxiliary(pyramid), batch.keypoints, batch.yaw)
            losses |= detection_losses(detection, batch.boxes_xyxy)
        return {f"{batch.kind}/{name}": loss for name, loss in losses.items()}


def network_threads(recipe: Recipe) -> int:
    """Threads for the network on a CPU: the cores that rendering leaves, at least one, at most torch's own number
    (OMP_NUM_THREADS). More of them would wait for each other whenever a worker holds a core."""
    return max(1, min(torch.get_num_threads(), (os.cpu_count() or 1) - recipe.num_workers))


def scale_at(recipe: Recipe, kind: str, step: int) -> float:
    """The scale of a step's images, by the recipe's shares: multiples of the golden ratio spread evenly over all
    kinds."""
    source = recipe.rendered
    of_crops = source.cooldown_crop_scales if recipe.cooldown else source.crop_scales
    scales = of_crops if kind == "crop" else source.photo_scales
    position = step * (math.sqrt(5) - 1) / 2 % 1.0
    for scale, share in scales[:-1]:
        if position < share:
            return scale
        position -= share
    return scales[-1][0]


def shrink(batch: Batch, factor: float) -> Batch:
    """The batch at a fraction of its size: images filtered, labels by the nearest pixel."""
    if factor == 1:
        return batch
    image = F.interpolate(batch.image.float(), scale_factor=factor, mode="bilinear", antialias=True)
    size = image.shape[-2:]
    i, u, v = (F.interpolate(x[:, None], size=size, mode="nearest-exact")[:, 0] for x in (batch.i, batch.u, batch.v))
    boxes, keypoints = batch.boxes_xyxy * factor, batch.keypoints * batch.keypoints.new_tensor([factor, factor, 1])
    return batch._replace(image=image, i=i, u=u, v=v, boxes_xyxy=boxes, keypoints=keypoints)


@torch.no_grad()
def estimate_norms(model: nn.Module, batches: Iterable[Batch], dtype: torch.dtype | None = None) -> None:
    """Set batch norm's statistics to their means over batches; the model ends in evaluation mode. Without batches
    nothing changes.

    Averaged weights have other activations than the weights whose statistics were gathered while training (Izmailov et
    al., Averaging Weights Leads to Wider Optima, UAI 2018).
    """
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    batches = list(batches)
    for norm in norms if batches else ():
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean
    for batch in batches:
        model.train()
        image = batch.image.to(next(model.parameters()).device, memory_format=torch.channels_last)
        with torch.autocast(image.device.type, dtype or torch.bfloat16, enabled=dtype is not None):
            model.detect(image) if batch.kind == "photo" else model(image)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
