"""From naked bodies to the mesh that is seen: thickness, free-hanging pieces, materials and textures of everybody.

Letters: N vertices and T triangles of the dressed mesh, M materials, K textures.
"""

import functools

import numpy as np
import torch

from opendensepose.synth.body import load_body
from opendensepose.synth.drape import Drape, drapes_of
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.noise import fbm_2d
from opendensepose.synth.outfit import Material, sample_outfit
from opendensepose.synth.rasterize import displace
from opendensepose.synth.shade import CHANNEL_ORDERS, MATERIAL_COLUMNS, TEXTURE_SIZE
from opendensepose.synth.texture import draw_fabric, fabric_stack, make_hair_texture
from opendensepose.synth.texture_print import make_print

__all__ = ["dressed_mesh", "material_table"]


def dressed_mesh(
    rng: np.random.Generator,
    bodies: torch.Tensor,
    joints: np.ndarray,
    triangles: torch.Tensor,
    on: Ingredients,
    pool_seed: int,
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """The mesh that shade() draws, without its normals and lights, and the person (T,) that each triangle belongs to.

    bodies: (P, V, 3) posed skin in the world. joints: (P, 17, 3) COCO keypoints. triangles: (P * t, 3) int32 of all.
    """
    device = str(bodies.device)
    body = load_body(device)
    one_body = _triangles_numpy(device)
    outfits, hanging = [], []
    for k in range(len(bodies)):
        outfit = sample_outfit(body.coordinates, one_body, rng, on)
        hips = bodies[k][_hip_vertices(device)].cpu().numpy() if outfit.has_skirt else np.zeros((1, 3))
        hanging.append(drapes_of(outfit, joints[k], hips, rng, on.bags, on.more_poses))
        outfits.append(outfit)
    first = np.cumsum([0] + [len(outfit.materials) for outfit in outfits])  # of each person's materials in the table
    looks = material_table(rng, [m for outfit in outfits for m in outfit.materials], pool_seed, device)
    skin = bodies.reshape(-1, 3)
    thickness = torch.from_numpy(np.concatenate([outfit.thickness for outfit in outfits])).to(device)
    drapes = [(k, drape) for k, pieces in enumerate(hanging) for drape in pieces]
    offsets = np.cumsum([len(skin)] + [len(drape.vertices) for _, drape in drapes])
    where, count = body.coordinates, len(bodies)

    def joined(of_bodies: list[np.ndarray], of_drapes: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(of_bodies + of_drapes)).to(device)

    hung = joined([np.zeros((0, 3), np.float32)], [drape.vertices for _, drape in drapes])
    hung_triangles = [drape.triangles + np.int32(o) for (_, drape), o in zip(drapes, offsets[:-1], strict=True)]
    mesh = {
        "vertices": torch.cat([displace(skin, triangles, thickness), hung]),
        "triangles": torch.cat([triangles, joined([np.zeros((0, 3), np.int32)], hung_triangles)]).contiguous(),
        "cloth": joined([where.rest] * count, [drape.cloth for _, drape in drapes]),
        "facing": joined([where.normal] * count, [_sideways(drape) for _, drape in drapes]),
        "paint": joined([outfit.colour for outfit in outfits], [np.ones_like(drape.vertices) for _, drape in drapes]),
        "material": joined(
            [outfit.material + np.int32(start) for outfit, start in zip(outfits, first[:-1], strict=True)],
            [np.full(len(drape.triangles), drape.material + first[k], np.int32) for k, drape in drapes],
        ),
        **looks,
    }
    owner = joined(
        [np.full(len(one_body), k, np.int32) for k in range(count)],
        [np.full(len(drape.triangles), k, np.int32) for k, drape in drapes],
    )
    return mesh, owner


def _sideways(drape: Drape) -> np.ndarray:
    """Rest normals of a free piece: none, so that its texture follows its own first axis and it takes no print."""
    return np.tile(np.array([[0, -0.01, 0]], np.float32), (len(drape.vertices), 1))


def material_table(
    rng: np.random.Generator, materials: list[Material], pool_seed: int, device: str
) -> dict[str, torch.Tensor]:
    """The shading table `materials` (M, 20) and the `textures` and `prints` it refers to."""
    table, prints = np.zeros((len(materials), MATERIAL_COLUMNS), np.float32), []
    table[:, 16:18] = 1.0
    for row, material in zip(table, materials, strict=True):
        row[:3] = material.colour
        row[3], row[8] = -1, -1
        row[4:8] = material.scale, material.angle, material.specular, material.fold
        row[13] = material.texture == "skin"
        if material.texture == "fabric":
            drawn = draw_fabric(rng)
            row[:3], row[3] = drawn.gain, FIRST_FABRIC + drawn.slot
            row[14:16] = np.array(drawn.shift_yx[::-1]) / TEXTURE_SIZE
            row[16:18] = [-1 if axis in drawn.flips else 1 for axis in (1, 0)]
            row[18] = CHANNEL_ORDERS.index(drawn.order)
        if material.texture == "hair":
            row[:3], row[3] = HAIR_GAIN * row[:3], HAIR_TEXTURE
        if material.decal is not None:
            row[8], row[9:13] = len(prints), material.decal
            prints.append((make_print(rng, device) * 255).round().to(torch.uint8))
    return {
        "materials": torch.from_numpy(table).to(device),
        "textures": _textures(pool_seed, device),
        "prints": torch.stack(prints) if prints else torch.zeros(1, 1, 1, 4, dtype=torch.uint8, device=device),
    }


FOLD_TEXTURE, HAIR_TEXTURE, FIRST_FABRIC = 0, 1, 2  # shade() takes texture 0 for the folds
HAIR_GAIN = 2.0  # strands are brighter and darker than the hair's colour, textures end at 1


@functools.lru_cache(maxsize=2)
def _textures(pool_seed: int, device: str) -> torch.Tensor:
    """(50, 256, 256, 4) uint8: folds, hair and the pool's fabrics."""
    fixed = torch.stack([_fold_noise(device), _hair_strands(device)])
    return torch.cat([(fixed.clamp(0, 1) * 255).round().to(torch.uint8), fabric_stack(pool_seed, device)])


@functools.cache
def _triangles_numpy(device: str) -> np.ndarray:
    return load_body(device).triangles.cpu().numpy()


@functools.cache
def _hip_vertices(device: str) -> torch.Tensor:
    where = load_body(device).coordinates
    near = where.is_in("torso", "leg") & (where.rest[:, 2] < 0.0) & (where.rest[:, 2] > -0.1)
    return torch.from_numpy(np.flatnonzero(near)).to(device)


@functools.cache
def _fold_noise(device: str) -> torch.Tensor:
    size = (TEXTURE_SIZE, TEXTURE_SIZE)
    channels = [fbm_2d(np.random.default_rng(k), size, octaves=4, tile=True) for k in range(3)]
    noise = torch.stack([*channels, torch.ones_like(channels[0])], -1)
    spread = noise[..., :3] - noise[..., :3].mean((0, 1))
    noise[..., :3] = 0.5 + spread / spread.std() * 0.35
    return noise.to(device)


@functools.cache
def _hair_strands(device: str) -> torch.Tensor:
    """(256, 256, 4) strands with a mean of about 1 / HAIR_GAIN, to multiply a hair colour with."""
    strands = make_hair_texture(np.random.default_rng(3)).mean(-1, keepdim=True)
    strands = (strands / strands.mean()).clamp(0.2, 3).sqrt().expand(-1, -1, 3) / HAIR_GAIN
    strands = strands.repeat(2, 2, 1)[:TEXTURE_SIZE, :TEXTURE_SIZE]
    return torch.nn.functional.pad(strands, (0, 1), value=1.0).contiguous().to(device)
