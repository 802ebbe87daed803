"""From naked bodies to the mesh that is seen: thickness, free-hanging pieces, materials and textures of everybody.

Letters: N vertices and T triangles of the dressed mesh, M materials, K textures.
"""

import functools

import numpy as np
import torch

from opendensepose.synth.body.body import BodyCoordinates, load_body
from opendensepose.synth.clothes.drape import Drape, drapes_of
from opendensepose.synth.clothes.outfit import Material, Outfit, sample_outfit
from opendensepose.synth.drawing.rasterize import displace
from opendensepose.synth.drawing.shade import CHANNEL_ORDERS, MATERIAL_COLUMNS, TEXTURE_SIZE
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.textures.fabrics import draw_fabric, fabric_stack, make_hair_texture
from opendensepose.synth.textures.noise import fbm_2d
from opendensepose.synth.textures.prints import make_print
from opendensepose.synth.textures.store import LEVELS, UvMapping
from opendensepose.synth.wardrobe.choose import PUSHED_IN_M, Taken, take
from opendensepose.synth.wardrobe.dressing import Bodies, GarmentMesh, garment_mesh, person_of

__all__ = ["dressed_mesh", "material_table"]

UNDER_SKIRT_M = 0.03  # so much legs are thinner where a skirt hides them


def dressed_mesh(
    rng: np.random.Generator,
    bodies: torch.Tensor,
    joints: np.ndarray,
    triangles: torch.Tensor,
    on: Ingredients,
    pool_seed: int,
    fitted: Bodies | None = None,
) -> tuple[dict[str, torch.Tensor], torch.Tensor, UvMapping | None]:
    """The mesh that shade() draws, without its normals and lights; the person (T,) that each triangle belongs to; how
    the mesh lies on UV textures (None without a wardrobe).

    bodies: (P, V, 3) posed skin in the world. joints: (P, 17, 3) COCO keypoints. triangles: (P * t, 3) int32 of all.
    fitted: what the wardrobe is fitted to; None for procedural clothes only.
    """
    device = str(bodies.device)
    body = load_body(device)
    one_body = _triangles_numpy(device)
    outfits, hanging, garments = [], [], []
    for k in range(len(bodies)):
        taken = _taken(rng, fitted, k, joints[k], on)
        outfit = sample_outfit(body.coordinates, one_body, rng, on, taken.without if taken else ())
        hips = bodies[k][_hip_vertices(device)].cpu().numpy() if outfit.has_skirt else np.zeros((1, 3))
        hanging.append(drapes_of(outfit, joints[k], hips, rng, on.bags, on.more_poses))
        if taken:
            outfit.thickness = np.where(taken.hides, np.float32(PUSHED_IN_M), outfit.thickness)
            if outfit.has_skirt:
                outfit.thickness = _thinner_under_skirt(outfit, body.coordinates)
            outfit.materials[0] = taken.skin or outfit.materials[0]
            worn = garment_mesh(fitted, k, taken, first_material=len(outfit.materials))
            garments += [(k, mesh) for mesh in worn]
            outfit.materials += [material for mesh in worn for material in mesh.materials]
        outfits.append(outfit)
    first = np.cumsum([0] + [len(outfit.materials) for outfit in outfits])  # of each person's materials in the table
    looks = material_table(rng, [m for outfit in outfits for m in outfit.materials], pool_seed, device)
    drapes = [(k, drape) for k, pieces in enumerate(hanging) for drape in pieces]
    garments.sort(key=lambda of: of[1].cut_out)
    mesh = _joined(bodies.reshape(-1, 3), triangles, outfits, garments, drapes, first) | looks
    owners = [np.repeat(np.arange(len(bodies), dtype=np.int32), len(one_body))]
    owners += [np.full(len(part.triangles), k, np.int32) for k, part in [*drapes, *garments]]
    owner = torch.from_numpy(np.concatenate(owners)).to(device)
    return mesh, owner, _uv_mapping(mesh, fitted, garments, drapes, outfits) if fitted else None


def _taken(
    rng: np.random.Generator, fitted: Bodies | None, k: int, joints: np.ndarray, on: Ingredients
) -> Taken | None:
    """What person k wears of the wardrobe."""
    if fitted is None:
        return None
    where = load_body(str(fitted.rest.device)).coordinates
    return take(rng, fitted.wardrobe, where, person_of(fitted.traits[k], joints), on)


def _thinner_under_skirt(outfit: Outfit, where: BodyCoordinates) -> np.ndarray:
    """(V,) thickness with thighs and hips pushed in, which would otherwise come through a skirt when they move."""
    inside = outfit.skirt["length"] - 0.2 - where.along
    share = np.where(where.is_in("leg"), np.clip(inside / 0.2, 0, 1), where.is_in("torso") & (where.rest[:, 2] < 0))
    return np.where(share > 0, outfit.thickness.clip(max=0.01) - UNDER_SKIRT_M * share, outfit.thickness).astype(
        np.float32
    )


def _joined(
    skin: torch.Tensor,
    triangles: torch.Tensor,
    outfits: list[Outfit],
    garments: list[tuple[int, GarmentMesh]],
    drapes: list[tuple[int, Drape]],
    first_material: np.ndarray,
) -> dict[str, torch.Tensor]:
    """Vertices of all bodies, garments and drapes; triangles of all bodies, drapes, garments, those with holes last."""
    device = skin.device
    where, count = load_body(str(device)).coordinates, len(outfits)
    worn, hung = [mesh for _, mesh in garments], [drape for _, drape in drapes]

    def joined(of_bodies: list[np.ndarray], of_garments: list[np.ndarray], of_drapes: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(of_bodies + of_garments + of_drapes)).to(device)

    def moved_on(meshes: list, start: int) -> tuple[list[np.ndarray], int]:
        stops = np.cumsum([start] + [len(mesh.vertices) for mesh in meshes])
        return [mesh.triangles + np.int32(o) for mesh, o in zip(meshes, stops[:-1], strict=True)], int(stops[-1])

    worn_triangles, stop = moved_on(worn, len(skin))
    hung_triangles, _ = moved_on(hung, stop)
    close = torch.cat([skin, *(mesh.vertices for mesh in worn)])
    close_triangles = torch.cat([triangles, joined([np.zeros((0, 3), np.int32)], worn_triangles, [])])
    thickness = joined([outfit.thickness for outfit in outfits], [mesh.thickness for mesh in worn], [])
    drape_vertices = joined([np.zeros((0, 3), np.float32)], [], [drape.vertices for drape in hung])
    after = joined([np.zeros((0, 3), np.int32)], hung_triangles, worn_triangles)
    ones = [np.ones((len(mesh.vertices), 3), np.float32) for mesh in [*worn, *hung]]
    return {
        "vertices": torch.cat([displace(close, close_triangles, thickness), drape_vertices]),
        "triangles": torch.cat([triangles, after]).contiguous(),
        "cloth": joined([where.rest] * count, [m.cloth for m in worn], [d.cloth for d in hung]),
        "facing": joined([where.normal] * count, [m.facing for m in worn], [_sideways(d) for d in hung]),
        "paint": joined([outfit.colour for outfit in outfits], ones, []),
        "material": joined(
            [o.material + np.int32(start) for o, start in zip(outfits, first_material[:-1], strict=True)],
            [np.full(len(d.triangles), d.material + first_material[k], np.int32) for k, d in drapes],
            [m.material + np.int32(first_material[k]) for k, m in garments],
        ),
    }


def _uv_mapping(mesh: dict, fitted: Bodies, garments: list, drapes: list, outfits: list[Outfit]) -> UvMapping:
    """Where the mesh lies on the wardrobe's pictures; writes into the materials which of their copies to take."""
    device, store = fitted.rest.device, fitted.wardrobe.textures
    materials = [material for outfit in outfits for material in outfit.materials]
    scale = np.repeat(fitted.pixels_per_metre, [len(outfit.materials) for outfit in outfits])
    columns = np.tile(np.float32([0, 0, 1]), (len(materials), 1))
    for row, material, pixels_per_metre in zip(columns, materials, scale, strict=True):
        if material.uv is not None:
            level = store.level(material.uv.picture, material.uv.side_m, pixels_per_metre)
            row[:] = 1 + material.uv.picture * LEVELS + level, material.uv.mean_luminance, material.uv.side_m
    mesh["materials"][:, 20:23] = torch.from_numpy(columns).to(device)
    unused = np.zeros((sum(len(drape.triangles) for _, drape in drapes), 3, 2), np.float32)
    after = torch.from_numpy(np.concatenate([unused, *(part.corner_uv for _, part in garments)])).to(device)
    num_cut_out = sum(len(part.triangles) for _, part in garments if part.cut_out)
    last = mesh["material"][len(mesh["material"]) - num_cut_out :].long()
    num_body = len(fitted.wardrobe.body_uv)
    return UvMapping(
        store=store,
        corner_uv=torch.cat([fitted.wardrobe.body_uv, after]),
        num_closed=num_body * len(outfits),
        num_body=num_body,
        first_cut_out=len(mesh["material"]) - num_cut_out,
        cut_out_rows=mesh["materials"][last, 20].to(torch.int32) - 1,
    )


def _sideways(drape: Drape) -> np.ndarray:
    """Rest normals of a free piece: none, so that its texture follows its own first axis and it takes no print."""
    return np.tile(np.array([[0, -0.01, 0]], np.float32), (len(drape.vertices), 1))


def material_table(
    rng: np.random.Generator, materials: list[Material], pool_seed: int, device: str
) -> dict[str, torch.Tensor]:
    """The shading table `materials` (M, 23) and the `textures` and `prints` it refers to."""
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
