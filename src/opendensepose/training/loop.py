"""The training loop: fresh rendered people in, checkpoints and figures out. Survives being killed."""

import csv
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.models.checkpoints.checkpoint import load_checkpoint, save_checkpoint, weights_path
from opendensepose.models.densepose_lite.auxiliary import AuxiliaryHeads, auxiliary_losses
from opendensepose.models.densepose_lite.losses import dense_losses, detection_losses
from opendensepose.models.zoo import build_model
from opendensepose.training.log import MetricsLog, progress_bar
from opendensepose.training.precision import autocast_dtype
from opendensepose.training.recipes import Recipe
from opendensepose.training.rendered.samples import Batch, batch_loader, norm_batches
from opendensepose.training.rendered.validate import measure_photos, measure_rendered, validation_batch
from opendensepose.training.state import MovingAverage, TrainingState, load_state, save_state

__all__ = ["batch_losses", "begin_with", "estimate_norms", "learning_rate", "network_threads",
           "new_state", "run_progress", "scale_at", "shrink", "train", "train_step"]  # fmt: skip

COOLDOWN_EMA_DECAY = 0.99  # the rate falls to 0 itself: a long average would only lag behind
STATE_FILE, LAST_FILE, BEST_FILE, STINTS_FILE = "last.state.pt", "last.safetensors", "best.safetensors", "stints.csv"


def run_progress(recipe: Recipe, step: int, stint_s: float) -> float:
    """How far the stint is, 0 to 1: the larger of the fractions of the run's steps and of the stint's minutes."""
    of_steps = step / recipe.steps if recipe.steps else 0.0
    of_time = stint_s / (60 * recipe.minutes) if recipe.minutes else 0.0
    return min(1.0, max(of_steps, of_time))


def learning_rate(recipe: Recipe, step: int, progress: float = 0.0) -> float:
    """Linear warm-up over warmup_steps times the recipe's rate / sqrt(1 + step / decay_steps); in a cooldown also times
    1 - progress.

    It needs no end to aim at, so that a run can go on for any number of stints; the moving average of the weights does
    most of what a decay to 0 would, and a cooldown the rest.
    """
    warmup = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    rate = recipe.learning_rate * warmup / math.sqrt(1 + step / recipe.decay_steps)
    return rate * (1 - progress) if recipe.cooldown else rate


def network_threads(recipe: Recipe) -> int:
    """Threads for the network on a CPU: the cores that rendering leaves, at least one. More of them would wait for each
    other whenever a worker holds a core."""
    return max(1, (os.cpu_count() or 1) - recipe.num_workers)


def new_state(recipe: Recipe, device: torch.device | str) -> TrainingState:
    """Model, auxiliary heads, AdamW without decay on biases and norms, and moving average, at step 0."""
    torch.manual_seed(recipe.seed)
    model = build_model(recipe.architecture, **recipe.kwargs).to(device, memory_format=torch.channels_last)
    auxiliary = AuxiliaryHeads(model.backbone.widths).to(device, memory_format=torch.channels_last)
    parameters = [*model.parameters(), *auxiliary.parameters()]
    decayed = [p for p in parameters if p.ndim > 1]
    plain = [p for p in parameters if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
    return TrainingState(model, auxiliary, optimizer, MovingAverage(model, recipe.ema_decay))


def begin_with(state: TrainingState, model: nn.Module) -> None:
    """Put a model's weights into a fresh state; a quality branch that the model lacks stays random. ValueError if it is
    another network than the recipe's."""
    weights = model.state_dict()
    for mine in (state.model, state.average.model):
        try:
            result = mine.load_state_dict(weights, strict=False)
        except RuntimeError as error:
            raise ValueError(f"these weights belong to another network than the recipe's: {error}") from error
        missing = [name for name in result.missing_keys if not name.startswith("dense_head.quality.")]
        if missing or result.unexpected_keys:
            names = ", ".join((missing + result.unexpected_keys)[:3])
            raise ValueError(f"these weights belong to another network than the recipe's: {names} are in one only.")
    state.average.model.load_state_dict(state.model.state_dict())


def scale_at(recipe: Recipe, kind: str, step: int) -> float:
    """The scale of a step's pictures, by the recipe's shares: multiples of the golden ratio spread evenly over all
    kinds."""
    of_looks = recipe.cooldown_look_scales if recipe.cooldown else recipe.look_scales
    scales = of_looks if kind == "look" else recipe.glance_scales
    position = step * (math.sqrt(5) - 1) / 2 % 1.0
    for scale, share in scales[:-1]:
        if position < share:
            return scale
        position -= share
    return scales[-1][0]


def shrink(batch: Batch, factor: float) -> Batch:
    """The batch at a fraction of its size: pictures filtered, labels by the nearest pixel."""
    if factor == 1:
        return batch
    image = F.interpolate(batch.image.float(), scale_factor=factor, mode="bilinear", antialias=True)
    size = image.shape[-2:]
    i, u, v = (F.interpolate(x[:, None], size=size, mode="nearest-exact")[:, 0] for x in (batch.i, batch.u, batch.v))
    boxes, keypoints = batch.boxes_xyxy * factor, batch.keypoints * batch.keypoints.new_tensor([factor, factor, 1])
    return batch._replace(image=image, i=i, u=u, v=v, boxes_xyxy=boxes, keypoints=keypoints)


def batch_losses(
    state: TrainingState, batch: Batch, offset_yx: tuple[int, int], dtype: torch.dtype | None = None
) -> dict[str, Tensor]:
    """Named losses of one batch: detection for both kinds, dense labels and auxiliary outputs for crops only.

    offset_yx: see dense_losses. dtype: of the forward pass, None: float32.
    """
    image = batch.image.to(memory_format=torch.channels_last)
    with torch.autocast(image.device.type, dtype or torch.bfloat16, enabled=dtype is not None):
        if batch.kind == "glance":
            return detection_losses(state.model.detect(image), batch.boxes_xyxy)
        dense, detection, pyramid = state.model(image)
        losses = dense_losses(dense, batch.i.long(), batch.u, batch.v, offset_yx)
        losses |= auxiliary_losses(state.auxiliary(pyramid), batch.keypoints, batch.yaw)
        return losses | detection_losses(detection, batch.boxes_xyxy)


def train_step(
    state: TrainingState, batch: Batch, recipe: Recipe, dtype: torch.dtype | None = None, progress: float = 0.0
) -> dict[str, float]:
    """One update. Returns the named losses; FloatingPointError, before a weight is changed, if one of them or the
    gradient is not finite. dtype: see batch_losses; progress: of the stint, for learning_rate."""
    state.model.train()
    losses = batch_losses(state, batch, (state.step % 2, state.step // 2 % 2), dtype)
    total = sum(recipe.loss_weights[name] * loss for name, loss in losses.items())
    parts = {name: loss.item() for name, loss in losses.items()}
    shown = ", ".join(f"{name} {value:.4g}" for name, value in parts.items())
    if not math.isfinite(total.item()):
        raise FloatingPointError(f"the loss is not finite at step {state.step} ({batch.kind} batch): {shown}.")
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(recipe, state.step, progress)
    state.optimizer.zero_grad()
    total.backward()
    parameters = [*state.model.parameters(), *state.auxiliary.parameters()]
    norm = nn.utils.clip_grad_norm_(parameters, recipe.clip_norm)
    if not math.isfinite(norm.item()):
        raise FloatingPointError(
            f"the gradient is not finite at step {state.step} ({batch.kind} batch) though the losses are: {shown}."
        )
    state.optimizer.step()
    state.average.update(state.model)
    state.step += 1
    return {f"{batch.kind}/{name}": value for name, value in parts.items()}


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
            model.detect(image) if batch.kind == "glance" else model(image)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()


def train(
    recipe: Recipe,
    out_dir: str | Path,
    resume: bool = False,
    device: str | None = None,
    photos: str | Path | None = None,
    render: Callable | None = None,
    start: str | Path | None = None,
) -> Path:
    """Train for one stint and return the path of the weights it ends with, out_dir/<recipe name>.safetensors (float16).

    out_dir also gets last.safetensors (averaged weights), best.safetensors (highest agreement on rendered people),
    last.state.pt (to resume), metrics.csv, stints.csv (a row for each stint: steps, samples, hours, scores) and
    tensorboard/. resume goes on from last.state.pt with images not seen before; where there is none yet, the run
    begins. A recipe with cooldown needs such a state and does not change it: only the returned weights are new.

    device: default CUDA if there is one. photos: folder of real photos with reference maps, measured only. start: a
    released model's name or a checkpoint of the same network as initial weights, instead of random ones. render:
    default `synth.generate.render_images`. Ctrl-C and SIGTERM end the stint early, after a last validation and save.
    Raises FloatingPointError on a loss or gradient that is not finite; what was saved before stays.
    """
    out_dir = Path(out_dir)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if render is None:
        from opendensepose.synth.generate import render_images as render
    state = new_state(recipe, device)
    if (out_dir / STATE_FILE).exists():
        if not resume:
            raise ValueError(f"{out_dir} holds a run already: resume it, or choose another folder.")
        load_state(out_dir / STATE_FILE, state)
    elif recipe.cooldown:
        raise ValueError(f"a cooldown ends a run that was begun, and {out_dir} holds none: train without it first.")
    elif start is not None:
        begin_with(state, load_checkpoint(weights_path(start), device).model)
    out_dir.mkdir(parents=True, exist_ok=True)
    threads_before = torch.get_num_threads()
    log = MetricsLog(out_dir)
    try:
        if torch.device(device).type == "cpu":
            torch.set_num_threads(network_threads(recipe))
        _Stint(state, recipe, out_dir, log, device, photos, render).run()
    finally:
        torch.set_num_threads(threads_before)
        log.close()
    released = out_dir / f"{recipe.name}.safetensors"
    _save(released, state, recipe, {}, torch.float16)
    return released


@contextmanager
def _stop_requests() -> Iterator[threading.Event]:
    """An event that SIGINT (Ctrl-C) and SIGTERM set instead of ending the process; a second SIGINT ends it."""
    stop, before = threading.Event(), {}

    def ask(number, frame) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is threading.main_thread():  # nobody else may handle signals
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stint:
    """Batches until the stint's end, with a report, a validation and a save every so often."""

    def __init__(
        self, state: TrainingState, recipe: Recipe, out_dir: Path, log: MetricsLog, device: str, photos, render
    ):
        self.state, self.recipe, self.out_dir, self.log = state, recipe, out_dir, log
        self.device, self.photos, self.render = device, Path(photos) if photos else None, render
        self.dtype = autocast_dtype(recipe.precision, device)
        self.validation = validation_batch(recipe, render, device if recipe.render_on_device else "cpu")
        self.norm_batches = norm_batches(recipe, render)
        self.sums: dict[str, list[float]] = {}
        if recipe.cooldown:
            state.average.decay = min(state.average.decay, COOLDOWN_EMA_DECAY)
        self.start_s, self.before_s, self.first_step = time.monotonic(), state.elapsed_s, state.step

    def run(self) -> None:
        state, recipe = self.state, self.recipe
        scores: dict[str, float] = {}
        with progress_bar() as bar, _stop_requests() as stop:
            task = bar.add_task(recipe.name, total=1.0)
            for batch in batch_loader(recipe, self.render, state.step, self.device):
                state.elapsed_s = self.before_s + time.monotonic() - self.start_s
                progress = run_progress(recipe, state.step, state.elapsed_s - self.before_s)
                progress = 1.0 if stop.is_set() else progress
                bar.update(task, completed=progress, description=_shown(state.step, self.sums))
                if state.step % recipe.validate_every == 0 or progress >= 1:
                    scores = self._validate()
                if progress >= 1:
                    return self._note(scores)
                for name, value in self._learn(batch, progress).items():
                    self.sums.setdefault(name, []).append(value)

    def _learn(self, batch: Batch, progress: float) -> dict[str, float]:
        on_device = Batch(batch.kind, *(part.to(self.device, non_blocking=True) for part in batch[1:]))
        on_device = shrink(on_device, scale_at(self.recipe, batch.kind, self.state.step))
        return train_step(self.state, on_device, self.recipe, self.dtype, progress)

    def _validate(self) -> dict[str, float]:
        """Measure the averaged weights, log, and, except in a cooldown, save. Returns the scores."""
        state = self.state
        means = {name: sum(values) / len(values) for name, values in self.sums.items()}
        self.log.write(state.step, state.elapsed_s, "train", means)
        self.sums = {}
        estimate_norms(state.average.model, self.norm_batches, self.dtype)
        scores = measure_rendered(state.average.model, self.validation)
        self.log.write(state.step, state.elapsed_s, "rendered", scores)
        if self.photos:
            of_photos = measure_photos(state.average.model, self.photos)
            self.log.write(state.step, state.elapsed_s, "photos", of_photos)
            scores |= {f"photos/{name}": value for name, value in of_photos.items()}
        if self.recipe.cooldown:
            return scores
        _save(self.out_dir / LAST_FILE, state, self.recipe, scores)
        if scores["agreement"] > state.best:
            state.best = scores["agreement"]
            _save(self.out_dir / BEST_FILE, state, self.recipe, scores)
        save_state(self.out_dir / STATE_FILE, state)
        return scores

    def _note(self, scores: dict[str, float]) -> None:
        """A row for the stint in stints.csv."""
        state, stint_s = self.state, max(self.state.elapsed_s - self.before_s, 1e-9)
        row = {
            "ended": datetime.now().isoformat(timespec="seconds"),
            "steps": state.step,
            "samples": state.step * self.recipe.batch_size,
            "hours": round(state.elapsed_s / 3600, 2),
            "samples_per_s": round((state.step - self.first_step) * self.recipe.batch_size / stint_s, 1),
            "learning_rate": f"{learning_rate(self.recipe, state.step):.3g}",
            "cooldown": "yes" if self.recipe.cooldown else "no",
        }
        row |= {name: "" for name in SCORE_COLUMNS} | {k: f"{v:.4g}" for k, v in scores.items() if k in SCORE_COLUMNS}
        path = self.out_dir / STINTS_FILE
        is_new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row)
            if is_new:
                writer.writeheader()
            writer.writerow(row)


SCORE_COLUMNS = tuple(
    prefix + name for prefix in ("", "photos/") for name in ("agreement", "fg_iou", "label", "du", "dv")
)


def _save(path: Path, state: TrainingState, recipe: Recipe, scores: dict, dtype: torch.dtype | None = None) -> None:
    about = asdict(recipe) | {"step": state.step, "elapsed_s": round(state.elapsed_s)}
    save_checkpoint(path, state.average.model, recipe.architecture, recipe.kwargs, about, scores, dtype)


def _shown(step: int, sums: dict[str, list[float]]) -> str:
    losses = " ".join(
        f"{name.split('/')[1]} {values[-1]:.3f}" for name, values in sorted(sums.items()) if "look" in name
    )
    return f"step {step} {losses}"
