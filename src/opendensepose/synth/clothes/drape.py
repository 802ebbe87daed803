"""What swings free of the body: skirts, long hair, hat brims, bags. Small grids placed by the posed body's joints.

A Drape belongs to no body point and has its own texture coordinates: its pixels are labelled with the body behind it,
or background where there is none (docs/conventions.md). Letters: N vertices and T triangles of a drape.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from opendensepose.camera import cross
from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.clothes.outfit import BrimStyle, HairStyle, Outfit, SkirtStyle, random_colour
from opendensepose.synth.drawing.mesh import grid_triangles
from opendensepose.synth.textures.material_table import Material

__all__ = ["Drape", "drapes_of"]


@dataclass(frozen=True)
class Drape:
    """A skirt, a lock or curtain of hair, a brim or a bag."""

    vertices: np.ndarray  # (N, 3) float32 world, metres
    triangles: np.ndarray  # (T, 3) int32
    cloth: np.ndarray  # (N, 3) float32 texture coordinates, metres along the cloth
    material: int  # index into the outfit's materials


class _HeadFrame(NamedTuple):
    """A posed head."""

    center: np.ndarray  # (3,) between the ears, world, metres
    left: np.ndarray  # (3,) unit vectors
    back: np.ndarray
    up: np.ndarray
    size: float  # relative to the neutral adult's


def _unit(v: np.ndarray) -> np.ndarray:
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-9)


def _grid(points: np.ndarray, cloth: np.ndarray, material: int, closed: bool = False) -> Drape:
    """Make a Drape of a grid of points (rows, columns, 3); closed joins the last column to the first."""
    triangles = grid_triangles(points.shape[0], points.shape[1], closed)
    vertices = points.reshape(-1, 3).astype(np.float32)
    return Drape(vertices, triangles, cloth.reshape(-1, 3).astype(np.float32), material)


def _cloth(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.stack([u, np.zeros_like(u), v], -1)


def _joints(keypoints: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(KEYPOINT_NAMES, keypoints, strict=True))


def _skirt(joints: dict, hips: np.ndarray, style: SkirtStyle, rng: np.random.Generator) -> Drape:
    """A tube that starts around the waist and follows both legs; hips: (n, 3) posed skin around the hip joints."""
    left = np.stack([joints["left_hip"], joints["left_knee"], joints["left_ankle"]])
    right = np.stack([joints["right_hip"], joints["right_knee"], joints["right_ankle"]])
    middle = (left[0] + right[0]) / 2
    up = _unit((joints["left_shoulder"] + joints["right_shoulder"]) / 2 - middle)
    across = _unit(left[0] - right[0])
    back = cross(across, up)
    radius_x = np.abs((hips - middle) @ across).max() + 0.008
    radius_y = np.abs((hips - middle) @ back).max() * 0.9 + 0.008
    rows, columns = 14, 40
    s = np.linspace(0, 1, rows)
    thigh = np.linalg.norm(left[1] - left[0])
    at = np.clip(s * (style.length + style.waist) - style.waist, -1, 2)  # below 0 above the hips, 1 knee, 2 ankle
    theta = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    phase = rng.uniform(0, 6.3)
    above, down = at <= 0, np.maximum(at, 0)
    segment = np.minimum(down, 1.999).astype(int)  # 0 thigh, 1 lower leg
    part = (down - segment)[:, None]
    on_left, on_right = (leg[segment] * (1 - part) + leg[segment + 1] * part for leg in (left, right))
    center = (on_left + on_right) / 2 - np.minimum(at, 0)[:, None] * thigh * up
    spread = np.where(above[:, None], 0, (on_left - on_right) / 2)
    shrink = 1 - 0.5 * np.minimum(1, -np.minimum(at, 0) / 0.4)
    base = np.maximum(0, 1 - 0.45 * down)  # legs get thinner
    flare = style.flare * np.maximum(at + 0.2, 0)
    a = np.where(above, radius_x - 0.09, np.abs(spread @ across))
    a = (a + 0.09 * (0.6 + 0.4 * base)) * shrink + flare
    a = np.where(above, a, np.maximum(a, radius_x * (1 - 0.45 * at) + flare))
    b = radius_y * shrink * (0.55 + 0.45 * base) + np.abs(spread @ back) + flare
    behind = cross(across, _unit((left[0] + right[0] - left[1] - right[1]) / 2))  # of the thighs
    behind = _unit(behind) if np.linalg.norm(behind) > 0.2 else back
    depth_axis = np.where(above[:, None], _unit(back), behind)
    fold = 1 + style.fold_depth * s[:, None] / 0.12 * np.cos(style.folds * theta + phase)  # (rows, columns)
    wide, deep = np.cos(theta) * a[:, None] * fold, np.sin(theta) * b[:, None] * fold
    points = center[:, None] + wide[..., None] * across + deep[..., None] * depth_axis[:, None]
    u = np.broadcast_to(theta * 0.17, (rows, columns))
    v = np.broadcast_to((-s * style.length * thigh)[:, None], (rows, columns))
    return _grid(points, _cloth(u, v), style.material, closed=True)


def _head_frame(joints: dict) -> _HeadFrame:
    center = (joints["left_ear"] + joints["right_ear"]) / 2
    left = _unit(joints["left_ear"] - joints["right_ear"])
    back = _unit(center - joints["nose"])
    back = _unit(back - left * (back @ left))
    up = cross(left, back)
    tilt = np.radians(-6.5)  # from the ears the nose lies a little low
    back, up = np.cos(tilt) * back + np.sin(tilt) * up, np.cos(tilt) * up - np.sin(tilt) * back
    size = np.linalg.norm(joints["left_ear"] - joints["right_ear"]) / 0.1483
    return _HeadFrame(center, left, back, up, float(size))


def _long_hair(joints: dict, style: HairStyle, rng: np.random.Generator) -> list[Drape]:
    """A curtain of strands around the back of the head, down to the neck, the shoulders or the waist."""
    center, left, back, up, size = _head_frame(joints)
    trunk_up = _unit(
        (joints["left_shoulder"] + joints["right_shoulder"] - joints["left_hip"] - joints["right_hip"]) / 2
    )
    if style.kind == "bun":
        return [
            _ball(center + (back * 0.11 + up * rng.uniform(0.02, 0.13)) * size, rng.uniform(0.03, 0.055) * size, style)
        ]
    length = (rng.uniform(0.08, 0.2) if style.kind == "medium" else rng.uniform(0.2, 0.5)) * size
    tail = style.kind == "long" and rng.random() < 0.25  # tied together
    half = 0.35 if tail else np.radians(rng.uniform(85, 150))
    shift = rng.normal(0, 0.25)
    rows, columns = 10, 24
    theta = np.linspace(-half, half, columns) + (shift if tail else 0)
    s = np.linspace(0, 1, rows)[:, None]
    outwards = np.sin(theta)[:, None] * left + np.cos(theta)[:, None] * back  # (columns, 3)
    pad = style.puff + rng.uniform(0.004, 0.02)
    reach = np.sqrt((np.sin(theta) * (0.078 + pad)) ** 2 + (np.cos(theta) * (0.105 + pad)) ** 2) * size
    start = center + up * 0.07 * size + back * 0.015 * size
    widen = 1 + s * rng.uniform(-0.35, 0.35) + 0.2 * np.sin(np.pi * s)
    down = -_unit(0.5 * trunk_up + 0.5 * np.array([0.0, 0.0, 1.0]) + 0.15 * up)
    wave = rng.uniform(0, 0.012) * np.sin(s * rng.uniform(4, 20) + theta[None] * rng.uniform(1, 5))
    ends = 1 + 0.12 * rng.normal(0, 1, columns)
    drop = s * (0.1 * size + length * ends[None])
    points = start + outwards[None] * (reach[None] * widen + wave)[..., None] + drop[..., None] * down
    over_trunk = np.clip(drop - 0.16 * size, 0, 0.12)  # lie on the shoulders and the back, not in them
    points = points + (over_trunk * np.sign(np.cos(theta)) * 0.5)[..., None] * back
    u = np.broadcast_to(theta * 0.1, (rows, columns))
    return [_grid(points, _cloth(u, np.broadcast_to(-drop, (rows, columns))), style.material)]


def _front_locks(joints: dict, style: HairStyle, rng: np.random.Generator) -> list[Drape]:
    """Long hair that falls over one or both shoulders to the chest."""
    center, left, back, up, size = _head_frame(joints)
    middle = (joints["left_shoulder"] + joints["right_shoulder"]) / 2
    trunk_up = _unit(middle - (joints["left_hip"] + joints["right_hip"]) / 2)
    across = _unit(joints["left_shoulder"] - joints["right_shoulder"])
    front = cross(trunk_up, -across)
    front = _unit(front - across * (front @ across))
    length, rows, columns = rng.uniform(0.06, 0.3) * size, 12, 7
    locks = []
    for side in (-1, 1) if rng.random() < 0.65 else (rng.choice([-1, 1]),):
        inwards = rng.uniform(0.05, 0.1)
        path = [
            center + (0.05 * up + side * 0.08 * left + 0.02 * back) * size,
            center + (side * 0.094 * left - 0.06 * up + 0.01 * back) * size,
            middle + (side * 0.09 * across + 0.04 * trunk_up + 0.075 * front) * size,
            middle + (side * inwards * across - 0.06 * trunk_up + 0.135 * front) * size,
            middle + (side * inwards * across - 0.08 * trunk_up + 0.15 * front) * size - length * trunk_up,
        ]
        s = np.linspace(0, len(path) - 1, rows)
        line = np.stack([np.interp(s, np.arange(len(path)), axis) for axis in np.array(path).T], 1)
        wide = np.interp(s, [0, 1, 3, 4], [0.035, 0.04, rng.uniform(0.03, 0.055), rng.uniform(0.01, 0.04)]) * size
        place = np.linspace(-1, 1, columns)
        wave = rng.uniform(0, 0.01) * np.sin(s[:, None] * rng.uniform(2, 7) + place * rng.uniform(0, 3))
        sideways = np.where(s[:, None] < 1.5, -back, across)  # beside the face it is seen from the side
        points = line[:, None] + (wide[:, None] * place)[..., None] * sideways[:, None]
        points = points + ((1 - place**2) * 0.02 * size + wave)[..., None] * front
        v = -np.linalg.norm(line - line[0], axis=1)
        cloth = _cloth(np.broadcast_to(place * 0.04, (rows, columns)), np.broadcast_to(v[:, None], (rows, columns)))
        locks.append(_grid(points, cloth, style.material))
    return locks


def _ball(center: np.ndarray, radius: float, style: HairStyle) -> Drape:
    phi, theta = np.meshgrid(np.linspace(0, np.pi, 7), np.linspace(0, 2 * np.pi, 12, endpoint=False), indexing="ij")
    sphere = np.stack([np.sin(phi) * np.cos(theta), np.sin(phi) * np.sin(theta), np.cos(phi)], -1)
    return _grid(center + radius * sphere, radius * sphere, style.material, closed=True)


def _brim(joints: dict, style: BrimStyle) -> Drape:
    center, left, back, up, size = _head_frame(joints)
    half = np.pi * (0.3 if style.front_only else 1.0)
    theta = np.linspace(-half, half, 24)
    edge = np.cos(np.linspace(-np.pi / 2, np.pi / 2, 24)) if style.front_only else np.ones(24)
    middle = center + (up * 0.055 + back * 0.005) * size
    ring = np.sin(theta)[:, None] * left * 0.085 - np.cos(theta)[:, None] * back * 0.115
    outwards = np.sin(theta)[:, None] * left - np.cos(theta)[:, None] * back
    inner = middle + ring * size
    outer = inner + (outwards * style.width * edge[:, None] - up * 0.012) * size
    points = np.stack([inner, outer])
    u = np.broadcast_to(theta * 0.1, (2, 24))
    return _grid(points, _cloth(u, np.array([[0.0], [style.width]]) + 0 * u), style.material)


def _bag(joints: dict, outfit: Outfit, rng: np.random.Generator) -> Drape:
    """A bag: on the back, at a hip or in a hand."""
    hips = (joints["left_hip"] + joints["right_hip"]) / 2
    shoulders = (joints["left_shoulder"] + joints["right_shoulder"]) / 2
    up, left = _unit(shoulders - hips), _unit(joints["left_shoulder"] - joints["right_shoulder"])
    back = _unit(cross(left, up))
    width, height, depth = rng.uniform(0.09, 0.17), rng.uniform(0.09, 0.2), rng.uniform(0.03, 0.08)
    side = rng.choice([-1, 1])
    where = rng.integers(3)
    if where == 0:
        center, axes = hips + 0.6 * (shoulders - hips) + back * (0.1 + depth), (left, up, back)
    elif where == 1:
        center, axes = hips + side * left * (0.19 + depth), (back, up, left)
    else:
        wrist = joints["left_wrist" if side > 0 else "right_wrist"]
        axes = (back, np.array([0.0, 0.0, 1.0]), left)
        center = wrist - axes[1] * (height + rng.uniform(0.05, 0.25))
    phi, theta = np.meshgrid(np.linspace(0, np.pi, 8), np.linspace(0, 2 * np.pi, 20, endpoint=False), indexing="ij")
    square = [
        np.sign(f) * np.abs(f) ** 0.4 for f in (np.sin(phi) * np.cos(theta), np.cos(phi), np.sin(phi) * np.sin(theta))
    ]
    local = np.stack([square[0] * width, square[1] * height, square[2] * depth], -1)
    points = center + local[..., :1] * axes[0] + local[..., 1:2] * axes[1] + local[..., 2:] * axes[2]
    outfit.materials.append(Material(random_colour(rng), specular=rng.choice([0.02, 0.3])))
    return _grid(points, _cloth(local[..., 0], local[..., 1]), len(outfit.materials) - 1, closed=True)


def drapes_of(
    outfit: Outfit,
    keypoints: np.ndarray,
    hips: np.ndarray,
    rng: np.random.Generator,
    bags: bool = True,
    front_locks: bool = False,
) -> list[Drape]:
    """Place the drapes of a posed person; a bag adds its material to the outfit.

    keypoints: (17, 3) COCO joints in the world, metres. hips: (n, 3) posed skin around the hip joints. front_locks:
    whether some long hair falls over the shoulders.
    """
    joints = _joints(np.asarray(keypoints, np.float64))
    drapes = []
    if outfit.skirt:
        drapes.append(_skirt(joints, np.asarray(hips, np.float64), outfit.skirt, rng))
    if outfit.hair:
        drapes.extend(_long_hair(joints, outfit.hair, rng))
        if front_locks and outfit.hair.kind == "long" and rng.random() < 0.45:
            drapes.extend(_front_locks(joints, outfit.hair, rng))
    if outfit.brim:
        drapes.append(_brim(joints, outfit.brim))
    if bags and rng.random() < 0.07:
        drapes.append(_bag(joints, outfit, rng))
    return drapes
