"""The training loop: fresh rendered people in, checkpoints and figures out. Survives being killed."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from opendensepose.models.checkpoint import load_checkpoint, save_checkpoint
from opendensepose.models.losses import dense_losses, detection_losses
from opendensepose.models.zoo import build_model, weights_path
from opendensepose.training.log import MetricsLog, progress_bar
from opendensepose.training.recipes import Recipe
from opendensepose.training.samples import Batch, batch_loader
from opendensepose.training.state import MovingAverage, TrainingState, load_state, save_state
from opendensepose.training.validate import measure_photos, measure_rendered, validation_batch

__all__ = ["batch_losses", "begin_with", "learning_rate", "new_state", "run_progress", "shrink", "train", "train_step"]

STATE_FILE, LAST_FILE, BEST_FILE = "last.state.pt", "last.safetensors", "best.safetensors"


def run_progress(recipe: Recipe, step: int, elapsed_s: float) -> float:
    """How far the run is, 0 to 1: the larger of the fractions of its steps and of its minutes."""
    of_steps = step / recipe.steps if recipe.steps else 0.0
    of_time = elapsed_s / (60 * recipe.minutes) if recipe.minutes else 0.0
    return min(1.0, max(of_steps, of_time))


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    """Linear warm-up over warmup_steps times a cosine from the recipe's rate at progress 0 to 0 at progress 1."""
    warmup = min(1.0, (step + 1) / max(1, recipe.warmup_steps))
    return recipe.learning_rate * warmup * 0.5 * (1 + math.cos(math.pi * progress))


def new_state(recipe: Recipe, device: torch.device | str) -> TrainingState:
    """Model, AdamW without decay on biases and norms, and moving average, at step 0."""
    torch.manual_seed(recipe.seed)
    model = build_model(recipe.architecture, **recipe.kwargs).to(device, memory_format=torch.channels_last)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate)
    return TrainingState(model, optimizer, MovingAverage(model, recipe.ema_decay))


def begin_with(state: TrainingState, model: nn.Module) -> None:
    """Put a model's weights into a fresh state. ValueError if it is another network than the recipe's."""
    try:
        state.model.load_state_dict(model.state_dict())
        state.average.model.load_state_dict(model.state_dict())
    except RuntimeError as error:
        raise ValueError(f"these weights belong to another network than the recipe's: {error}") from error


def shrink(batch: Batch) -> Batch:
    """The batch at 2/3 of its size: pictures filtered, labels by the nearest pixel."""
    image = F.interpolate(batch.image.float(), scale_factor=2 / 3, mode="bilinear", antialias=True)
    i, u, v = (F.interpolate(label[:, None], size=image.shape[-2:], mode="nearest-exact")[:, 0] for label in batch[2:5])
    return Batch(batch.kind, image, i, u, v, batch.boxes_xyxy * (2 / 3))


def batch_losses(model: nn.Module, batch: Batch, offset_yx: tuple[int, int]) -> dict[str, Tensor]:
    """Named losses of one batch: detection for both kinds, dense labels for crops only."""
    image = batch.image.to(memory_format=torch.channels_last)
    with torch.autocast(image.device.type, torch.bfloat16, enabled=image.device.type == "cuda"):
        if batch.kind == "glance":
            return detection_losses(model.glance(image), batch.boxes_xyxy)
        dense, detection = model(image)
        losses = dense_losses(dense, batch.i.long(), batch.u, batch.v, offset_yx)
        return losses | detection_losses(detection, batch.boxes_xyxy)


def train_step(state: TrainingState, batch: Batch, recipe: Recipe, progress: float) -> dict[str, float]:
    """One update. Returns the named losses; FloatingPointError, before anything is changed, if one is not finite."""
    state.model.train()
    if progress >= recipe.freeze_norm_at:
        for module in state.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
    if batch.kind == "look" and progress < recipe.small_until:
        batch = shrink(batch)
    losses = batch_losses(state.model, batch, (state.step % 2, state.step // 2 % 2))
    total = sum(recipe.loss_weights[name] * loss for name, loss in losses.items())
    parts = {name: loss.item() for name, loss in losses.items()}
    if not math.isfinite(total.item()):
        shown = ", ".join(f"{name} {value:.4g}" for name, value in parts.items())
        raise FloatingPointError(f"the loss is not finite at step {state.step} ({batch.kind} batch): {shown}.")
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(recipe, state.step, progress)
    state.optimizer.zero_grad()
    total.backward()
    nn.utils.clip_grad_norm_(state.model.parameters(), recipe.clip_norm)
    state.optimizer.step()
    state.average.update(state.model)
    state.step += 1
    return {f"{batch.kind}/{name}": value for name, value in parts.items()}


def train(
    recipe: Recipe,
    out_dir: str | Path,
    resume: bool = False,
    device: str | None = None,
    photos: str | Path | None = None,
    render: Callable | None = None,
    start: str | Path | None = None,
) -> Path:
    """Train to the end of the recipe and return the path of the released weights, out_dir/<recipe name>.safetensors
    (float16).

    out_dir also gets last.safetensors (averaged weights), best.safetensors (highest agreement on rendered people),
    last.state.pt (to resume), metrics.csv and tensorboard/. resume goes on from last.state.pt with images not seen
    before. device: default CUDA if there is one. photos: folder of real photos with reference maps, measured only.
    start: a released model's name or a checkpoint of the same network to begin with, instead of random weights.
    render: default `synth.generate.render_images`. Raises FloatingPointError on a non-finite loss; what was saved
    before stays.
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
    elif start is not None:
        begin_with(state, load_checkpoint(weights_path(start), device).model)
    out_dir.mkdir(parents=True, exist_ok=True)
    log = MetricsLog(out_dir)
    try:
        _run(state, recipe, out_dir, log, device, photos, render)
    finally:
        log.close()
    released = out_dir / f"{recipe.name}.safetensors"
    _save(released, state, recipe, {}, torch.float16)
    return released


def _run(state: TrainingState, recipe: Recipe, out_dir: Path, log: MetricsLog, device: str, photos, render) -> None:
    """Batches until the recipe's end, with a report, a validation and a save every so often."""
    validation, best = validation_batch(recipe, render, device), -1.0
    start, before = time.monotonic(), state.elapsed_s
    sums: dict[str, list[float]] = {}
    with progress_bar() as bar:
        task = bar.add_task(recipe.name, total=1.0)
        for batch in batch_loader(recipe, render, state.step, device):
            progress = run_progress(recipe, state.step, state.elapsed_s)
            bar.update(task, completed=progress, description=_shown(state.step, sums))
            if state.step % recipe.validate_every == 0 or progress >= 1:
                means = {name: sum(values) / len(values) for name, values in sums.items()}
                log.write(state.step, state.elapsed_s, "train", means)
                sums = {}
                scores = measure_rendered(state.average.model, validation)
                log.write(state.step, state.elapsed_s, "rendered", scores)
                if photos:
                    log.write(state.step, state.elapsed_s, "photos", measure_photos(state.average.model, Path(photos)))
                _save(out_dir / LAST_FILE, state, recipe, scores)
                save_state(out_dir / STATE_FILE, state)
                if scores["agreement"] > best:
                    best = scores["agreement"]
                    _save(out_dir / BEST_FILE, state, recipe, scores)
            if progress >= 1:
                return
            on_device = Batch(batch.kind, *(part.to(device, non_blocking=True) for part in batch[1:]))
            for name, value in train_step(state, on_device, recipe, progress).items():
                sums.setdefault(name, []).append(value)
            state.elapsed_s = before + time.monotonic() - start


def _save(path: Path, state: TrainingState, recipe: Recipe, scores: dict, dtype: torch.dtype | None = None) -> None:
    about = asdict(recipe) | {"step": state.step, "elapsed_s": round(state.elapsed_s)}
    save_checkpoint(path, state.average.model, recipe.architecture, recipe.kwargs, about, scores, dtype)


def _shown(step: int, sums: dict[str, list[float]]) -> str:
    losses = " ".join(
        f"{name.split('/')[1]} {values[-1]:.3f}" for name, values in sorted(sums.items()) if "look" in name
    )
    return f"step {step} {losses}"
