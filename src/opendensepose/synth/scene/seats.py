"""What people sit on: stools, chairs, benches, blocks, sofas, bicycles; built under a posed body.

Letters: V vertices of the whole model.
"""

from dataclasses import dataclass

import numpy as np

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.body.body import BodyCoordinates
from opendensepose.synth.clothes.outfit import random_colour
from opendensepose.synth.scene.solid import Solid, box, ellipsoid, ring, tube
from opendensepose.synth.textures.material_table import Material

__all__ = ["BodyFrame", "SINK_M", "bicycle", "seat", "seat_height", "upholstery", "wood_or_metal"]

SINK_M = 0.015  # how deep a body sinks into what it sits on


@dataclass(frozen=True)
class BodyFrame:
    """A posed body in the world, metres, and its own upright axes."""

    vertices: np.ndarray  # (V, 3)
    joints: dict[str, np.ndarray]  # (3,) by COCO name
    hips: np.ndarray  # (3,) middle of the hip joints
    axes: np.ndarray  # (3, 3), rows: left, backwards, up
    local: np.ndarray  # (V, 3) vertices from the hips along the axes; the last column is height above the floor

    @classmethod
    def of(cls, vertices: np.ndarray, keypoints: np.ndarray) -> "BodyFrame":
        """Measure a body from vertices (V, 3) and COCO keypoints (17, 3), world, metres."""
        joints = dict(zip(KEYPOINT_NAMES, np.asarray(keypoints, float), strict=True))
        hips = (joints["left_hip"] + joints["right_hip"]) / 2
        left = joints["left_hip"] - joints["right_hip"]
        left[2] = 0.0
        left = left / (np.linalg.norm(left) + 1e-9)
        axes = np.stack([left, np.array([-left[1], left[0], 0.0]), np.array([0.0, 0.0, 1.0])])
        local = (vertices - hips) @ axes.T
        local[:, 2] = vertices[:, 2]
        return cls(vertices, joints, hips, axes, local)

    def at(self, left: float, back: float, height: float) -> np.ndarray:
        """Compute a world point (3,) from the hips along the axes, at a height above the floor."""
        return self.hips * np.array([1, 1, 0]) + left * self.axes[0] + back * self.axes[1] + height * self.axes[2]


def seat_height(frame: BodyFrame, where: BodyCoordinates) -> float:
    """Compute the height of a seat's top under a posed body's buttocks, metres above the floor."""
    return float(frame.local[_area(where, "buttocks"), 2].min()) + SINK_M


def _area(where: BodyCoordinates, name: str) -> np.ndarray:
    """(V,) bool, cached: the "buttocks" (with the upper thighs), "thighs", "shins" (with the feet) or "trunk"."""
    if name not in where.body_areas:
        leg, torso, height = where.is_in("leg"), where.is_in("torso"), where.rest[:, 2]
        masks = {
            "buttocks": (torso & (height < 0.06)) | (leg & (where.along < 0.3)),
            "thighs": leg & (where.along >= 0.3) & (where.along < 0.95),
            "shins": (leg & (where.along >= 0.95)) | where.is_in("foot"),
            "trunk": torso & (height > 0.15),
        }
        where.body_areas.update(masks)
    return where.body_areas[name]


def wood_or_metal(rng: np.random.Generator) -> Material:
    """Draw furniture's material: plain, mostly brown, black, white or grey."""
    tone = rng.uniform(0.1, 0.9) * np.array([1.0, 0.72, 0.48]) if rng.random() < 0.45 else random_colour(rng)
    return Material(np.clip(tone, 0.02, 1), specular=float(rng.choice([0.02, 0.2, 0.5])))


def upholstery(rng: np.random.Generator) -> Material:
    """Draw the material of cushions and sofas: plain or patterned fabric."""
    texture = "fabric" if rng.random() < 0.4 else "none"
    return Material(random_colour(rng), texture, float(rng.uniform(1.5, 6)), fold=0.3 * rng.random())


def _front(frame: BodyFrame, where: BodyCoordinates, top: float) -> float:
    """How far forwards of the hips a seat may reach before sloping thighs would lie in it, metres."""
    thighs = frame.local[_area(where, "thighs")]
    deep = -thighs[thighs[:, 2] < top - SINK_M, 1]
    return float(np.clip(deep.min() - 0.01 if len(deep) else 0.3, 0.05, 0.3))


def seat(rng: np.random.Generator, frame: BodyFrame, where: BodyCoordinates) -> list[Solid]:
    """Build a seat under a sitting body, of a kind that its legs leave room for."""
    top = seat_height(frame, where)
    front = _front(frame, where, top)
    shins = frame.local[_area(where, "shins")]
    free = not ((-shins[:, 1] < front + 0.02) & (shins[:, 2] < top - 0.03)).any()  # nothing under the seat
    trunk = frame.local[_area(where, "trunk")]
    rear = float(max(frame.local[_area(where, "buttocks"), 1].max(), 0.12)) + 0.02
    leaning = float(trunk[:, 1].max()) + 0.01
    kinds = ["stool", "chair", "chair", "bench"] + (["block", "sofa", "sofa"] if free else [])
    kind = kinds[rng.integers(len(kinds))]
    frame_material, cover = wood_or_metal(rng), upholstery(rng)
    if kind in ("chair", "sofa") and leaning < rear + 0.3:
        rear = max(rear, leaning)
    width = {"stool": 0.19, "chair": 0.23, "bench": rng.uniform(0.5, 1.2), "block": rng.uniform(0.25, 0.8),
             "sofa": rng.uniform(0.4, 1.1)}[kind]  # fmt: skip
    middle, half = (rear - front) / 2, (rear + front) / 2
    shift = rng.uniform(-0.6, 0.6) * (width - 0.22) if width > 0.3 else 0.0
    depth = top if kind in ("block", "sofa") else min(rng.uniform(0.03, 0.07), 0.5 * top)
    slab = box(frame.at(shift, middle, top - depth / 2), (width, half, depth / 2), cover, frame.axes)
    parts = [slab]
    if kind in ("stool", "chair", "bench"):
        splay = rng.uniform(0, 0.05)
        for x in (shift - width + 0.03, shift + width - 0.03):
            for y in (middle - half + 0.03, middle + half - 0.03):
                foot = frame.at(x + splay * np.sign(x - shift), y + splay * np.sign(y - middle), 0)
                parts.append(tube([frame.at(x, y, top - depth), foot], 0.014, frame_material, sides=6))
    if kind in ("chair", "sofa"):
        parts += _back(rng, frame, (shift, rear), width, top, cover if kind == "sofa" else frame_material)
    if kind == "sofa" and rng.random() < 0.7:
        for x in (shift - width - 0.08, shift + width + 0.08):
            arm = top + rng.uniform(0.12, 0.22)
            parts.append(box(frame.at(x, middle, arm / 2), (0.08, half, arm / 2), cover, frame.axes))
    return parts


def _back(
    rng: np.random.Generator, frame: BodyFrame, place: tuple[float, float], width: float, top: float, material: Material
) -> list:
    """A chair's back behind `place`: left, back; a slab, or posts and rails."""
    left, rear = place
    height = rng.uniform(0.3, 0.55)
    if width > 0.3 or rng.random() < 0.5:
        center = frame.at(left, rear + 0.035, top + height / 2)
        return [box(center, (width, 0.03, height / 2), material, frame.axes)]
    posts = [
        tube([frame.at(x, rear + 0.02, 0), frame.at(x, rear + 0.03, top + height)], 0.015, material, sides=6)
        for x in (left - width, left + width)
    ]
    rails = [
        box(frame.at(left, rear + 0.03, top + z * height), (width, 0.01, 0.025), material, frame.axes)
        for z in np.linspace(0.4, 0.95, int(rng.integers(1, 4)))
    ]
    return posts + rails


def bicycle(rng: np.random.Generator, frame: BodyFrame, where: BodyCoordinates) -> list[Solid]:
    """Build a bicycle under a riding body: saddle, wheels on the floor, handlebars where the hands are."""
    top = seat_height(frame, where)
    paint, black = Material(random_colour(rng), specular=0.5), Material(np.full(3, 0.05), specular=0.1)
    hands = (frame.joints["left_wrist"] + frame.joints["right_wrist"]) / 2
    grip = (hands - frame.hips) @ frame.axes[1]
    hand_height = float(hands[2]) - 0.05
    radius = 0.33
    rear_wheel, front_wheel = frame.at(0, 0.32, radius), frame.at(0, min(grip - 0.12, -0.65), radius)
    saddle, crank = frame.at(0, 0.03, top), frame.at(0, -0.15, 0.28)
    head = frame.at(0, min(grip + 0.1, -0.4), hand_height - 0.08)
    parts = [ellipsoid(saddle - 0.02 * frame.axes[2], np.diag([0.07, 0.13, 0.03]) @ frame.axes, black, 6, 10)]
    for center in (rear_wheel, front_wheel):
        parts.append(ring(center, frame.axes[0], radius - 0.02, 0.02, black, 4))
        for angle in np.arange(4) * np.pi / 4:
            spoke = (radius - 0.02) * (np.cos(angle) * frame.axes[1] + np.sin(angle) * frame.axes[2])
            parts.append(tube([center - spoke, center + spoke], 0.003, paint, sides=3))
    tubes = [(saddle, crank), (crank, head), (saddle + 0.35 * (crank - saddle), head), (crank, rear_wheel),
             (saddle, rear_wheel), (head, front_wheel)]  # fmt: skip
    parts += [tube(list(ends), 0.016, paint, sides=6) for ends in tubes]
    bar = hands * np.array([1, 1, 0]) + (hand_height) * frame.axes[2]
    parts.append(tube([bar - 0.27 * frame.axes[0], bar + 0.27 * frame.axes[0]], 0.014, black, sides=6))
    return parts + [tube([head, bar], 0.014, paint, sides=6)]
