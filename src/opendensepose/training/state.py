"""What a run needs to go on after it was killed: averaged weights, and the training state on disk."""

import copy
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

__all__ = ["MovingAverage", "TrainingState", "load_state", "save_state"]


class MovingAverage:
    """Exponential moving average of a model's parameters: a <- d a + (1 - d) w, d = min(decay, (1 + n) / (10 + n)).

    Buffers (batch norm statistics) are copied. `.model` is in evaluation mode.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.updates = decay, 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(list(self.model.parameters()), list(model.parameters()), 1 - decay)
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)


@dataclass
class TrainingState:
    """Everything that changes in a run."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: MovingAverage
    step: int = 0  # batches learned from
    elapsed_s: float = 0.0  # training time of all the run's sessions


def save_state(path: Path, state: TrainingState) -> None:
    """Write the file whole or not at all."""
    unfinished = path.with_name(path.name + ".tmp")
    torch.save(
        {
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "average": state.average.model.state_dict(),
            "updates": state.average.updates,
            "step": state.step,
            "elapsed_s": state.elapsed_s,
        },
        unfinished,
    )
    os.replace(unfinished, path)


def load_state(path: Path, state: TrainingState) -> None:
    """Fill `state` from the file, which holds tensors and numbers only. ValueError if it belongs to another model."""
    device = next(state.model.parameters()).device
    saved = torch.load(path, map_location=device, weights_only=True)
    try:
        state.model.load_state_dict(saved["model"])
    except RuntimeError as error:
        raise ValueError(f"{path} was saved by a run of another model: start in a new folder. {error}") from error
    state.optimizer.load_state_dict(saved["optimizer"])
    state.average.model.load_state_dict(saved["average"])
    state.average.updates = saved["updates"]
    state.step, state.elapsed_s = saved["step"], saved["elapsed_s"]
