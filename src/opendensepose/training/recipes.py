"""Recipes: all that decides a training run, as a frozen dataclass made by one function per model."""

import os
from dataclasses import dataclass, field, fields

from opendensepose.synth.ingredients import Ingredients

__all__ = ["Recipe", "default"]


@dataclass(frozen=True)
class Recipe:
    """What to train, on how many rendered images of which kind, and how.

    A run may have many stints: each ends when the run has done `steps` or when the stint has lasted `minutes`,
    whichever is first. Nothing else depends on when it ends: the learning rate falls with the inverse root of the
    run's steps, and the averaged weights are fit for release at any time. None leaves a limit out; one of the two must
    be given.
    """

    name: str
    architecture: str
    kwargs: dict = field(default_factory=dict)
    seed: int = 0
    steps: int | None = None
    minutes: float | None = None
    batch_size: int = 32
    look_hw: tuple[int, int] = (256, 192)
    glance_sides: tuple[int, int] = (192, 128)  # longer and shorter side of whole photos, upright or lying
    glance_every: int = 3  # one batch of so many is of whole photos
    # (scale, share of the batches): pictures are rendered at full size, small ones cost less to learn from
    look_scales: tuple[tuple[float, float], ...] = ((0.5, 0.7), (0.75, 0.2), (1.0, 0.1))
    cooldown_look_scales: tuple[tuple[float, float], ...] = ((0.5, 0.1), (0.75, 0.5), (1.0, 0.4))  # as in prediction
    glance_scales: tuple[tuple[float, float], ...] = ((0.5, 0.25), (0.75, 0.6), (1.0, 0.15))
    without: tuple[str, ...] = ()  # ingredients of variety that are switched off, names of synth.Ingredients' fields
    empty_share: float = 0.06  # of the crops show nobody: what a detector's false alarms look like
    reuse: int = 1  # times a rendered image is used; from the second time on augmented
    workers: int | None = None  # processes that render on the CPU, at low priority; None: half of the cores
    render_on_device: bool = False  # render on the GPU that trains, without workers
    precision: str = "auto"  # of the network's forward pass: "float32", "bfloat16", or what is fast on the device
    learning_rate: float = 2e-3
    decay_steps: int = 4000  # the rate is the highest / sqrt(1 + step / decay_steps)
    cooldown: bool = False  # the rate falls to 0 within this stint, whose weights are for release only
    weight_decay: float = 0.05
    warmup_steps: int = 100
    clip_norm: float = 3.0
    ema_decay: float = 0.9995
    norm_batches: int = 9  # from which batch norm's statistics of the averaged weights are estimated
    validate_every: int = 400
    validation_images: int = 64
    loss_weights: dict = field(
        default_factory=lambda: {"chart": 1.0, "u": 3.0, "v": 3.0, "confidence": 0.2, "quality": 0.2, "keypoint": 0.05,
                                 "yaw": 0.1, "heat": 1.0, "box": 0.5}
    )  # fmt: skip

    @property
    def ingredients(self) -> Ingredients:
        """What is on when pictures are rendered. ValueError if `without` names no ingredient."""
        known = [field.name for field in fields(Ingredients)]
        for name in self.without:
            if name not in known:
                raise ValueError(f"unknown ingredient {name!r}; known: {', '.join(known)}.")
        return Ingredients(**dict.fromkeys(self.without, False))

    @property
    def num_workers(self) -> int:
        """Processes that render: `workers`, or half of the cores, at least one; none if the device renders."""
        if self.render_on_device:
            return 0
        return max(1, (os.cpu_count() or 1) // 2) if self.workers is None else self.workers

    def __post_init__(self):
        if self.steps is None and self.minutes is None:
            raise ValueError("a recipe needs steps or minutes: without either the run would have no end.")
        for name in (
            "steps",
            "minutes",
            "batch_size",
            "glance_every",
            "reuse",
            "validate_every",
            "learning_rate",
            "decay_steps",
        ):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be more than 0, got {value}.")
        self.ingredients  # noqa: B018 (checks the names)
        for name in ("look_scales", "cooldown_look_scales", "glance_scales"):
            scales, shares = zip(*getattr(self, name), strict=True)
            if not all(0 < scale <= 1 for scale in scales) or abs(sum(shares) - 1) > 1e-6:
                raise ValueError(f"{name} must be scales in (0, 1] with shares of sum 1, got {getattr(self, name)}.")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f'precision must be "auto", "float32" or "bfloat16", got {self.precision!r}.')
        of_looks = self.look_scales + self.cooldown_look_scales
        for name, scales in (("look_hw", of_looks), ("glance_sides", self.glance_scales)):
            sides = [side * scale for side in getattr(self, name) for scale, _ in scales]
            if any(side % 8 for side in sides):
                raise ValueError(f"{name} must be multiples of 8 at every scale, got {getattr(self, name)}.")


def default(**changes) -> Recipe:
    """The default model, `densepose_lite` with 4.9 million parameters, from scratch on rendered people.

    Source: ours (detect and label); losses after Güler et al., CVPR 2018, and Zhou et al., Objects as Points, 2019.
    Command: opendensepose train default --out runs/default --resume --minutes M --workers 1, then with --cooldown; then
    scripts/release_weights.py. The released weights are version 0.1's: three runs of 277 minutes in all with the loop
    and the procedural clothes and light of that version.
    A candidate went on from them, --start default --learning-rate 0.0012, for 67 minutes and a cooldown of 17, on 2 CPU
    cores shared with other work: 3,450 batches of 32.
    Reached on nine real photos (docs/results.md): agreement, foreground IoU, label .640, .876, .730 by the released
    weights, .661, .866, .759 by the candidate.
    """
    network = {"widths": (40, 80, 160, 256), "depths": (1, 2, 2, 2), "dense_channels": 80,
               "quality_channels": 64, "crop_hw": (256, 192), "refine_hw": (128, 96)}  # fmt: skip
    values = {"name": "default", "architecture": "densepose_lite", "kwargs": network, "minutes": 60.0, "reuse": 2,
              "glance_sides": (256, 192)}  # fmt: skip
    return Recipe(**(values | changes))
