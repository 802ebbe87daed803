"""Meshes of the garments that a person wears: fitted, skinned, cut, with their materials.

Letters: n vertices and t triangles of one person's pieces, M materials.
"""

from dataclasses import dataclass

import numpy as np
import torch

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.textures.material_table import Material
from opendensepose.synth.wardrobe.choose import ChosenGarments, Person, Worn
from opendensepose.synth.wardrobe.cut import move_onto_cut
from opendensepose.synth.wardrobe.fit import fit
from opendensepose.synth.wardrobe.wardrobe import Wardrobe

__all__ = ["Bodies", "GarmentMesh", "garment_mesh", "person_of"]


@dataclass(frozen=True)
class Bodies:
    """The P people that garments are fitted to."""

    wardrobe: Wardrobe
    rest: torch.Tensor  # (P, 19158, 3) float32 base mesh at rest, metres
    bones: torch.Tensor  # (P, bones, 4, 4) float32, from rest to the posed body in the world
    traits: list[dict[str, float]]  # Anny's phenotypes by name
    pixels_per_metre: np.ndarray  # (P,) in the picture


@dataclass(frozen=True)
class GarmentMesh:
    """Pieces of one person."""

    vertices: torch.Tensor  # (n, 3) float32 world, metres
    thickness: np.ndarray  # (n,) float32 metres to displace them outwards
    cloth: np.ndarray  # (n, 3) as BodyCoordinates.rest
    facing: np.ndarray  # (n, 3) as BodyCoordinates.normal
    triangles: np.ndarray  # (t, 3) int32
    corner_uv: np.ndarray  # (t, 3, 2) float32
    material: np.ndarray  # (t,) int32 index into the person's materials
    materials: list[Material]  # of these pieces
    cut_out: bool  # as of Piece


def garment_mesh(bodies: Bodies, person: int, chosen: ChosenGarments, first_material: int) -> list[GarmentMesh]:
    """Make the meshes of what a person wears: of whole pieces, and of cut-out ones.

    first_material: index of their first material among the person's.
    """
    meshes = []
    for cut_out in (False, True):
        worn = [w for w in chosen.worn if w.piece.cut_out == cut_out]
        if worn:
            meshes.append(_mesh_of(bodies, person, worn, first_material, cut_out))
            first_material += len(worn)
    return meshes


def _mesh_of(bodies: Bodies, person: int, worn: list[Worn], first_material: int, cut_out: bool) -> GarmentMesh:
    which = torch.cat([bodies.wardrobe.rows[w.piece] for w in worn])
    posed = fit(bodies.wardrobe.table, which, bodies.rest[person], bodies.bones[person])
    starts = np.cumsum([0] + [len(w.piece.rest) for w in worn])
    parts = [move_onto_cut(posed[a:b], w.shape) for w, a, b in zip(worn, starts[:-1], starts[1:], strict=True)]
    which_material = [np.full(len(w.shape.triangles), first_material + k, np.int32) for k, w in enumerate(worn)]
    return GarmentMesh(
        vertices=torch.cat(parts),
        thickness=np.concatenate([w.thickness for w in worn]).astype(np.float32),
        cloth=np.concatenate([w.piece.rest for w in worn]),
        facing=np.concatenate([w.piece.normal for w in worn]),
        triangles=np.concatenate([w.shape.triangles + np.int32(a) for w, a in zip(worn, starts[:-1], strict=True)]),
        corner_uv=np.concatenate([w.shape.corner_uv for w in worn]),
        material=np.concatenate(which_material),
        materials=[w.material for w in worn],
        cut_out=cut_out,
    )


def person_of(traits: dict[str, float], joints: np.ndarray) -> Person:
    """Describe a person; traits: Anny's phenotypes by name, joints: (17, 3) COCO keypoints in the world."""
    at = dict(zip(KEYPOINT_NAMES, joints, strict=True))
    hips, shoulders = ((at[f"left_{name}"] + at[f"right_{name}"]) / 2 for name in ("hip", "shoulder"))
    trunk = (shoulders - hips) / np.linalg.norm(shoulders - hips)
    ears = (at["left_ear"] + at["right_ear"]) / 2
    neck = (ears - shoulders) / np.linalg.norm(ears - shoulders)
    thighs = [(at[f"{side}_knee"] - at[f"{side}_hip"]) for side in ("left", "right")]
    down = [-(thigh @ trunk) / np.linalg.norm(thigh) for thigh in thighs]
    origin = np.array([traits["african"], traits["asian"], traits["caucasian"]], np.float64)
    origin = origin / origin.sum() if origin.sum() > 1e-6 else np.full(3, 1 / 3)
    upright = bool(trunk[2] > 0.9 and neck[2] > 0.7 and min(down) > 0.9)
    return Person(float(traits["gender"]), float(traits["age"]), tuple(origin), upright)
