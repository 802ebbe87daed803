"""Garments fitted to a body's rest shape, then posed by its bones: one Warp kernel for CPU and CUDA.

Rest fit: v = sum_k weight_k rest[reference_k] + S offset, where S = |rest[i] - rest[j]| / denominator on each axis;
then linear blend skinning. Letters: N vertices of all pieces, n of those worn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import warp as wp

from opendensepose.synth.drawing.launch import launch, to_warp
from opendensepose.synth.warp_arrays import Floats2, Ints, Ints2, Ints3, Mat44s, Vec3s

__all__ = ["MEASURED_ON", "FitTable", "fit", "fit_table"]

# Vertices of hm08 between which a body's x, y and z sizes are measured: of clothes and hair, and of footwear.
MEASURED_ON = {
    "trunk": ((5399, 11998), (962, 5320), (791, 881)),
    "feet": ((12839, 12860), (11609, 12442), (12828, 12888)),
}


@dataclass(frozen=True)
class FitTable:
    """What fit() reads of N vertices, on one device."""

    references: torch.Tensor  # (N, 3) int32 vertices of hm08
    weights: torch.Tensor  # (N, 3) float32
    offsets: torch.Tensor  # (N, 3) float32 metres on a body of size `denominators`
    denominators: torch.Tensor  # (N, 3) float32 metres
    measured: torch.Tensor  # (N,) int32 index into MEASURED_ON
    bones: torch.Tensor  # (N, 8) int32
    bone_weights: torch.Tensor  # (N, 8) float32


def fit_table(pieces: Sequence, device: str) -> FitTable:
    """Make the table of all pieces (wardrobe.Piece), one after another."""

    def joined(arrays: list[np.ndarray], dtype: type) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(arrays).astype(dtype)).to(device)

    sizes = [len(p.references) for p in pieces]
    measures = list(MEASURED_ON)
    return FitTable(
        references=joined([p.references for p in pieces], np.int32),
        weights=joined([p.weights for p in pieces], np.float32),
        offsets=joined([p.offsets for p in pieces], np.float32),
        denominators=joined([np.tile(p.denominators, (n, 1)) for p, n in zip(pieces, sizes, strict=True)], np.float32),
        measured=joined([np.full(len(p.references), measures.index(p.measured_on)) for p in pieces], np.int32),
        bones=joined([p.bones for p in pieces], np.int32),
        bone_weights=joined([p.bone_weights for p in pieces], np.float32),
    )


@wp.kernel
def _fit(
    which: Ints,
    references: Ints2,
    weights: Vec3s,
    offsets: Vec3s,
    denominators: Vec3s,
    measured: Ints,
    bones: Ints2,
    bone_weights: Floats2,
    pairs: Ints3,
    rest: Vec3s,
    transforms: Mat44s,
    out: Vec3s,
) -> None:
    k = wp.tid()
    v = which[k]
    o = offsets[v]
    d = denominators[v]
    w = weights[v]
    p = wp.vec3(0.0, 0.0, 0.0)
    for i in range(3):
        size = wp.abs(rest[pairs[measured[v], i, 0]][i] - rest[pairs[measured[v], i, 1]][i])
        p[i] += o[i] * size / d[i]
        p += w[i] * rest[references[v, i]]
    moved = wp.vec3(0.0, 0.0, 0.0)
    for j in range(bones.shape[1]):
        share = bone_weights[v, j]
        if share > 0.0:
            moved += share * wp.transform_point(transforms[bones[v, j]], p)
    out[k] = moved


def fit(table: FitTable, which: torch.Tensor, rest: torch.Tensor, bones: torch.Tensor) -> torch.Tensor:
    """Fit and pose the table's vertices `which` (n,) int32: (n, 3) float32, metres.

    rest: (19158, 3) float32, hm08 of this body at rest. bones: (bones, 4, 4) float32, from rest to the pose.
    """
    out = torch.empty(len(which), 3, device=rest.device)
    pairs = torch.tensor(list(MEASURED_ON.values()), dtype=torch.int32, device=rest.device)
    vectors = [to_warp(t, dtype=wp.vec3) for t in (table.weights, table.offsets, table.denominators)]
    of_bones = [to_warp(table.measured), to_warp(table.bones), to_warp(table.bone_weights), to_warp(pairs)]
    body = [to_warp(rest, dtype=wp.vec3), to_warp(bones, dtype=wp.mat44)]
    inputs = [to_warp(which), to_warp(table.references), *vectors, *of_bones, *body]
    launch(_fit, len(which), inputs, [to_warp(out, dtype=wp.vec3)], rest.device)
    return out
