"""What people hold, stand behind and lean on: solids without a label that hide what lies behind them."""

import numpy as np

from opendensepose.synth.body.body import BodyCoordinates
from opendensepose.synth.clothes.outfit import random_colour
from opendensepose.synth.kinds import Kind, draw_kind
from opendensepose.synth.scene.person import PersonPlan
from opendensepose.synth.scene.seats import BodyFrame, bicycle, seat, upholstery, wood_or_metal
from opendensepose.synth.scene.solid import Solid, box, ellipsoid, ring, tube
from opendensepose.synth.textures.material_table import Material

__all__ = ["HELD_KINDS", "props_of"]

_BEHIND_COUNTERS = ("standing", "crossed_arms", "pockets", "hands_together", "looking_at_phone", "carrying")


class _Hand:
    """A posed hand: knuckles (3,), and the unit vectors along the fingers, towards the index and out of the palm."""

    def __init__(self, frame: BodyFrame, where: BodyCoordinates, side: str):
        places = ("knuckles", "index", "little")
        self.knuckles, index, little = (frame.vertices[_hand_area(where, side, at)].mean(0) for at in places)
        wrist = frame.joints["left_wrist" if side == "L" else "right_wrist"]
        self.along = _unit(self.knuckles - wrist)
        self.up = index - little
        self.up = _unit(self.up - self.along * (self.up @ self.along))
        self.palm = np.cross(self.along, self.up) * (1 if side == "L" else -1)

    def grip(self, radius: float) -> np.ndarray:
        """Centre of a bar of that radius in the bent fingers."""
        return self.knuckles + (0.012 + radius) * self.palm + 0.01 * self.along


def _unit(v: np.ndarray) -> np.ndarray:
    return v / (np.linalg.norm(v) + 1e-9)


def _hand_area(where: BodyCoordinates, side: str, part: str) -> np.ndarray:
    """Vertices of a hand's knuckles or of the base of its index or little finger, on the body at rest; cached."""
    name = f"{side} {part}"
    if name not in where.body_areas:
        sign = 1 if side == "L" else -1
        hand = np.flatnonzero(where.is_in("hand") & (where.side == sign))
        away = np.linalg.norm((where.rest[hand] * [sign, 1, 1])[:, None] - _PLACES[part], axis=-1).min(1)
        where.body_areas[name] = hand[np.argsort(away)[: 24 * len(_PLACES[part])]]
    return where.body_areas[name]


# Places on the neutral body's left hand, metres: base of the index and of the little finger.
_INDEX, _LITTLE = (0.473, -0.273, 0.125), (0.497, -0.22, 0.098)
_PLACES = {"knuckles": np.array([_INDEX, _LITTLE]), "index": np.array([_INDEX]), "little": np.array([_LITTLE])}


def _cup(rng: np.random.Generator, hand: _Hand, cover: Material) -> list[Solid]:
    radius, height = rng.uniform(0.028, 0.042), rng.uniform(0.08, 0.25)
    center = hand.grip(radius)
    profile = [1, 1, 1, 0.4, 0.4] if height > 0.17 else [0.8, 0.9, 1, 1, 1]  # a bottle, a cup
    steps = np.linspace(-0.5, 0.5, 5)[:, None] * height * hand.up
    return [tube(center + steps, radius * np.array(profile), cover, sides=10)]


def _phone(rng: np.random.Generator, hand: _Hand, cover: Material) -> list[Solid]:
    dark = Material(np.full(3, rng.uniform(0.02, 0.12)), specular=0.6)
    axes = np.stack([hand.along, hand.palm, hand.up])
    return [box(hand.grip(0.006), (0.036, 0.005, 0.075), dark if rng.random() < 0.7 else cover, axes)]


def _book(rng: np.random.Generator, hand: _Hand, cover: Material) -> list[Solid]:
    axes = np.stack([hand.along, hand.palm, hand.up])
    half = (rng.uniform(0.07, 0.13), rng.uniform(0.005, 0.02), rng.uniform(0.1, 0.17))
    return [box(hand.grip(half[1]) + 0.04 * hand.along, half, cover, axes)]


def _ball(rng: np.random.Generator, hand: _Hand, cover: Material) -> list[Solid]:
    radius = rng.choice([rng.uniform(0.03, 0.05), rng.uniform(0.09, 0.13)])
    return [ellipsoid(hand.knuckles + (radius + 0.02) * hand.palm, radius * np.eye(3), cover)]


def _bag(rng: np.random.Generator, hand: _Hand, cover: Material) -> list[Solid]:
    top = hand.grip(0.01)
    half = (rng.uniform(0.02, 0.07), rng.uniform(0.1, 0.2), rng.uniform(0.1, 0.22))
    drop = rng.uniform(0.06, 0.22) + half[2]
    low = min(drop, top[2] - half[2] - 0.005)  # not through the floor
    center = top - np.array([0, 0, max(low, half[2])])
    level = _unit(hand.along * [1, 1, 0] + 1e-3)
    axes = np.stack([np.array([-level[1], level[0], 0]), level, np.array([0, 0, 1.0])])
    straps = [
        tube([center + s * half[1] * 0.6 * axes[1] + half[2] * axes[2], top], 0.006, cover, sides=4) for s in (-1, 1)
    ]
    return [box(center, half, cover, axes), *straps]


def _racket(rng: np.random.Generator, hand: _Hand, cover: Material) -> list[Solid]:
    center, frame = hand.grip(0.015), Material(np.full(3, 0.1), specular=0.3)
    direction = _unit(hand.up + 0.6 * hand.along)
    head = center + rng.uniform(0.36, 0.42) * direction
    flat = _unit(hand.palm - direction * (hand.palm @ direction))
    across = np.cross(direction, flat)
    strings = [
        tube([head + a * 0.1 * across + s * direction, head + a * 0.1 * across - s * direction], 0.0015, frame, 3)
        for a, s in ((-0.6, 0.1), (-0.2, 0.13), (0.2, 0.13), (0.6, 0.1))
    ]
    handle = tube([center - 0.08 * direction, head - 0.13 * direction], 0.013, frame, sides=6)
    return [handle, ring(head, flat, 0.13, 0.008, cover, 4), *strings]


def _umbrella(rng: np.random.Generator, hand: _Hand, cover: Material) -> list[Solid]:
    up = _unit(np.array([0, 0, 1.0]) + rng.normal(0, 0.12, 3) + 0.2 * hand.up)
    center, length = hand.grip(0.012), rng.uniform(0.6, 0.8)
    stick = tube([center - 0.15 * up, center + length * up], 0.008, wood_or_metal(rng), sides=5)
    steps, radius = np.array([0.0, 0.09, 0.17, 0.24]), rng.uniform(0.4, 0.55) * np.array([1.0, 0.75, 0.4, 0.02])
    canopy = tube(center + (length - 0.24 + steps)[:, None] * up, radius, cover, sides=12)
    return [stick, canopy]


def _stick(rng: np.random.Generator, hand: _Hand, cover: Material) -> list[Solid]:
    """A stick, bat, broom or pole; a weight's bar with its discs."""
    center = hand.grip(0.014)
    if rng.random() < 0.25:
        discs = [
            tube([center + s * 0.07 * hand.up, center + s * 0.12 * hand.up], 0.05, cover, sides=8) for s in (-1, 1)
        ]
        return [tube([center - 0.09 * hand.up, center + 0.09 * hand.up], 0.013, wood_or_metal(rng), 6), *discs]
    up, down = rng.uniform(0.05, 1.0), rng.uniform(0.1, 1.0)
    ends = [center - down * hand.up, center + up * hand.up]
    return [tube(ends, rng.uniform(0.01, 0.02) * np.array([1, rng.uniform(0.8, 2)]), wood_or_metal(rng), sides=7)]


HELD_KINDS = {
    "cup": Kind(0.26, _cup),
    "phone": Kind(0.2, _phone),
    "book": Kind(0.1, _book),
    "ball": Kind(0.1, _ball),
    "bag": Kind(0.16, _bag),
    "racket": Kind(0.05, _racket),
    "umbrella": Kind(0.05, _umbrella),
    "stick": Kind(0.08, _stick),
}


def _held(rng: np.random.Generator, frame: BodyFrame, where: BodyCoordinates, person: PersonPlan) -> list[Solid]:
    family, cover = person.posture.family, _thing(rng)
    if family == "carrying":
        return _carried(rng, frame, where, cover)
    parts = []
    for side in person.posture.grips:
        kind = draw_kind(rng, HELD_KINDS)
        kind = "phone" if family == "looking_at_phone" else kind
        parts += HELD_KINDS[kind].make(rng, _Hand(frame, where, side), cover)
    return parts


def _thing(rng: np.random.Generator) -> Material:
    return (
        upholstery(rng) if rng.random() < 0.4 else Material(random_colour(rng), specular=float(rng.choice([0.05, 0.4])))
    )


def _carried(rng: np.random.Generator, frame: BodyFrame, where: BodyCoordinates, cover: Material) -> list[Solid]:
    """A box or ball between both hands."""
    left, right = (_Hand(frame, where, side).knuckles for side in "LR")
    apart = left - right
    center = (left + right) / 2 - 0.03 * frame.axes[1]
    half = max(0.06, float(np.linalg.norm(apart) / 2 - 0.005))
    if rng.random() < 0.25:
        return [ellipsoid(center, half * np.eye(3), cover)]
    across = _unit(apart)
    forward = _unit(np.cross(across, [0, 0, 1.0]))
    axes = np.stack([across, forward, np.cross(across, forward)])
    return [box(center, (half, rng.uniform(0.08, 0.18), rng.uniform(0.08, 0.2)), cover, axes)]


def _table(rng: np.random.Generator, frame: BodyFrame, where: BodyCoordinates, sitting: bool) -> list[Solid]:
    """A table or closed counter in front of the body that hides its lower part; things may stand on it."""
    hip = float(frame.hips[2])
    top = hip + rng.uniform(0.12, 0.28) if sitting else hip + rng.uniform(-0.15, 0.18)
    near = frame.local[where.is_in("torso", "leg") & (np.abs(frame.local[:, 2] - top) < 0.12)]
    edge = -float(near[:, 1].min() if len(near) else -0.15) + rng.uniform(0.02, 0.15)
    if sitting:  # above the thighs
        legs = frame.local[where.is_in("leg")]
        top = max(top, float(legs[-legs[:, 1] > edge, 2].max(initial=0.0)) + 0.06)
    depth, width, shift = rng.uniform(0.3, 0.8), rng.uniform(0.5, 1.6), rng.normal(0, 0.3)
    material, middle = wood_or_metal(rng), -(edge + depth / 2)
    parts = [box(frame.at(shift, middle, top - 0.02), (width, depth / 2, 0.02), material, frame.axes)]
    if not sitting and rng.random() < 0.6:
        body = wood_or_metal(rng)
        parts.append(box(frame.at(shift, middle, top / 2 - 0.03), (width, depth / 2 - 0.03, top / 2 - 0.01), body,
                         frame.axes))  # fmt: skip
    else:
        for x in (shift - width + 0.05, shift + width - 0.05):
            for y in (middle - depth / 2 + 0.05, middle + depth / 2 - 0.05):
                parts.append(tube([frame.at(x, y, 0), frame.at(x, y, top - 0.04)], 0.02, material, sides=6))
    for _ in range(int(rng.integers(0, 4))):
        x, y = shift + rng.uniform(-0.8, 0.8) * width, middle + rng.uniform(-0.35, 0.35) * depth
        size = rng.uniform(0.03, 0.15, 3)
        if rng.random() < 0.5:
            parts.append(box(frame.at(x, y, top + size[2]), tuple(size), _thing(rng), frame.axes))
        else:
            ends = [frame.at(x, y, top), frame.at(x, y, top + 2 * size[2])]
            parts.append(tube(ends, 0.6 * size[0], _thing(rng), sides=9))
    return parts


def _wall(rng: np.random.Generator, frame: BodyFrame) -> list[Solid]:
    """A wall or post that the back touches."""
    rear = float(frame.local[:, 1].max()) + 0.005
    width = rng.uniform(0.1, 0.25) if rng.random() < 0.2 else rng.uniform(0.6, 3.0)
    material = upholstery(rng) if rng.random() < 0.5 else wood_or_metal(rng)
    return [box(frame.at(rng.normal(0, 0.15), rear + 0.08, 1.4), (width, 0.08, 1.4), material, frame.axes)]


def _railing(rng: np.random.Generator, frame: BodyFrame) -> list[Solid]:
    top, edge = float(frame.hips[2]) + rng.uniform(-0.1, 0.15), -float(frame.local[:, 1].min()) + rng.uniform(-0.1, 0.1)
    material, half = wood_or_metal(rng), rng.uniform(0.8, 2)
    parts = [tube([frame.at(-half, -edge, z), frame.at(half, -edge, z)], 0.025, material, 6) for z in (top, 0.1)]
    posts = np.linspace(-half, half, int(rng.integers(3, 12)))
    return parts + [tube([frame.at(x, -edge, 0), frame.at(x, -edge, top)], 0.012, material, 5) for x in posts]


def props_of(
    rng: np.random.Generator,
    person: PersonPlan,
    vertices: np.ndarray,
    keypoints: np.ndarray,
    where: BodyCoordinates,
    alone: bool,
) -> list[Solid]:
    """Draw everything that one posed person holds, sits on, leans on or stands behind.

    vertices: (V, 3) skin, keypoints: (17, 3) COCO; world, metres. alone: no other person could be hidden by a wall.
    """
    family = person.posture.family
    frame = BodyFrame.of(vertices, keypoints)
    parts = _held(rng, frame, where, person)
    if family == "sitting":
        parts += seat(rng, frame, where)
    if family == "riding":
        parts += bicycle(rng, frame, where)
    draw = rng.random()
    if family == "sitting" and draw < 0.25:
        parts += _table(rng, frame, where, sitting=True)
    elif family in _BEHIND_COUNTERS:
        if draw < 0.06:
            parts += _table(rng, frame, where, sitting=False)
        elif draw < 0.08:
            parts += _railing(rng, frame)
        elif draw < 0.12 and alone:
            parts += _wall(rng, frame)
    return parts
