"""Annotated images as a source of samples for `train`: a network with `losses(images, targets)` learns from them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from opendensepose.models.targets import Targets
from opendensepose.training.annotated.images import AnnotatedImages
from opendensepose.training.annotated.sampler import DistributedBatchSampler, ImageBatches
from opendensepose.training.annotated.validate import Validation
from opendensepose.training.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["AnnotatedPeople"]


class AnnotatedPeople:
    """Batches up to the recipe's last step. data: see `AnnotatedImages`; validation: a folder like it, measured only.
    ValueError or OSError, one sentence, if either is not what it should be."""

    released_dtype = None
    validates_start = False
    score_names: tuple[str, ...] = ("ap", "ap50", "ap75", "ar", "auc10", "auc30", "box_ap")
    network_threads: int | None = None

    def __init__(self, recipe: Recipe, fabric: "Fabric", data: str | Path, validation: str | Path | None = None):
        if recipe.steps is None:
            raise ValueError(f"the recipe {recipe.name} learns from annotated images and needs steps, got none.")
        source = recipe.annotated
        self.recipe, self.fabric, self.steps = recipe, fabric, recipe.steps
        self.images = AnnotatedImages(data, source.transforms, recipe.seed, source.dense)
        self.validation = Validation(validation, recipe.validation_images) if validation else None

    def learner(self, network: nn.Module) -> nn.Module:
        """The network, which samples as the recipe says. ValueError if it cannot learn from annotated images."""
        architecture = self.recipe.architecture
        if not hasattr(network, "losses"):
            raise ValueError(f"a {architecture} cannot be trained on annotated images.")
        if self.validation and architecture in {"teacher", "crop_labeller"}:
            raise ValueError(
                f"a {architecture} finds nobody in photos: leave --validation out, and measure what it helps."
            )
        if hasattr(network, "sampling"):
            network.sampling = type(network.sampling)(**self.recipe.annotated.sampling)
        return network

    def batches(self, first: int) -> Iterator[tuple[list[Tensor], list[Targets]]]:
        """What a network's `losses` takes, from step `first` on: this process's share of each batch."""
        fabric, recipe = self.fabric, self.recipe
        order = DistributedBatchSampler(
            len(self.images), recipe.batch_size, recipe.seed, first, self.steps, fabric.global_rank, fabric.world_size
        )
        return map(self._on_device, ImageBatches(self.images, order, recipe.num_workers))

    def _on_device(self, batch: tuple[list[Tensor], list[Targets]]) -> tuple[list[Tensor], list[Targets]]:
        images, targets = batch
        device = self.fabric.device
        return [x.to(device, non_blocking=True).float() for x in images], [target.to(device) for target in targets]

    def validate(self, network: nn.Module) -> dict[str, dict[str, float]]:
        """Figures by split, of a copy of the network."""
        return {"validation": self.validation.scores(network)} if self.validation else {}
