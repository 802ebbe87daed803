"""The training loop, for samples from either source: rendered without end, or annotated. Survives being killed.

A source yields batches from a step on, `network.losses(*batch)` gives named losses, and the source measures the
network. All that changes in a run is in a TrainingState; a run that is killed goes on from the last one saved, with the
samples that it would have seen. Lightning Fabric runs it on one device or in many processes.
"""

import csv
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import nn

from opendensepose.models.checkpoints.checkpoint import load_checkpoint, save_checkpoint, weights_path
from opendensepose.models.zoo import build_model
from opendensepose.training.annotated.source import AnnotatedPeople
from opendensepose.training.log import MetricsLog, progress_bar
from opendensepose.training.precision import autocast_dtype
from opendensepose.training.processes import FirstProcess, check_same_step, make_fabric
from opendensepose.training.recipe import Recipe, RenderedSource
from opendensepose.training.rendered.source import RenderedPeople
from opendensepose.training.state import TrainingState, load_state, new_state, save_state

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["Source", "learning_rate", "new_network", "run_progress", "seed_of_step", "train", "train_step"]

STATE_FILE, LAST_FILE, BEST_FILE, STINTS_FILE = "last.state.pt", "last.safetensors", "best.safetensors", "stints.csv"
NEW_PARTS = ("dense_head.quality.",)  # what initial weights may lack; it stays random


class Source(Protocol):
    """Where samples come from, and how a network that learns from them is measured.

    learner: the module that learns, with `losses`: the network, or the network and heads that only training uses.
    batches: without end or up to the recipe's last step, from step `first` on, on the device; a batch is what `losses`
    takes. validate: figures by split, in the first process.
    """

    released_dtype: torch.dtype | None  # of the weights that a stint ends with; None: as they are
    validates_start: bool  # whether a run is measured before its first step too
    score_names: tuple[str, ...]  # columns of stints.csv
    network_threads: int | None  # on a CPU, beside the processes that make samples; None: torch's own choice

    def learner(self, network: nn.Module) -> nn.Module: ...

    def batches(self, first: int) -> Iterator[tuple]: ...

    def validate(self, network: nn.Module) -> dict[str, dict[str, float]]: ...


def run_progress(recipe: Recipe, step: int, stint_s: float) -> float:
    """How far the stint is, 0 to 1: the larger of the fractions of the run's steps and of the stint's minutes."""
    of_steps = step / recipe.steps if recipe.steps else 0.0
    of_time = stint_s / (60 * recipe.minutes) if recipe.minutes else 0.0
    return min(1.0, max(of_steps, of_time))


def learning_rate(recipe: Recipe, step: int, progress: float = 0.0) -> float:
    """The recipe's rate after a linear warm-up, by its inverse root, drops or cosine; in a cooldown also times
    1 - progress.

    The inverse root needs no end to aim at, so that a run can go on for any number of stints; the moving average of the
    weights does most of what a decay to 0 would, and a cooldown the rest.
    """
    if recipe.decay_steps:
        warmup = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
        rate = recipe.learning_rate * warmup / math.sqrt(1 + step / recipe.decay_steps)
    else:
        alpha = min(1.0, step / recipe.warmup_steps) if recipe.warmup_steps else 1.0
        done = step / recipe.steps if recipe.steps else 0.0
        drops = recipe.drops
        fall = 0.5 * (1 + math.cos(math.pi * done)) if drops is None else 0.1 ** sum(done >= drop for drop in drops)
        rate = recipe.learning_rate * ((recipe.warmup_factor * (1 - alpha) + alpha) * fall)
    return rate * (1 - progress) if recipe.cooldown else rate


def seed_of_step(seed: int, step: int, rank: int) -> int:
    """The seed of whatever a network draws from torch's own generator, of its own for each step and process. Draws that
    must not depend on the number of processes have generators seeded by the images, see `Targets.seed`."""
    return seed + 1_000_003 * step + (rank << 44)


def train_step(
    fabric: "Fabric", state: TrainingState, batch: tuple, recipe: Recipe, progress: float = 0.0
) -> dict[str, float]:
    """One update. Returns the named losses, averaged over processes.

    The forward pass and the losses run under autocast in the recipe's precision; weights and gradients stay float32.
    Gradients are cut at the recipe's norm, then each element at the network's clip_value, if there are such.
    progress: of the stint, for learning_rate. FloatingPointError, before a weight is changed, if a loss or the gradient
    is not finite.
    """
    torch.manual_seed(seed_of_step(recipe.seed, state.step, fabric.global_rank))
    dtype = autocast_dtype(recipe.precision, fabric.device)
    with torch.autocast(fabric.device.type, dtype or torch.bfloat16, enabled=dtype is not None):
        losses = state.model.losses(*batch)
    total = sum(recipe.loss_weights.get(name.rpartition("/")[2], 1.0) * loss for name, loss in losses.items())
    values = torch.stack([loss.detach().float() for loss in (*losses.values(), total)])
    parts = dict(zip((*losses, "total"), fabric.all_reduce(values, reduce_op="mean").tolist(), strict=True))
    shown = ", ".join(f"{name} {value:.3g}" for name, value in parts.items())
    if not all(map(math.isfinite, parts.values())):
        raise FloatingPointError(f"the loss is not finite at step {state.step}: {shown}.")
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(recipe, state.step, progress)
    state.optimizer.zero_grad()
    fabric.backward(total)
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip_norm or math.inf)
    if not math.isfinite(norm):
        raise FloatingPointError(f"the gradient is not finite at step {state.step}; losses: {shown}.")
    clip_value = getattr(state.network, "clip_value", None)
    if clip_value is not None:
        nn.utils.clip_grad_value_(state.model.parameters(), clip_value)
    state.optimizer.step()
    if state.average is not None:
        state.average.update_parameters(state.network)
    state.step += 1
    state.scores = {}
    return parts


def new_network(recipe: Recipe, start: str | Path | None) -> tuple[nn.Module, Recipe]:
    """The recipe's network, with random weights or those of `start`, and the recipe with its architecture. ValueError
    if the weights are of another network."""
    torch.manual_seed(recipe.seed)
    checkpoint = load_checkpoint(weights_path(start)) if start is not None else None
    architecture, kwargs = recipe.architecture, recipe.kwargs
    if architecture is None:
        if checkpoint is None:
            raise ValueError(f"the recipe {recipe.name} goes on from a model: name one, or a checkpoint, with --start.")
        architecture, kwargs = checkpoint.architecture, checkpoint.kwargs
        recipe = recipe.changed(architecture=architecture, kwargs=kwargs)
    network = build_model(architecture, **kwargs)
    if checkpoint is not None:
        try:
            result = network.load_state_dict(checkpoint.model.state_dict(), strict=False)
            wrong = [name for name in result.missing_keys if not name.startswith(NEW_PARTS)] + result.unexpected_keys
        except RuntimeError as error:  # tensors of other shapes
            wrong = [str(error)]
        if wrong:
            raise ValueError(
                f"{start} is a checkpoint of another network ({checkpoint.architecture} {checkpoint.kwargs}) than"
                f" {recipe.name}'s ({architecture} {kwargs}): see {wrong[0]}."
            )
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(recipe.frozen) if recipe.frozen else True)
    return network, recipe


def train(
    recipe: Recipe,
    out_dir: str | Path,
    data: str | Path | None = None,
    *,
    resume: bool = False,
    device: str | None = None,
    start: str | Path | None = None,
    backbone: str | Path | None = None,
    validation: str | Path | None = None,
    photos: str | Path | None = None,
    render: Callable | None = None,
    fabric: "Fabric | None" = None,
) -> Path:
    """Train for one stint and return the path of the weights it ends with, out_dir/<recipe name>.safetensors.

    out_dir also gets last.safetensors, last.state.pt (to resume), best.safetensors (highest agreement on rendered
    people), metrics.csv, stints.csv (a row for each stint: steps, samples, hours, scores) and tensorboard/. resume goes
    on from last.state.pt with samples not seen before; where there is none yet, the run begins. A recipe with cooldown
    needs such a state and does not change it: only the returned weights are new.

    data, validation: see `AnnotatedPeople`; photos, render: see `RenderedPeople`. start: a model's name or a checkpoint
    with initial weights; or backbone: those of its ResNet alone, see `begin_resnet`. device: default CUDA if there is
    one. Ctrl-C and SIGTERM end the stint early, after a last validation and save. Raises one sentence, and leaves what
    was saved, if the data, a checkpoint or the disk is not what it should be, or a loss or gradient is not finite.
    """
    out_dir = Path(out_dir)
    fabric = fabric or make_fabric(device)
    resuming = (out_dir / STATE_FILE).exists()
    if resuming and not resume:
        raise ValueError(f"{out_dir} holds a run already: resume it, or choose another folder.")
    if recipe.cooldown and not resuming:
        raise ValueError(f"a cooldown ends a run that was begun, and {out_dir} holds none: train without it first.")
    if start is not None and backbone is not None:
        raise ValueError("a run begins with a whole network (start) or a backbone, not with both.")
    network, recipe = new_network(recipe, None if resuming and recipe.architecture else start)
    if recipe.frozen and start is None and backbone is None and not resuming:
        raise ValueError(
            f"the recipe {recipe.name} keeps {' and '.join(recipe.frozen)} as they begin: give a pretrained ResNet with"
            " --backbone imagenet or --backbone FILE, or a whole network with --start."
        )
    if isinstance(recipe.source, RenderedSource):
        source: Source = RenderedPeople(recipe, fabric, photos, render)
    elif data is None:
        raise ValueError(f"the recipe {recipe.name} learns from annotated images: give their folder as data.")
    else:
        source = AnnotatedPeople(recipe, fabric, data, validation)
    if backbone is not None and not resuming:
        from opendensepose.models.checkpoints.resnet_weights import begin_resnet  # here: it needs torchvision

        begin_resnet(network, backbone)
    state = new_state(fabric, network, source.learner(network), recipe)
    if resuming:
        load_state(out_dir / STATE_FILE, state)
    elif start is not None or backbone is not None:
        state.begun_with = f"weights {start}" if backbone is None else f"ResNet {backbone}"
    check_same_step(fabric, state.step, out_dir)
    batches = source.batches(state.step)
    out_dir.mkdir(parents=True, exist_ok=True)
    with _network_threads(source.network_threads):
        return _Stint(fabric, recipe, source, state, out_dir).run(batches)


class _Stint:
    """Steps until the stint's end, with a report, a validation and a save every so often, which only the first process
    writes, see `FirstProcess`."""

    def __init__(self, fabric: "Fabric", recipe: Recipe, source: Source, state: TrainingState, out_dir: Path):
        self.fabric, self.recipe, self.source, self.state, self.out_dir = fabric, recipe, source, state, out_dir
        self.first = FirstProcess(fabric)
        self.log = MetricsLog(out_dir) if self.first.is_this else None
        self.losses: dict[str, list[float]] = {}  # since the last report
        self.start_s, self.before_s, self.first_step = time.monotonic(), state.elapsed_s, state.step

    def run(self, batches: Iterator[tuple]) -> Path:
        state, released = self.state, self.out_dir / f"{self.recipe.name}.safetensors"
        with progress_bar(self.first.is_this) as bar, _stop_requests() as stop:
            task = bar.add_task(self.recipe.name, total=1.0)
            try:
                while True:
                    progress = self.progress(stop)
                    bar.update(task, completed=progress, description=f"step {state.step}{self.shown()}")
                    self.report_validate_save(at_end=progress >= 1)
                    if progress >= 1:
                        break
                    for name, value in train_step(self.fabric, state, next(batches), self.recipe, progress).items():
                        self.losses.setdefault(name, []).append(value)
                self.first.do(self.note)
            finally:
                if self.log:
                    self.log.close()
        self.first.do(lambda: self.save_weights(released, self.source.released_dtype))
        return released

    def progress(self, stop: threading.Event) -> float:
        """Of the stint, the same in all processes; 1 ends it."""
        self.state.elapsed_s = self.before_s + time.monotonic() - self.start_s
        progress = run_progress(self.recipe, self.state.step, self.state.elapsed_s - self.before_s)
        progress = 1.0 if stop.is_set() else progress
        if self.fabric.world_size == 1:
            return progress
        return self.fabric.all_reduce(torch.tensor(progress, device=self.fabric.device), reduce_op="max").item()

    def report_validate_save(self, at_end: bool) -> None:
        recipe, step = self.recipe, self.state.step
        if step == self.first_step and not self.source.validates_start:
            return
        if at_end or step % (recipe.report_every or recipe.validate_every) == 0:
            self.report()
        if at_end or step % recipe.validate_every == 0:
            self.first.do(self.validate)
        if (at_end or step % (recipe.save_every or recipe.validate_every) == 0) and not recipe.cooldown:
            self.first.do(self.save)

    def report(self) -> None:
        means = {name: sum(values) / len(values) for name, values in self.losses.items()}
        self.losses = {}
        if self.log:
            self.log.write(self.state.step, self.state.elapsed_s, "train", means)

    def validate(self) -> None:
        state = self.state
        scores: dict[str, float] = {}
        for split, figures in self.source.validate(state.released).items():
            if self.log:
                self.log.write(state.step, state.elapsed_s, split, figures)
            scores |= {f"{split}/{name}": value for name, value in figures.items()} if scores else figures
        state.scores = scores
        if scores.get("agreement", -1.0) > state.best and not self.recipe.cooldown:
            state.best = scores["agreement"]
            self.save_weights(self.out_dir / BEST_FILE)

    def save(self) -> None:
        """The state last: where it is, the weights are of the same step or later."""
        self.save_weights(self.out_dir / LAST_FILE)
        save_state(self.out_dir / STATE_FILE, self.state)

    def save_weights(self, path: Path, dtype: torch.dtype | None = None) -> None:
        recipe, state = self.recipe, self.state
        about = asdict(recipe) | {"step": state.step, "elapsed_s": round(state.elapsed_s)}
        about["begun_with"] = state.begun_with
        assert recipe.architecture is not None  # see new_network
        save_checkpoint(path, state.released, recipe.architecture, recipe.kwargs, about, state.scores, dtype)

    def note(self) -> None:
        """A row for the stint in stints.csv."""
        state, batch_size = self.state, self.recipe.batch_size
        stint_s = max(state.elapsed_s - self.before_s, 1e-9)
        row = {
            "ended": datetime.now().isoformat(timespec="seconds"),
            "steps": state.step,
            "samples": state.step * batch_size,
            "hours": round(state.elapsed_s / 3600, 2),
            "samples_per_s": round((state.step - self.first_step) * batch_size / stint_s, 1),
            "learning_rate": f"{learning_rate(self.recipe, state.step):.3g}",
            "cooldown": "yes" if self.recipe.cooldown else "no",
        }
        row |= {name: f"{state.scores[name]:.4g}" if name in state.scores else "" for name in self.source.score_names}
        path = self.out_dir / STINTS_FILE
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row)
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def shown(self) -> str:
        return f" loss {self.losses['total'][-1]:.3f}" if self.losses else ""


@contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """An event that SIGINT (Ctrl-C) and SIGTERM set instead of ending the process; a second SIGINT ends it."""
    stop, before = threading.Event(), {}

    def ask(number: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is threading.main_thread():  # nobody else may handle signals
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _network_threads(number: int | None) -> Iterator[None]:
    """Torch computes with so many threads inside; None: with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
