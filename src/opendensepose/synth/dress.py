"""From naked bodies to the mesh that is seen: thickness of clothes, drapes, garments and materials of everybody.

Letters: P people; V vertices and t triangles of one body; N vertices and T triangles of the dressed mesh.
"""

import functools
from typing import NamedTuple

import numpy as np
import torch

from opendensepose.synth.body.body import BodyCoordinates, load_body
from opendensepose.synth.clothes.drape import Drape, drapes_of
from opendensepose.synth.clothes.outfit import Outfit, bare_face, sample_outfit
from opendensepose.synth.drawing.mesh import OWN_AXES, Mesh
from opendensepose.synth.drawing.vertices import displace
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.textures.atlas import LEVELS, UvMapping
from opendensepose.synth.textures.material_table import material_table
from opendensepose.synth.wardrobe.choose import PUSHED_IN_M, ChosenGarments, choose_garments
from opendensepose.synth.wardrobe.garment_mesh import Bodies, GarmentMesh, garment_mesh, person_of
from opendensepose.synth.wardrobe.wardrobe import Wardrobe

__all__ = ["DressedMesh", "dressed_mesh"]

UNDER_SKIRT_M = 0.03  # how much thinner legs are where a skirt hides them


class DressedMesh(NamedTuple):
    """Dressed people."""

    mesh: Mesh
    owner: torch.Tensor  # (T,) int32: the person that each triangle belongs to
    uv: UvMapping | None  # None without a wardrobe
    skin_rgb: np.ndarray  # (P, 3) float32, see PersonTruth


def dressed_mesh(
    rng: np.random.Generator,
    bodies: torch.Tensor,
    joints: np.ndarray,
    triangles: torch.Tensor,
    enabled_ingredients: Ingredients,
    pool_seed: int,
    fitted: Bodies | None = None,
) -> DressedMesh:
    """Dress posed bodies at random.

    bodies: (P, V, 3) posed skin in the world, metres. joints: (P, 17, 3) COCO keypoints. triangles: (P * t, 3) int32 of
    all. fitted: what the wardrobe is fitted to; None for procedural clothes only.
    """
    device = str(bodies.device)
    body = load_body(device)
    one_body = _triangles_numpy(device)
    outfits, hanging, garments = [], [], []
    for k in range(len(bodies)):
        chosen = _chosen(rng, fitted, k, joints[k], enabled_ingredients)
        outfit = sample_outfit(body.coordinates, one_body, rng, enabled_ingredients, chosen.without if chosen else ())
        hips = bodies[k][_hip_vertices(device)].cpu().numpy() if outfit.skirt else np.zeros((1, 3))
        hanging.append(
            drapes_of(outfit, joints[k], hips, rng, enabled_ingredients.bags, enabled_ingredients.more_poses)
        )
        if fitted is not None and chosen is not None:
            outfit.thickness = np.where(chosen.hides, np.float32(PUSHED_IN_M), outfit.thickness)
            if outfit.skirt:
                outfit.thickness = _thinner_under_skirt(outfit.thickness, outfit.skirt.length, body.coordinates)
            outfit.materials[0] = chosen.skin or outfit.materials[0]
            worn = garment_mesh(fitted, k, chosen, first_material=len(outfit.materials))
            garments += [(k, mesh) for mesh in worn]
            outfit.materials += [material for mesh in worn for material in mesh.materials]
        outfits.append(outfit)
    first = np.cumsum([0] + [len(outfit.materials) for outfit in outfits])  # of each person's materials in the table
    table = material_table(rng, [m for outfit in outfits for m in outfit.materials], pool_seed, device)
    drapes = [(k, drape) for k, pieces in enumerate(hanging) for drape in pieces]
    garments = [(k, part) for holes in (False, True) for k, part in garments if part.cut_out == holes]  # cut-outs last
    parts = _joined(bodies.reshape(-1, 3), triangles, outfits, garments, drapes, first)
    uv = _uv_mapping(table.rows, parts["material"], fitted, garments, drapes, outfits) if fitted else None
    owners = [np.repeat(np.arange(len(bodies), dtype=np.int32), len(one_body))]
    owners += [np.full(len(drape.triangles), k, np.int32) for k, drape in drapes]
    owners += [np.full(len(part.triangles), k, np.int32) for k, part in garments]
    owner = torch.from_numpy(np.concatenate(owners)).to(device)
    skin_rgb = [_skin_rgb(outfit, body.coordinates, fitted) for outfit in outfits]
    return DressedMesh(Mesh(**parts, table=table), owner, uv, np.array(skin_rgb, np.float32))


def _skin_rgb(outfit: Outfit, where: BodyCoordinates, fitted: Bodies | None) -> np.ndarray:
    """The colour of a face's skin (3,), sRGB: the median where it is never painted."""
    material = outfit.materials[0]
    colour = np.median(outfit.colour[bare_face(where)], axis=0) * material.colour
    if material.uv is not None and fitted is not None:
        colour = colour * _photographed_face_rgb(fitted.wardrobe, material.uv.picture)
    return colour.clip(0, 1)


@functools.cache
def _photographed_face_rgb(wardrobe: Wardrobe, picture: int) -> np.ndarray:
    """The median colour (3,) of a photographed skin over the face."""
    body = load_body(str(wardrobe.body_uv.device))
    inside = np.isin(body.triangles.cpu().numpy(), bare_face(body.coordinates)).all(1)
    uv = wardrobe.body_uv.cpu().numpy()[inside].mean(1)  # (n, 2)
    return np.median(wardrobe.textures.colours_at(picture, uv), axis=0)


def _chosen(
    rng: np.random.Generator, fitted: Bodies | None, k: int, joints: np.ndarray, enabled_ingredients: Ingredients
) -> ChosenGarments | None:
    """Choose what person k wears of the wardrobe."""
    if fitted is None:
        return None
    where = load_body(str(fitted.rest.device)).coordinates
    return choose_garments(rng, fitted.wardrobe, where, person_of(fitted.traits[k], joints), enabled_ingredients)


def _thinner_under_skirt(thickness: np.ndarray, skirt_length: float, where: BodyCoordinates) -> np.ndarray:
    """Push thighs and hips in, which would else show through a skirt: (V,) thickness."""
    inside = skirt_length - 0.2 - where.along
    share = np.where(where.is_in("leg"), np.clip(inside / 0.2, 0, 1), where.is_in("torso") & (where.rest[:, 2] < 0))
    return np.where(share > 0, thickness.clip(max=0.01) - UNDER_SKIRT_M * share, thickness).astype(np.float32)


def _joined(
    skin: torch.Tensor,
    triangles: torch.Tensor,
    outfits: list[Outfit],
    garments: list[tuple[int, GarmentMesh]],
    drapes: list[tuple[int, Drape]],
    first_material: np.ndarray,
) -> dict[str, torch.Tensor]:
    """Join vertices of all bodies, garments, drapes, and triangles of all bodies, drapes, garments: a Mesh's fields."""
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
    ones = [np.ones((len(mesh.vertices), 3), np.float32) for mesh in worn]
    ones += [np.ones((len(drape.vertices), 3), np.float32) for drape in hung]
    return {
        "vertices": torch.cat([displace(close, close_triangles, thickness), drape_vertices]),
        "triangles": torch.cat([triangles, after]).contiguous(),
        "cloth": joined([where.rest] * count, [m.cloth for m in worn], [d.cloth for d in hung]),
        "facing": joined(
            [where.normal] * count, [m.facing for m in worn], [np.tile(OWN_AXES, (len(d.vertices), 1)) for d in hung]
        ),
        "paint": joined([outfit.colour for outfit in outfits], ones, []),
        "material": joined(
            [o.material + np.int32(start) for o, start in zip(outfits, first_material[:-1], strict=True)],
            [np.full(len(d.triangles), d.material + first_material[k], np.int32) for k, d in drapes],
            [m.material + np.int32(first_material[k]) for k, m in garments],
        ),
    }


def _uv_mapping(
    rows: np.ndarray,
    material: torch.Tensor,
    fitted: Bodies,
    garments: list[tuple[int, GarmentMesh]],
    drapes: list[tuple[int, Drape]],
    outfits: list[Outfit],
) -> UvMapping:
    """Map the mesh, with material (T,) of its triangles, to the wardrobe's atlas; sets the UV fields of `rows`."""
    device, atlas = fitted.rest.device, fitted.wardrobe.textures
    materials = [material for outfit in outfits for material in outfit.materials]
    scale = np.repeat(fitted.pixels_per_metre, [len(outfit.materials) for outfit in outfits])
    for row, look, pixels_per_metre in zip(rows, materials, scale, strict=True):
        if look.uv is not None:
            level = atlas.level(look.uv.picture, look.uv.side_m, pixels_per_metre)
            row["uv_row"] = look.uv.picture * LEVELS + level
            row["mean_luminance"], row["side_m"] = look.uv.mean_luminance, look.uv.side_m
    unused = np.zeros((sum(len(drape.triangles) for _, drape in drapes), 3, 2), np.float32)
    after = torch.from_numpy(np.concatenate([unused, *(part.corner_uv for _, part in garments)])).to(device)
    num_cut_out = sum(len(part.triangles) for _, part in garments if part.cut_out)
    first_cut_out, num_body = len(material) - num_cut_out, len(fitted.wardrobe.body_uv)
    return UvMapping(
        atlas=atlas,
        corner_uv=torch.cat([fitted.wardrobe.body_uv, after]),
        num_closed=num_body * len(outfits),
        num_body=num_body,
        first_cut_out=first_cut_out,
        cut_out_rows=torch.from_numpy(rows["uv_row"][material[first_cut_out:].cpu().numpy()]).to(device),
    )


@functools.cache
def _triangles_numpy(device: str) -> np.ndarray:
    return load_body(device).triangles.cpu().numpy()


@functools.cache
def _hip_vertices(device: str) -> torch.Tensor:
    where = load_body(device).coordinates
    near = where.is_in("torso", "leg") & (where.rest[:, 2] < 0.0) & (where.rest[:, 2] > -0.1)
    return torch.from_numpy(np.flatnonzero(near)).to(device)
