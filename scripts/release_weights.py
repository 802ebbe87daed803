"""Puts a training run's weights into the package, with the settings of prediction that were measured to be best.

python scripts/release_weights.py runs/default/default.safetensors [--crop-hw 192 144] [--min-score 0.3]

Writes src/opendensepose/models/weights/default.safetensors in float16, and beside it the two ONNX graphs that read
their weights from it. What is not given stays as in the run. To write the graphs anew, give the released weights.
"""

import argparse
from pathlib import Path

import torch

from opendensepose.export import export_lite_onnx
from opendensepose.models.checkpoints.checkpoint import WEIGHTS, load_checkpoint, save_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--crop-hw", type=int, nargs=2)
    parser.add_argument("--refine-hw", type=int, nargs=2)
    parser.add_argument("--min-score", type=float)
    parser.add_argument("--out", type=Path, default=WEIGHTS["default"])
    args = parser.parse_args()
    run = load_checkpoint(args.weights)
    given = {name: getattr(args, name) for name in ("crop_hw", "refine_hw", "min_score")}
    kwargs = run.kwargs | {name: value for name, value in given.items() if value is not None}
    save_checkpoint(args.out, run.model, run.architecture, kwargs, run.recipe, run.scores, torch.float16)
    graphs = export_lite_onnx(load_checkpoint(args.out).model, args.out.with_suffix(".onnx"), args.out)
    print(*graphs, sep="\n")
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB, {kwargs}")


if __name__ == "__main__":
    main()
