"""Recipes: all that decides a training run, as a frozen dataclass made by one function per model."""

from dataclasses import dataclass, field

__all__ = ["Recipe", "default"]


@dataclass(frozen=True)
class Recipe:
    """What to train, on how many rendered images of which kind, and how.

    The run ends when `steps` are done or `minutes` have passed, whichever is first; the learning rate follows the
    larger of the two fractions and is 0 at the end. None leaves a limit out; one of the two must be given.
    """

    name: str
    architecture: str
    kwargs: dict = field(default_factory=dict)
    seed: int = 0
    steps: int | None = None
    minutes: float | None = None
    batch_size: int = 32
    look_hw: tuple[int, int] = (192, 144)
    glance_sides: tuple[int, int] = (192, 128)  # longer and shorter side of whole photos, upright or lying
    glance_every: int = 6  # one batch of so many is of whole photos
    small_until: float = 0.72  # up to this fraction of the run crops are shrunk by 2/3: twice as many in the time
    freeze_norm_at: float = 0.7  # from this fraction on, batch norm uses its running statistics, as in prediction
    reuse: int = 1  # times a rendered image is used; from the second time on augmented
    workers: int = 2  # processes that render on the CPU, at low priority
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup_steps: int = 100
    clip_norm: float = 3.0
    ema_decay: float = 0.998
    validate_every: int = 200
    validation_images: int = 64
    loss_weights: dict = field(
        default_factory=lambda: {"chart": 1.0, "u": 3.0, "v": 3.0, "confidence": 0.2, "heat": 1.0, "box": 0.5}
    )

    def __post_init__(self):
        if self.steps is None and self.minutes is None:
            raise ValueError("a recipe needs steps or minutes: without either the run would have no end.")
        for name in ("steps", "minutes", "batch_size", "glance_every", "reuse", "validate_every", "learning_rate"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be more than 0, got {value}.")
        if any(side % 32 for side in (*self.glance_sides,)) or any(side % 24 for side in self.look_hw):
            raise ValueError(
                f"glance_sides must be multiples of 32 and look_hw of 24, got {self.glance_sides} and {self.look_hw}."
            )


def default(**changes) -> Recipe:
    """The default model, `glance_look` with 4.9 million parameters, from scratch on rendered people.

    Source: ours (glance and look); losses after Güler et al., CVPR 2018, and Zhou et al., Objects as Points, 2019.
    Command: opendensepose train default --out runs/default --workers 1 (277 minutes; never run as a whole). The weights
    come from three runs, each begun with those of the one before: 42 minutes from scratch and 130 minutes with
    learning_rate=1.6e-3 and seed=2, by calls of `train`, whose settings changed on the way (half of the people turned
    away looked over a shoulder from step 900 of the second on, and whole photos had a longer side of 192 pixels up to
    its step 2,700, then 256); then opendensepose train default --out runs/third --start default --minutes 105 --seed 3
    --learning-rate 0.0015 --workers 1.
    Machine: 2 CPU cores, shared with other work; 2,150, 5,250 and 6,150 batches of 32, about half of them new renders.
    Reached on nine real photos (docs/results.md): agreement .620, foreground IoU .854, label .724, dU .073, dV .081.
    """
    network = {"widths": (40, 80, 160, 256), "depths": (1, 2, 2, 2), "dense_channels": 80, "glance_side": 256}
    values = {"name": "default", "architecture": "glance_look", "kwargs": network, "minutes": 277.0, "reuse": 2,
              "glance_sides": (256, 192)}  # fmt: skip
    return Recipe(**(values | changes))
