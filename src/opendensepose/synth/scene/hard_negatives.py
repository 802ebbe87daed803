"""Hard negatives: things that look like people, that is clothes without a body, headless mannequins, animals.

They are drawn with the people and hide them, but have neither label nor box. Clothes and mannequins come from a pool:
what lies in a slot depends on (pool_seed, slot) alone, so a picture never depends on what was made before it.
"""

from dataclasses import replace
from functools import lru_cache, reduce

import numpy as np
import torch
from numpy.typing import ArrayLike

from opendensepose.synth.body.articulation import Articulation
from opendensepose.synth.body.body import REGIONS, load_body
from opendensepose.synth.body.pose import sample_pose
from opendensepose.synth.drawing.mesh import Mesh, join, subset
from opendensepose.synth.drawing.vertices import rotation_about_z, transform
from opendensepose.synth.dress import dressed_mesh
from opendensepose.synth.ingredients import Ingredients
from opendensepose.synth.kinds import Kind, draw_kind
from opendensepose.synth.scene.animal import animal
from opendensepose.synth.scene.person import placed, sample_shape
from opendensepose.synth.scene.seats import wood_or_metal
from opendensepose.synth.scene.solid import box, mesh_of, tube
from opendensepose.synth.textures.material_table import Material

__all__ = ["NEGATIVE_KINDS", "hard_negative"]

NUM_SLOTS = 10  # of clothes, and as many mannequins
_ONLY_CLOTHES = replace(Ingredients.none(), garments=True, loose_garments=True, skirts=True, textures=True, prints=True)


def _dressed(
    pool_seed: int, slot: int, device: str, enabled_ingredients: Ingredients, hanging: bool
) -> tuple[Mesh, np.ndarray]:
    """A standing adult's mesh, feet on the floor at the origin, and the region (T,) of its triangles, -1 beyond the
    body; hanging: with straight legs and arms straight down."""
    body, rng = load_body(device), np.random.default_rng((23, pool_seed, slot))
    shape = sample_shape(body, rng)
    shape[body.phenotypes.index("age")] = rng.uniform(0.5, 0.8)
    pose = Articulation(body)
    for side in "LR":
        pose.arm(side, (0.22, 0.02, -1.0), (0.12, -0.1, -1.0))
    posed = body.pose(shape[None], (pose.matrices() if hanging else sample_pose(body, rng, "standing"))[None])
    rotation, shift = placed(posed.vertices[0].cpu().numpy(), 0.0, np.zeros(2))
    vertices = transform(posed.vertices[0], rotation, shift)[None]
    joints = posed.keypoints.cpu().numpy() @ rotation.T + shift
    mesh = dressed_mesh(rng, vertices, joints, body.triangles, enabled_ingredients, pool_seed).mesh
    region = body.coordinates.region[body.triangles.cpu().numpy()].max(1).astype(int)
    return mesh, np.pad(region, (0, len(mesh.triangles) - len(region)), constant_values=-1)


@lru_cache(maxsize=NUM_SLOTS)
def _clothes(pool_seed: int, slot: int, device: str) -> Mesh:
    """Clothes without their body: all of them, or those above or below the waist; if the slot's person wears none,
    those of another slot."""
    mesh, region = _dressed(pool_seed, slot, device, _ONLY_CLOTHES, hanging=True)
    is_skin = mesh.table.rows["is_skin"] == 1
    cloth = ~is_skin[mesh.material.cpu().numpy()]
    if not cloth.any():
        return _clothes(pool_seed, slot + NUM_SLOTS, device)
    height = mesh.vertices[:, 2].cpu().numpy()[mesh.triangles.cpu().numpy()].mean(1)
    waist = 0.55 * float(height.max())
    half = (np.ones_like(cloth), height > waist, height > waist, height < waist)[slot % 4]
    keep = cloth & half & ~_in(region, "hand", "foot", "head", "eye")
    return subset(mesh, keep if keep.sum() > 50 else cloth)


def _in(region: np.ndarray, *names: str) -> np.ndarray:
    return np.isin(region, [REGIONS.index(name) for name in names])


@lru_cache(maxsize=NUM_SLOTS)
def _mannequin(pool_seed: int, slot: int, device: str) -> Mesh:
    """A body of one hard material without head, often without arms or legs, naked or dressed, on its stand."""
    rng = np.random.default_rng((29, pool_seed, slot))
    mesh, region = _dressed(pool_seed, slot, device, Ingredients.none() if slot % 2 else _ONLY_CLOTHES, hanging=False)
    gone = ["head", "eye", "neck"]
    gone += ["arm", "hand"] if rng.random() < 0.6 else []
    gone += ["leg", "foot"] if rng.random() < 0.4 else []
    mesh = subset(mesh, ~_in(region, *gone))
    surface = _HARD[rng.integers(len(_HARD))] * rng.uniform(0.8, 1.1)
    material = Material(np.clip(surface, 0.02, 1), "none", specular=float(rng.choice([0.03, 0.3, 0.7])))
    body = mesh.vertices.cpu().numpy()
    trunk = body.mean(0)
    top = float(body[:, 2].max())
    stand = [
        tube([[trunk[0], trunk[1], 0.02], [trunk[0], trunk[1], top - 0.2]], 0.018, wood_or_metal(rng), 7),
        tube([[trunk[0], trunk[1], 0.0], [trunk[0], trunk[1], 0.02]], rng.uniform(0.14, 0.24), wood_or_metal(rng), 14),
        tube([[trunk[0], trunk[1], top - 0.03], [trunk[0], trunk[1], top + 0.02]], [0.06, 0.045], material, 12),
    ]
    with_stand = join(mesh, mesh_of(stand, rng, pool_seed, device))
    plastic = len(mesh.table.rows) + 2
    skin = torch.from_numpy(with_stand.table.rows["is_skin"] == 1).to(device)[with_stand.material.long()]
    return replace(with_stand, material=torch.where(skin, plastic, with_stand.material).to(torch.int32))


# Plaster, white and black plastic, beige cloth, wood, bronze, chrome.
_HARD = np.array([[0.86, 0.84, 0.8], [0.95, 0.95, 0.95], [0.05, 0.05, 0.06], [0.8, 0.7, 0.58], [0.55, 0.36, 0.2],
                  [0.4, 0.27, 0.13], [0.6, 0.6, 0.62]])  # fmt: skip


def _moved(mesh: Mesh, rotation: ArrayLike, shift: ArrayLike) -> Mesh:
    return replace(mesh, vertices=transform(mesh.vertices, np.asarray(rotation), np.asarray(shift)))


def _tinted(rng: np.random.Generator, mesh: Mesh) -> Mesh:
    """The same clothes in other colours."""
    rows = mesh.table.rows.copy()
    rows["colour"] = (rows["colour"] * rng.uniform(0.5, 1.5, 3).astype(np.float32)).clip(0.01, 1.0)
    return replace(mesh, table=mesh.table._replace(rows=rows))


def _garment(rng: np.random.Generator, pool_seed: int, device: str) -> tuple[Mesh, np.ndarray]:
    """Clothes about the origin, the hem at height 0, and the largest coordinates (3,) of their bounding box."""
    mesh = _tinted(rng, _clothes(pool_seed, int(rng.integers(NUM_SLOTS)), device))
    low, high = (end(mesh.vertices, 0).cpu().numpy() for end in (torch.amin, torch.amax))
    shift = -np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return _moved(mesh, np.eye(3), shift), high + shift


def _hanging(rng: np.random.Generator, pool_seed: int, device: str) -> Mesh:
    """One to seven pieces flat on hangers, on a rail or on hooks."""
    height, gap = rng.uniform(1.5, 2.0), rng.uniform(0.08, 0.3)
    count = int(rng.choice([1, 2, 4, 7], p=[0.45, 0.2, 0.2, 0.15]))
    sideways = count > 2
    solids, metal = [], wood_or_metal(rng)
    pieces: list[Mesh] = []
    for k in range(count):
        mesh, high = _garment(rng, pool_seed, device)
        flat = np.diag([1.0, rng.uniform(0.25, 0.6), 1.0])
        turn = rotation_about_z(rng.normal(np.pi / 2 if sideways else 0, 0.15))
        spot = np.array([(k - (count - 1) / 2) * (gap if sideways else 0.5), 0, height - 0.08 - high[2]])
        pieces.append(_moved(mesh, turn @ flat, spot))
        across = turn @ np.array([min(0.2, high[0]), 0, 0])
        top = spot + [0, 0, high[2]]
        solids += [tube([top - across - [0, 0, 0.05], top, top + across - [0, 0, 0.05]], 0.008, metal, 5),
                   tube([top, [top[0], top[1], height]], 0.004, metal, 4)]  # fmt: skip
    reach = 0.3 + count * (gap if sideways else 0.5) / 2
    solids.append(tube([[-reach, 0, height], [reach, 0, height]], 0.014, metal, 6))
    if rng.random() < 0.7:
        solids += [tube([[x, 0, 0], [x, 0, height]], 0.016, metal, 6) for x in (-reach, reach)]
    return reduce(join, [*pieces, mesh_of(solids, rng, pool_seed, device)])


def _on_chair(rng: np.random.Generator, pool_seed: int, device: str) -> Mesh:
    """A chair with clothes over its back."""
    mesh, high = _garment(rng, pool_seed, device)
    wood, seat, back, half = wood_or_metal(rng), rng.uniform(0.42, 0.5), rng.uniform(0.8, 1.0), rng.uniform(0.19, 0.24)
    solids = [box(np.array([0, 0, seat]), (half, half, 0.025), wood)]
    solids += [tube([[x, y, 0], [x, y, seat]], 0.015, wood, 5) for x in (-half, half) for y in (-half, half)]
    solids.append(box(np.array([0, half, (seat + back) / 2 + 0.1]), (half, 0.015, (back - seat) / 2 - 0.05), wood))
    size = min(1.0, (back + 0.02) / high[2], rng.uniform(0.75, 1.0))
    flat = np.diag([size, 0.35 * size, size])
    lean = np.array([[1, 0, 0], [0, 1, rng.normal(0, 0.1)], [0, 0, 1]])
    clothes = _moved(mesh, lean @ flat, [rng.normal(0, 0.05), half, back + 0.03 - size * high[2]])
    return join(clothes, mesh_of(solids, rng, pool_seed, device))


def _folded(rng: np.random.Generator, pool_seed: int, device: str) -> Mesh:
    """Clothes lying flat or crumpled on a box or the floor."""
    mesh, high = _garment(rng, pool_seed, device)
    top, thickness = rng.choice([0.0, rng.uniform(0.4, 0.9)]), rng.uniform(0.15, 0.5)
    points = mesh.vertices.clone()
    x, y, z = points.unbind(1)
    if rng.random() < 0.7:  # folded in the middle: the lower half on the upper one
        middle = 0.5 * float(high[2])
        over = (z > middle).to(z.dtype)
        z, y = (z - middle).abs(), y + over * float(high[1])
    lying = torch.stack([x, z - float(z.mean()), top + 0.005 + (y - y.min()) * float(thickness)], 1).contiguous()
    mesh = replace(mesh, vertices=lying)
    low, far = lying.amin(0).cpu().numpy(), lying.amax(0).cpu().numpy()
    if top == 0.0:
        return mesh
    half = (far - low) / 2 + rng.uniform(0.02, 0.3, 3)
    center = np.array([*((far + low) / 2)[:2], top / 2])
    return join(mesh, mesh_of([box(center, (half[0], half[1], top / 2), wood_or_metal(rng))], rng, pool_seed, device))


def _standing_mannequin(rng: np.random.Generator, pool_seed: int, device: str) -> Mesh:
    return _mannequin(pool_seed, int(rng.integers(NUM_SLOTS)), device)


def _animal(rng: np.random.Generator, pool_seed: int, device: str) -> Mesh:
    return mesh_of(animal(rng), rng, pool_seed, device)


NEGATIVE_KINDS = {
    "hanging": Kind(0.26, _hanging),
    "on_chair": Kind(0.12, _on_chair),
    "folded": Kind(0.08, _folded),
    "mannequin": Kind(0.26, _standing_mannequin),
    "animal": Kind(0.28, _animal),
}


def hard_negative(
    rng: np.random.Generator, spot: np.ndarray, pool_seed: int = 0, device: str = "cpu", kind: str | None = None
) -> Mesh:
    """Make a thing like a person on the floor at spot (2,) metres, turned at random.

    kind: a key of NEGATIVE_KINDS, None draws one by its weight.
    """
    kind = draw_kind(rng, NEGATIVE_KINDS, kind, "kind of hard negative")
    mesh = NEGATIVE_KINDS[kind].make(rng, pool_seed, device)
    yaw = rng.uniform(-np.pi, np.pi) if kind in ("animal", "folded") else rng.normal(0, 0.7)
    return _moved(mesh, rotation_about_z(yaw), np.array([*spot, 0.0]))
