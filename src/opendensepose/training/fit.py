"""Training of the paper's networks on annotated images, on one device or, with Lightning Fabric, on many.

A network has `losses(images, targets) -> dict[str, Tensor]`, already weighted. All that changes in a run is in a
FitState; a run that is killed goes on from the last one saved, with the same data in the same order.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from opendensepose.models.checkpoints.checkpoint import load_checkpoint, save_checkpoint, weights_path
from opendensepose.models.checkpoints.resnet_weights import begin_resnet
from opendensepose.models.targets import Targets
from opendensepose.models.zoo import build_model
from opendensepose.training.annotated.images import AnnotatedImages
from opendensepose.training.annotated.sampler import DistributedBatchSampler, ImageBatches
from opendensepose.training.annotated.validate import Validation
from opendensepose.training.log import MetricsLog, progress_bar
from opendensepose.training.network_recipes import NetworkRecipe
from opendensepose.training.precision import autocast_dtype
from opendensepose.training.processes import FirstProcess, check_same_step, make_fabric
from opendensepose.training.state import read_state, write_state

__all__ = ["FitState", "fit", "new_network", "rate_factor", "set_up", "train_steps"]

STATE_FILE, LAST_FILE = "last.state.pt", "last.safetensors"


@dataclass
class FitState:
    """What changes in a run, and how it began, since the licence of those weights may bind what comes of them. model
    and optimizer are Fabric's, around ours."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0
    elapsed_s: float = 0.0
    begun_with: str = "random weights"
    scores: dict[str, float] = field(default_factory=dict)  # of the last validation


def rate_factor(recipe: NetworkRecipe, step: int) -> float:
    """What the recipe's learning rate is multiplied by: a linear rise from 0.001, then drops or a cosine."""
    alpha = min(1.0, step / recipe.warmup_steps) if recipe.warmup_steps else 1.0
    warmup = 0.001 * (1 - alpha) + alpha
    done = step / recipe.steps
    if recipe.drops is None:
        return warmup * 0.5 * (1 + math.cos(math.pi * done))
    return warmup * 0.1 ** sum(done >= drop for drop in recipe.drops)


def train_steps(
    fabric: Fabric,
    state: FitState,
    batches: Iterable[tuple[list[Tensor], list[Targets]]],
    recipe: NetworkRecipe,
    after_step: Callable[[dict[str, float]], None],
) -> None:
    """Make one update per batch, and call after_step with the named losses, averaged over processes.

    The forward pass and the losses run under autocast in the recipe's precision; weights and gradients stay float32.

    FloatingPointError, before anything is changed, if a loss or a gradient is not finite.
    """
    dtype = autocast_dtype(recipe.precision, fabric.device)
    state.model.train()
    for name, module in state.model.module.named_modules():
        if recipe.frozen and name.startswith(recipe.frozen):
            module.eval()  # its statistics stay too
    for images, targets in batches:
        torch.manual_seed(seed_of_step(recipe.seed, state.step, fabric.global_rank))
        images = [image.to(fabric.device, non_blocking=True).float() for image in images]
        targets = [target.to(fabric.device) for target in targets]
        with torch.autocast(fabric.device.type, dtype or torch.bfloat16, enabled=dtype is not None):
            losses = state.model.losses(images, targets)
        total = sum(losses.values())
        parts = _mean_over_processes(fabric, losses)
        _check_finite(parts, state.step)
        for group in state.optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate_factor(recipe, state.step)
        state.optimizer.zero_grad()
        fabric.backward(total)
        norm = nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip_norm)
        if not math.isfinite(norm):
            raise FloatingPointError(f"the gradient is not finite at step {state.step}; losses: {_shown(parts)}.")
        state.optimizer.step()
        state.step += 1
        after_step(parts)


def seed_of_step(seed: int, step: int, rank: int) -> int:
    """The seed of whatever a network draws from torch's own generator, of its own for each step and process. Draws that
    must not depend on the number of processes have generators seeded by the images, see `Targets.seed`."""
    return seed + 1_000_003 * step + (rank << 44)


def _mean_over_processes(fabric: Fabric, losses: dict[str, Tensor]) -> dict[str, float]:
    values = torch.stack([loss.detach().float() for loss in losses.values()])
    return dict(zip(losses, fabric.all_reduce(values, reduce_op="mean").tolist(), strict=True))


def _check_finite(parts: dict[str, float], step: int) -> None:
    if not all(map(math.isfinite, parts.values())):
        raise FloatingPointError(f"the loss is not finite at step {step}: {_shown(parts)}.")


def _shown(parts: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in parts.items())


def fit(
    recipe: NetworkRecipe,
    data: str | Path,
    out_dir: str | Path,
    *,
    resume: bool = False,
    device: str | None = None,
    start: str | Path | None = None,
    backbone: str | Path | None = None,
    validation: str | Path | None = None,
    fabric: Fabric | None = None,
) -> Path:
    """Train to the end of the recipe and return the path of the weights, out_dir/<recipe name>.safetensors.

    data: see `AnnotatedImages`. out_dir also gets last.safetensors, last.state.pt (to resume) and metrics.csv. start: a
    model's name or a checkpoint with the initial weights; or backbone: those of its ResNet alone, see `begin_resnet`.
    validation: a folder like data, measured every so often. Raises one sentence, and leaves what was saved, if the
    data, a checkpoint or the disk is not what it should be.
    """
    out_dir = Path(out_dir)
    fabric = fabric or make_fabric(device)
    resuming = (out_dir / STATE_FILE).exists()
    if resuming and not resume:
        raise ValueError(f"{out_dir} holds a run already: resume it, or choose another folder.")
    images = AnnotatedImages(data, recipe.transforms, recipe.seed, recipe.dense)
    measured = Validation(validation, recipe.validation_images) if validation else None
    if start is not None and backbone is not None:
        raise ValueError("a run begins with a whole network (start) or a backbone, not with both.")
    network, recipe = new_network(recipe, start)
    if backbone is not None and not resuming:
        begin_resnet(network, backbone)
    if measured and recipe.architecture in {"teacher", "crop_labeller"}:
        raise ValueError(
            f"a {recipe.architecture} finds nobody in photos: leave --validation out, and measure what it helps."
        )
    state = set_up(fabric, network, recipe)
    if resuming:
        _load(out_dir / STATE_FILE, network, state, recipe)
    elif start is not None or backbone is not None:
        state.begun_with = f"weights {start}" if backbone is None else f"ResNet {backbone}"
    check_same_step(fabric, state.step, out_dir)
    order = DistributedBatchSampler(
        len(images), recipe.batch_size, recipe.seed, state.step, recipe.steps, fabric.global_rank, fabric.world_size
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    run = _Run(fabric, recipe, network, state, out_dir, measured)
    try:
        run.begin()
        train_steps(fabric, state, ImageBatches(images, order, recipe.workers), recipe, run.after_step)
    finally:
        run.close()
    released = out_dir / f"{recipe.name}.safetensors"
    run.first.do(lambda: run.save_weights(released))
    return released


def new_network(recipe: NetworkRecipe, start: str | Path | None) -> tuple[nn.Module, NetworkRecipe]:
    """The recipe's network, with random weights or those of `start`, and the recipe with its architecture. ValueError
    if the weights are of another network."""
    torch.manual_seed(recipe.seed)
    if start is None and recipe.architecture is None:
        raise ValueError(f"the recipe {recipe.name} goes on from a model: name one, or a checkpoint, with --start.")
    if start is None:
        network = build_model(recipe.architecture, **recipe.kwargs)
    else:
        checkpoint = load_checkpoint(weights_path(start))
        if recipe.architecture is None:
            recipe = replace(recipe, architecture=checkpoint.architecture, kwargs=checkpoint.kwargs)
        network = build_model(recipe.architecture, **recipe.kwargs)
        try:
            network.load_state_dict(checkpoint.model.state_dict())
        except RuntimeError as error:
            raise ValueError(
                f"{start} is a checkpoint of another network ({checkpoint.architecture} {checkpoint.kwargs}) than"
                f" {recipe.name}'s ({recipe.architecture} {recipe.kwargs})."
            ) from error
    if not hasattr(network, "losses"):
        raise ValueError(f"a {recipe.architecture} cannot be trained on annotated images.")
    if hasattr(network, "sampling"):
        network.sampling = type(network.sampling)(**recipe.sampling)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(recipe.frozen) if recipe.frozen else True)
    return network, recipe


def set_up(fabric: Fabric, network: nn.Module, recipe: NetworkRecipe) -> FitState:
    """Network and optimizer as Fabric runs them. Biases and norms do not decay."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    network = network.to(memory_format=torch.channels_last)
    learned = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learned if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum)
    else:
        optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    model, optimizer = fabric.setup(network, optimizer)
    model.mark_forward_method("losses")
    return FitState(model, optimizer)


def _load(path: Path, network: nn.Module, state: FitState, recipe: NetworkRecipe) -> None:
    saved = read_state(path)
    try:
        network.load_state_dict(saved["model"])
        state.optimizer.load_state_dict(saved["optimizer"])
        state.step, state.elapsed_s = saved["step"], saved["elapsed_s"]
        state.begun_with = saved.get("begun_with", state.begun_with)
        if state.step >= recipe.steps:  # else they are of weights that will change
            state.scores = saved.get("scores", {})
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} was saved by a run of another network or recipe: start in a new folder.") from error


class _Run:
    """Reports, saves and validates while training runs; only the first process writes, see `FirstProcess`."""

    def __init__(self, fabric: Fabric, recipe: NetworkRecipe, network: nn.Module, state: FitState, out_dir, measured):
        self.fabric, self.recipe, self.network, self.state = fabric, recipe, network, state
        self.out_dir, self.measured = out_dir, measured
        self.first = FirstProcess(fabric)
        self.log = MetricsLog(out_dir) if fabric.is_global_zero else None
        self.sums: dict[str, float] = {}
        self.count = 0
        self.bar = None

    def begin(self) -> None:
        self.start, self.before = time.monotonic(), self.state.elapsed_s
        if self.fabric.is_global_zero:
            self.bar = progress_bar()
            self.bar.start()
            self.task = self.bar.add_task(self.recipe.name, total=self.recipe.steps, completed=self.state.step)

    def after_step(self, parts: dict[str, float]) -> None:
        state, recipe = self.state, self.recipe
        state.elapsed_s = self.before + time.monotonic() - self.start
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1
        at_end = state.step == recipe.steps
        if state.step % recipe.report_every == 0 or at_end:
            self.report()
        if self.measured and (state.step % recipe.validate_every == 0 or at_end):
            self.first.do(self.validate)
        if state.step % recipe.save_every == 0 or at_end:
            self.first.do(self.save)

    def report(self) -> None:
        means = {name: value / self.count for name, value in self.sums.items()}
        self.sums, self.count = {}, 0
        if self.fabric.is_global_zero:
            self.log.write(self.state.step, self.state.elapsed_s, "train", means | {"total": sum(means.values())})
            shown = f"step {self.state.step} loss {sum(means.values()):.3f}"
            self.bar.update(self.task, completed=self.state.step, description=shown)

    def validate(self) -> None:
        self.state.scores = self.measured.scores(self.network)  # of a copy
        self.log.write(self.state.step, self.state.elapsed_s, "validation", self.state.scores)

    def save(self) -> None:
        """The state last: where it is, the weights are of the same step or later."""
        self.save_weights(self.out_dir / LAST_FILE)
        state = self.state
        content = {
            "model": self.network.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "step": state.step,
            "elapsed_s": state.elapsed_s,
            "begun_with": state.begun_with,
            "scores": state.scores,
        }
        write_state(self.out_dir / STATE_FILE, content)

    def save_weights(self, path: Path) -> None:
        recipe, state = self.recipe, self.state
        about = asdict(recipe) | {
            "step": state.step,
            "elapsed_s": round(state.elapsed_s),
            "begun_with": state.begun_with,
        }
        save_checkpoint(path, self.network, recipe.architecture, recipe.kwargs, about, state.scores)

    def close(self) -> None:
        if self.bar:
            self.bar.stop()
        if self.log:
            self.log.close()
