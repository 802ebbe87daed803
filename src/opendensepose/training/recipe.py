"""A recipe: all that decides a training run, in one frozen dataclass, with the settings of its source of samples."""

import dataclasses
import os
from dataclasses import dataclass, field, fields
from typing import Any

from opendensepose.synth.ingredients import Ingredients
from opendensepose.training.annotated.transforms import Transforms

__all__ = ["AnnotatedSource", "Recipe", "RenderedSource"]

Scales = tuple[tuple[float, float], ...]  # (scale, share of the batches)


@dataclass(frozen=True)
class RenderedSource:
    """Which rendered images a network learns from: crops, each framed by the box of one person, and whole photos.

    Images are rendered at full size; small ones cost less to learn from.
    """

    crop_hw: tuple[int, int] = (256, 192)
    photo_sides: tuple[int, int] = (256, 192)  # longer and shorter side of whole photos, upright or lying
    photo_every: int = 3  # one batch of so many is of whole photos
    crop_scales: Scales = ((0.5, 0.7), (0.75, 0.2), (1.0, 0.1))
    cooldown_crop_scales: Scales = ((0.5, 0.1), (0.75, 0.5), (1.0, 0.4))  # as in prediction
    photo_scales: Scales = ((0.5, 0.25), (0.75, 0.6), (1.0, 0.15))
    without: tuple[str, ...] = ()  # ingredients of variety that are switched off, names of synth.Ingredients' fields
    empty_share: float = 0.06  # of the crops show nobody: what a detector's false alarms look like
    reuse: int = 2  # times a rendered image is used; from the second time on augmented
    render_on_device: bool = False  # render on the GPU that trains, without workers
    norm_batches: int = 9  # from which batch norm's statistics of the averaged weights are estimated

    @property
    def ingredients(self) -> Ingredients:
        """What is on when images are rendered. ValueError if `without` names no ingredient."""
        known = [field.name for field in fields(Ingredients)]
        for name in self.without:
            if name not in known:
                raise ValueError(f"unknown ingredient {name!r}; known: {', '.join(known)}.")
        return Ingredients(**dict.fromkeys(self.without, False))

    def __post_init__(self) -> None:
        _check_positive(self, "photo_every", "reuse")
        self.ingredients  # noqa: B018 (checks the names)
        for name in ("crop_scales", "cooldown_crop_scales", "photo_scales"):
            scales, shares = zip(*getattr(self, name), strict=True)
            if not all(0 < scale <= 1 for scale in scales) or abs(sum(shares) - 1) > 1e-6:
                raise ValueError(f"{name} must be scales in (0, 1] with shares of sum 1, got {getattr(self, name)}.")
        of_crops = self.crop_scales + self.cooldown_crop_scales
        for name, scales in (("crop_hw", of_crops), ("photo_sides", self.photo_scales)):
            if any(side * scale % 8 for side in getattr(self, name) for scale, _ in scales):
                raise ValueError(f"{name} must be multiples of 8 at every scale, got {getattr(self, name)}.")


@dataclass(frozen=True)
class AnnotatedSource:
    """How annotated images are learned from.

    transforms: augmentation of the samples. dense: the folder beside the annotations with dense labels, if they are
    learned too. sampling: of `models.rcnn.samples.Sampling`.
    """

    transforms: Transforms = field(default_factory=Transforms)
    dense: str | None = None
    sampling: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """What to train, on samples from which source, and how. ValueError if the values cannot be.

    architecture, kwargs: of `models.zoo.build_model`; no architecture: the one of the initial weights. batch_size:
    images of a step, of all processes together.

    A run may have many stints: each ends when the run has done `steps` or when the stint has lasted `minutes`,
    whichever is first; None leaves a limit out. The learning rate rises over warmup_steps, without decay_steps from
    warmup_factor of it. With decay_steps it then falls as 1 / sqrt(1 + step / decay_steps), which needs no end to aim
    at; else it is multiplied by 0.1 at each fraction of the run in drops, or with drops None falls as a cosine to 0.
    """

    name: str
    architecture: str | None
    source: RenderedSource | AnnotatedSource
    kwargs: dict = field(default_factory=dict)
    seed: int = 0
    steps: int | None = 130_000
    minutes: float | None = None
    batch_size: int = 16
    workers: int | None = 4  # processes that make samples; None: half of the cores
    precision: str = "float32"  # of the network's forward pass: or "bfloat16", or "auto", what is fast on the device
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 1e-4
    warmup_steps: int = 1000
    warmup_factor: float = 0.001
    decay_steps: int | None = None
    drops: tuple[float, ...] | None = (100 / 130, 120 / 130)
    cooldown: bool = False  # the rate falls to 0 within this stint, whose weights are for release only
    clip_norm: float | None = 35.0  # of all gradients together; None: any
    loss_weights: dict = field(default_factory=dict)  # by name; 1 for losses that are not named
    frozen: tuple[str, ...] = ()  # parts of the network, by the beginning of their names, that stay as they are
    ema_decay: float | None = None  # of the averaged weights, which are then measured and released
    report_every: int | None = 20  # steps; None: at every validation
    save_every: int | None = 1000  # likewise
    validate_every: int = 10_000
    validation_images: int | None = None  # the first so many; None: all

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise ValueError("a recipe needs steps or minutes: without either the run would have no end.")
        if self.steps is None and self.decay_steps is None:
            raise ValueError("a recipe needs steps or decay_steps: its learning rate falls towards the run's end.")
        _check_positive(
            self, "steps", "minutes", "batch_size", "learning_rate", "decay_steps", "clip_norm", "report_every",
            "save_every", "validate_every",
        )  # fmt: skip
        if self.optimizer not in {"sgd", "adamw"}:
            raise ValueError(f"the optimizer is sgd or adamw, got {self.optimizer!r}.")
        if self.precision not in {"auto", "float32", "bfloat16"}:
            raise ValueError(f'precision must be "auto", "float32" or "bfloat16", got {self.precision!r}.')

    @property
    def rendered(self) -> RenderedSource:
        """The source of rendered images. ValueError if the recipe learns from annotated ones."""
        if not isinstance(self.source, RenderedSource):
            raise ValueError(f"the recipe {self.name} must learn from rendered images, got annotated ones.")
        return self.source

    @property
    def annotated(self) -> AnnotatedSource:
        """The source of annotated images. ValueError if the recipe learns from rendered ones."""
        if not isinstance(self.source, AnnotatedSource):
            raise ValueError(f"the recipe {self.name} must learn from annotated images, got rendered ones.")
        return self.source

    @property
    def num_workers(self) -> int:
        """Processes that make samples: `workers`, or half of the cores, at least one; none if the device renders."""
        if isinstance(self.source, RenderedSource) and self.source.render_on_device:
            return 0
        return max(1, (os.cpu_count() or 1) // 2) if self.workers is None else self.workers

    def changed(self, **changes: Any) -> "Recipe":
        """The recipe with other values, of its own fields or of its source's."""
        own = {one.name for one in fields(self.source)}
        source = dataclasses.replace(self.source, **{name: changes.pop(name) for name in own & changes.keys()})
        return dataclasses.replace(self, **({"source": source} | changes))


def _check_positive(settings: RenderedSource | Recipe, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if value is not None and value <= 0:
            raise ValueError(f"{name} must be more than 0, got {value}.")
