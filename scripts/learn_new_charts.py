"""Teaches the default network another edition of the charts: how the fourth edition of its weights was made.

    python scripts/learn_new_charts.py move OLD.safetensors OLD_charts.npz OUT.safetensors
    python scripts/learn_new_charts.py learn START.safetensors RUN_FOLDER --minutes 22 [--photos DIR]
    python scripts/learn_new_charts.py learn START.safetensors RUN_FOLDER --minutes 33 --cooldown [--photos DIR]
    python scripts/learn_new_charts.py readout START.safetensors OUT.safetensors --rate 0.002
    python scripts/learn_new_charts.py average OUT.safetensors FILE:SHARE ...

move: each chart's U and V become the affine map of the old ones that fits the new ones best where both editions name
the same chart. learn: the dense head and the decoder's last step, everything else frozen. readout: the head's last
convolutions alone, on features that are computed once. The charts and weights that came before are in the history:
`git show 65b4234:src/opendensepose/surface/data/charts.npz`, and likewise `models/weights/default.safetensors`.

The fourth edition: `move` of the third, `learn` from it (a), `readout` of the moved weights with rate .002 (b) and of
(a) with rate .001 (c), `average` of b, a and c with shares .375, .375 and .25, then release_weights.py. The charts'
torso was given its last V after that, by another `move`.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from opendensepose.models.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from opendensepose.models.densepose_lite.densepose_lite import scaled
from opendensepose.models.densepose_lite.losses import dense_losses
from opendensepose.models.densepose_lite.outputs import DenseOutput
from opendensepose.models.outputs import NUM_CLASSES
from opendensepose.surface import NUM_CHARTS, Charts, load_charts, load_surface
from opendensepose.synth import render_images
from opendensepose.training import default, train
from opendensepose.training.rendered.samples import batch_loader
from opendensepose.training.rendered.source import shrink

FROZEN = (
    "backbone.stem", "backbone.encoder", "backbone.context", "backbone.lateral.1", "backbone.lateral.2",
    "backbone.decoder.1", "backbone.decoder.2", "detection_head",
)  # fmt: skip
ONLY_CROPS = 1_000_000  # a batch of whole photos after so many of crops: the detector does not learn
SCALES = ((0.5, 0.25), (0.75, 0.65), (1.0, 0.1))
OTHER_TASKS = ("keypoint", "yaw", "heat", "box")
READOUT_FIRST, READOUT_SEED, READOUT_SCALE = 20_000_000, 7, 0.8125  # crops of 208x156 that no training has seen
LOSS_WEIGHTS = {"chart": 1.0, "u": 3.0, "v": 3.0, "confidence": 0.2}


def move(weights: Path, old_charts: Path, out: Path) -> None:
    """Map U and V of every chart from the old edition's to the new one's by least squares over the surface."""
    run = load_checkpoint(weights)
    with np.load(old_charts) as data:
        old, new = Charts(**data), load_charts()
    surface, uv = load_surface(), run.model.dense_head.uv
    triangles = surface.vertices[surface.faces]
    area = np.linalg.norm(
        np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1
    )  # twice as large, which is all the same for weights
    before = torch.cat([uv.weight.flatten(1), uv.bias[:, None]], dim=1).detach()  # (48, channels + 1)
    with torch.no_grad():
        for chart in range(1, NUM_CHARTS + 1):
            both = (old.face_chart == chart) & (new.face_chart == chart)
            weight = np.sqrt(np.repeat(area[both], 3))[:, None]
            inputs = np.c_[old.face_uv[both].reshape(-1, 2), np.ones(3 * both.sum())]
            wanted = new.face_uv[both].reshape(-1, 2)
            solution = np.linalg.lstsq(inputs * weight, wanted * weight, rcond=None)[0]  # (3, 2)
            print(f"chart {chart}: mean error {np.abs(inputs @ solution - wanted).mean():.4f}")
            rows = [chart - 1, NUM_CHARTS + chart - 1]
            mapped = torch.from_numpy(solution.T[:, :2]).float() @ before[rows]
            mapped[:, -1] += torch.from_numpy(solution[2]).float()
            uv.weight[rows], uv.bias[rows] = mapped[:, :-1, None, None], mapped[:, -1]
    save_checkpoint(out, run.model, run.architecture, run.kwargs)


def learn(start: Path, folder: Path, minutes: float, cooldown: bool, photos: Path | None) -> None:
    """Train the dense head and the decoder's last step on crops alone."""
    recipe = default(
        frozen=FROZEN, learning_rate=1e-3, minutes=minutes, ema_decay=0.995, workers=1, photo_every=ONLY_CROPS,
        crop_scales=SCALES, cooldown_crop_scales=SCALES, cooldown=cooldown, validate_every=200,
    )  # fmt: skip
    recipe = recipe.changed(loss_weights=recipe.loss_weights | dict.fromkeys(OTHER_TASKS, 0.0))
    print(train(recipe, folder, resume=True, start=start, photos=photos))


def readout(start: Path, out: Path, rate: float, batches: int, steps: int) -> None:
    """Fit the last convolutions on the features of so many batches of 32 crops, by Adam with a cosine to 0."""
    run = load_checkpoint(start)
    head, parameters = run.model.dense_head, []
    features, labels = _features(run.model, batches)
    run.model.requires_grad_(False)
    for part in (head.classes, head.uv):
        parameters += list(part.requires_grad_(True).parameters())
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / steps))
        rows = torch.randint(len(features), (32,), generator=generator)
        x = features[rows].float()
        classes = head.shuffle(head.classes(x))
        u, v = head.uv(x).chunk(2, dim=1)
        output = DenseOutput(classes[:, :NUM_CLASSES], u, v, classes[:, NUM_CLASSES], x.new_zeros(len(x)))
        i, u_true, v_true = (label[rows] for label in labels)
        losses = dense_losses(output, i.long(), u_true.float(), v_true.float(), (step % 2, step // 2 % 2))
        total = sum(weight * losses[name] for name, weight in LOSS_WEIGHTS.items())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        if step % 200 == 199:
            print(f"step {step + 1}: loss {total.item():.3f}", flush=True)
    save_checkpoint(out, run.model, run.architecture, run.kwargs)


def _features(model: torch.nn.Module, batches: int) -> tuple[Tensor, list[Tensor]]:
    """The dense head's hidden features (N, C, h, w) float16 of rendered crops, and their I, U, V."""
    features, labels = [], []
    recipe = default(photo_every=ONLY_CROPS, workers=1, seed=READOUT_SEED)
    loader = batch_loader(recipe, render_images, READOUT_FIRST, "cpu")
    for _, batch in zip(range(batches), loader, strict=False):
        small = shrink(batch, READOUT_SCALE)
        with torch.inference_mode():
            features.append(model.dense_head.hidden(model.backbone(scaled(small.image, model)).stride4).half())
        labels.append((small.i.to(torch.uint8), small.u.half(), small.v.half()))
    return torch.cat(features).clone(), [torch.cat(part) for part in zip(*labels, strict=True)]


def average(out: Path, parts: Sequence[str]) -> None:
    """Average networks of one architecture; parts: FILE:SHARE, shares of sum 1. Settings are the first file's."""
    files, shares = [], []
    for part in parts:
        file, _, share = part.rpartition(":")
        files.append(Path(file))
        shares.append(float(share))
    if abs(sum(shares) - 1) > 1e-6:
        raise SystemExit(f"the shares must have the sum 1, got {sum(shares):g}.")
    runs = [load_checkpoint(file) for file in files]
    states = [run.model.state_dict() for run in runs]
    mean = {
        name: sum(share * state[name] for share, state in zip(shares, states, strict=True))
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
    runs[0].model.load_state_dict(mean)
    save_checkpoint(out, runs[0].model, runs[0].architecture, runs[0].kwargs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    one = steps.add_parser("move")
    for name in ("weights", "old_charts", "out"):
        one.add_argument(name, type=Path)
    one = steps.add_parser("learn")
    one.add_argument("start", type=Path)
    one.add_argument("folder", type=Path)
    one.add_argument("--minutes", type=float, required=True)
    one.add_argument("--cooldown", action="store_true")
    one.add_argument("--photos", type=Path)
    one = steps.add_parser("readout")
    one.add_argument("start", type=Path)
    one.add_argument("out", type=Path)
    one.add_argument("--rate", type=float, default=2e-3)
    one.add_argument("--batches", type=int, default=50)
    one.add_argument("--steps", type=int, default=1000)
    one = steps.add_parser("average")
    one.add_argument("out", type=Path)
    one.add_argument("parts", nargs="+")
    given = vars(parser.parse_args())
    {"move": move, "learn": learn, "readout": readout, "average": average}[given.pop("step")](**given)


if __name__ == "__main__":
    main()
