"""What changes in a run, averaged weights too: made, and kept on disk so that a run that was killed can go on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from opendensepose.atomic_write import atomic_file
from opendensepose.training.recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["TrainingState", "load_state", "moving_average", "new_state", "save_state"]

COOLDOWN_EMA_DECAY = 0.99  # the rate falls to 0 itself: a long average would only lag behind
FROM_FILE = ("step", "elapsed_s", "best", "begun_with", "scores")


@dataclass
class TrainingState:
    """Everything that changes in a run, and how it began, since the licence of those weights may bind what comes of
    them."""

    network: nn.Module
    auxiliary: nn.Module | None  # heads that only training uses
    model: nn.Module  # Fabric's, around both; it has `losses`
    optimizer: torch.optim.Optimizer  # Fabric's
    average: AveragedModel | None = None
    step: int = 0  # batches learned from
    elapsed_s: float = 0.0  # training time of all stints
    best: float = -1.0  # highest agreement at a validation: the score of best.safetensors
    begun_with: str = "random weights"
    scores: dict[str, float] = field(default_factory=dict)  # of these weights; none until they are validated

    @property
    def released(self) -> nn.Module:
        """What is measured, saved and released: the averaged network, or the network itself."""
        return self.network if self.average is None else self.average.module


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of the parameters: a <- d a + (1 - d) w, d = min(decay, (1 + n) / (10 + n)).

    With a decay near 1 that is a mean over the last ninth of the updates. Buffers (batch norm statistics) are copied.
    The averaged network, `.module`, is in evaluation mode.
    """

    @torch.no_grad()
    def update(averages: list, weights: list, count: torch.Tensor) -> None:
        torch._foreach_lerp_(averages, weights, 1 - min(decay, (1 + int(count)) / (10 + int(count))))

    average = AveragedModel(network, multi_avg_fn=update).eval().requires_grad_(False)
    average.n_averaged.fill_(1)  # the initial weights count too, instead of being replaced by the first update's
    return average


def new_state(fabric: "Fabric", network: nn.Module, learner: nn.Module, recipe: Recipe) -> TrainingState:
    """Step 0: learner (the network, or the network with `auxiliary` heads) and optimizer as Fabric runs them, and the
    average. Biases and norms do not decay."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        learner = nn.SyncBatchNorm.convert_sync_batchnorm(learner)
    learner = learner.train().to(memory_format=torch.channels_last)
    for name, module in network.named_modules():
        if recipe.frozen and name.startswith(recipe.frozen):
            module.eval()  # its statistics stay too
    learned = [p for p in learner.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learned if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum)
    else:
        optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
    model, optimizer = fabric.setup(learner, optimizer)
    model.mark_forward_method("losses")
    state = TrainingState(network, getattr(learner, "auxiliary", None), model, optimizer)
    if recipe.ema_decay is not None:
        state.average = moving_average(network, min(recipe.ema_decay, COOLDOWN_EMA_DECAY if recipe.cooldown else 1.0))
    return state


def save_state(path: Path, state: TrainingState) -> None:
    """Write the file whole or not at all. OSError, one sentence, if it cannot be written, for example on a full disk;
    what was there stays."""
    content = {name: getattr(state, name) for name in FROM_FILE}
    content |= {"model": state.network.state_dict(), "optimizer": state.optimizer.state_dict()}
    if state.auxiliary is not None:
        content["auxiliary"] = state.auxiliary.state_dict()
    if state.average is not None:
        content["average"] = state.average.module.state_dict()
        content["updates"] = int(state.average.n_averaged) - 1
    try:
        with atomic_file(path) as unfinished:
            torch.save(content, unfinished)
    except (OSError, RuntimeError) as error:  # torch.save's own is a RuntimeError
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise OSError(f"{path} cannot be written, what was saved before stays: {reason}.") from error


def load_state(path: Path, state: TrainingState) -> None:
    """Fill `state` from the file, which holds tensors and numbers only. ValueError, one sentence, if it is damaged or
    belongs to a run of another network or recipe."""
    try:
        saved = torch.load(path, map_location=next(state.network.parameters()).device, weights_only=True)
    except OSError:
        raise
    except Exception as error:  # of a damaged file: whatever its reader stumbles over
        raise ValueError(f"{path} is not a state that can be read: start in a new folder.") from error
    try:
        state.network.load_state_dict(saved["model"])
        if state.auxiliary is not None:
            state.auxiliary.load_state_dict(saved["auxiliary"])
        if state.average is not None:
            state.average.module.load_state_dict(saved["average"])
            state.average.n_averaged.fill_(saved["updates"] + 1)
        state.optimizer.load_state_dict(saved["optimizer"])
        old = {"best": -1.0, "begun_with": "weights that were not noted", "scores": {}}  # states until 0.1 lack some
        for name in FROM_FILE:
            setattr(state, name, (old | saved)[name])
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} was saved by a run of another network or recipe: start in a new folder.") from error
