"""Figures of a model on a fixed rendered set, and on real photos that have reference maps (measured, never learned
from)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from opendensepose.models.densepose_lite.decode import decode_crop
from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.synth.ingredients import Ingredients
from opendensepose.training.recipe import Recipe
from opendensepose.training.rendered.samples import Batch, crop_sample, stack

__all__ = ["agreement_figures", "measure_photos", "measure_rendered", "validation_batch"]

VALIDATION_SEED = 9_000_000  # no training batch has this seed
UNKNOWN = 255  # chart of pixels that a reference leaves out


def agreement_figures(
    i: ArrayLike,
    u: ArrayLike | None,
    v: ArrayLike | None,
    i_true: ArrayLike,
    u_true: ArrayLike | None = None,
    v_true: ArrayLike | None = None,
) -> dict[str, float]:
    """How far two IUV maps (arrays or tensors of one shape) agree.

    agreement: same chart / a person in either; fg_iou: a person in both / in either; label: same chart / a person in
    both; du, dv: mean absolute difference where the chart is the same. Pixels with i_true 255 are left out. Without
    such pixels: 0 (NaN for du, dv).
    """
    i, i_true = np.asarray(i), np.asarray(i_true)
    known = i_true != UNKNOWN
    person, true_person = (i > 0) & known, (i_true > 0) & known
    both, either = (person & true_person).sum(), (person | true_person).sum()
    same = person & (i == i_true)
    figures = {
        "agreement": same.sum() / max(1, either),
        "fg_iou": both / max(1, either),
        "label": same.sum() / max(1, both),
    }
    for name, value, true in (("du", u, u_true), ("dv", v, v_true)):
        if true is not None:
            apart = np.abs(np.asarray(value, np.float64) - np.asarray(true, np.float64))[same]
            figures[name] = apart.mean() if apart.size else float("nan")
    return {name: float(value) for name, value in figures.items()}


def validation_batch(recipe: Recipe, render: Callable, device: str) -> Batch:
    """Rendered crops that depend on the recipe's crop_hw and nothing else, so that runs can be compared: also not on
    fetched ingredients."""
    if recipe.validation_images is None:
        raise ValueError(f"the recipe {recipe.name} needs validation_images: rendered ones have no end.")
    rngs = np.random.default_rng(VALIDATION_SEED).spawn(recipe.validation_images)
    options = {"framing": "portrait", "ingredients": Ingredients.version_1()}
    rendered = render(rngs, recipe.rendered.crop_hw, device=device, pool_seed=VALIDATION_SEED, **options)
    return stack("crop", [crop_sample(one) for one in rendered])


@torch.inference_mode()
def measure_rendered(model: nn.Module, batch: Batch, chunk: int = 16) -> dict[str, float]:
    """agreement_figures over all pixels of a batch of crops, model in evaluation mode, true boxes."""
    device = next(model.parameters()).device
    outputs = (model.label(part.to(device)) for part in batch.image.split(chunk))
    arrays = (DenseOutput(*(part.float().cpu().numpy() for part in output)) for output in outputs)
    maps = [decode_crop(output, tuple(batch.image.shape[-2:])) for output in arrays]
    i, u, v, confidence = (np.concatenate(part) for part in zip(*maps, strict=True))
    figures = agreement_figures(i, u, v, batch.i, batch.u, batch.v)
    found = i > 0
    right = (i == np.asarray(batch.i))[found]
    figures["confidence_gap"] = float(confidence[found].mean() - right.mean()) if found.any() else 0.0
    return figures


def measure_photos(model: nn.Module, photos: Path) -> dict[str, float]:
    """Mean agreement_figures over the photos <stem>.jpg in a folder that have a reference <stem>.npz.

    The npz holds I uint8 (H, W), 255 = unknown, and may hold U, V uint8 = 255 * value. The whole path is measured:
    finding people too.
    """
    from opendensepose.data.photos import read_photo
    from opendensepose.instance import merge_instances
    from opendensepose.predict import Predictor

    predictor, rows = Predictor(model), []
    for path in sorted(photos.glob("*.npz")):
        image = read_photo(path.with_suffix(".jpg"))
        iuv, _ = merge_instances(predictor(image), image.shape[:2])
        with np.load(path) as reference:
            uv = [reference[name] / 255.0 if name in reference else None for name in "UV"]
            rows.append(agreement_figures(iuv.i, iuv.u, iuv.v, reference["I"], *uv))
    if not rows:
        raise ValueError(f"no photo with a reference .npz in {photos}.")
    names = {name for row in rows for name in row}
    means = {name: [row[name] for row in rows if not np.isnan(row.get(name, np.nan))] for name in sorted(names)}
    return {name: float(np.mean(values)) for name, values in means.items() if values}
