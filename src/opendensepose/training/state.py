"""What a run needs to go on after it was killed: averaged weights, and the training state on disk."""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from opendensepose.atomic_write import atomic_file

__all__ = ["MovingAverage", "TrainingState", "load_state", "read_state", "save_state", "write_state"]


class MovingAverage:
    """Exponential moving average of a model's parameters: a <- d a + (1 - d) w, d = min(decay, (1 + n) / (10 + n)).

    With a decay near 1 that is a mean over the last ninth of the updates. Buffers (batch norm statistics) are copied.
    `.model` is in evaluation mode.
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
    auxiliary: nn.Module  # heads that only training uses
    optimizer: torch.optim.Optimizer
    average: MovingAverage
    step: int = 0  # batches learned from
    elapsed_s: float = 0.0  # training time of all stints
    best: float = -1.0  # highest agreement at a validation: the score of best.safetensors


def save_state(path: Path, state: TrainingState) -> None:
    """Write the file whole or not at all."""
    content = {
        "model": state.model.state_dict(),
        "auxiliary": state.auxiliary.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "average": state.average.model.state_dict(),
        "updates": state.average.updates,
        "step": state.step,
        "elapsed_s": state.elapsed_s,
        "best": state.best,
    }
    write_state(path, content)


def write_state(path: Path, content: dict) -> None:
    """Tensors and numbers, to be read by `read_state`. OSError, one sentence, if they cannot be written, for example on
    a full disk; what was there stays."""
    try:
        with atomic_file(path) as unfinished:
            torch.save(content, unfinished)
    except (OSError, RuntimeError) as error:  # torch.save's own is a RuntimeError
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise OSError(f"{path} cannot be written, what was saved before stays: {reason}.") from error


def read_state(path: Path, device: torch.device | str = "cpu") -> dict:
    """What a state file holds: tensors and numbers only. ValueError, one sentence, if it is damaged."""
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except OSError:
        raise
    except Exception as error:  # of a damaged file: whatever its reader stumbles over
        raise ValueError(f"{path} is not a state that can be read: start in a new folder.") from error


def load_state(path: Path, state: TrainingState) -> None:
    """Fill `state` from the file, which holds tensors and numbers only. ValueError if it belongs to another model."""
    device = next(state.model.parameters()).device
    saved = read_state(path, device)
    try:
        state.model.load_state_dict(saved["model"])
        state.auxiliary.load_state_dict(saved["auxiliary"])
    except (RuntimeError, KeyError) as error:
        raise ValueError(f"{path} was saved by a run of another model: start in a new folder. {error}") from error
    state.optimizer.load_state_dict(saved["optimizer"])
    state.average.model.load_state_dict(saved["average"])
    state.average.updates = saved["updates"]
    state.step, state.elapsed_s, state.best = saved["step"], saved["elapsed_s"], saved["best"]
