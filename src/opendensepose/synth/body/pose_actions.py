"""Further families of poses: jumping, kneeling, sitting on the floor, riding, throwing, hands in pockets, arms around a
neighbour.

Places that hands reach for are points of the neutral body (metres, x outwards for either arm).
"""

import numpy as np

from opendensepose.synth.body.articulation import Articulation, about
from opendensepose.synth.body.pose_families import jitter, set_arms, standing_legs
from opendensepose.synth.kinds import Kind

__all__ = ["ACTIONS"]

_OUT_AND_BACK, _OUT, _DOWN = (1.0, 0.6, -0.3), (1.0, 0.2, 0.2), (0.5, 0.1, -1.0)  # where elbows point


def _pockets(pose: Articulation, rng: np.random.Generator) -> None:
    standing_legs(pose, rng)
    pose.spine(rng.normal(0, 4), rng.normal(0, 3), rng.normal(0, 5))
    sides = ("LR", "L", "R")[rng.choice(3, p=[0.6, 0.2, 0.2])]
    for side in sides:
        pose.reach(side, (0.163, -0.05 + rng.normal(0, 0.012), rng.uniform(-0.01, 0.05)), _OUT_AND_BACK)
    for side in set("LR") - set(sides):
        pose.arm(side, jitter(rng, (0.25, 0.05, -1.0), 0.1), jitter(rng, (0.12, -0.25, -1.0), 0.15))
    pose.pockets = sides


def _jumping(pose: Articulation, rng: np.random.Generator) -> None:
    tucked = rng.random() < 0.5
    for side in "LR":
        flex, knee = (rng.uniform(20, 95), rng.uniform(30, 120)) if tucked else (rng.normal(0, 20), rng.uniform(0, 70))
        pose.leg(side, flex, rng.uniform(-5, 30), knee, rng.normal(5, 8), rng.uniform(-35, 5))
    names = ("up", "up_bent", "sideways", "wave", "bent_forward")
    left = names[rng.integers(5)]
    set_arms(pose, rng, (left, left if rng.random() < 0.6 else names[rng.integers(5)]), 0.2)
    pose.spine(rng.normal(0, 10), rng.normal(0, 8), rng.normal(0, 10))
    pose.lift_m = rng.uniform(0.05, 0.7)


def _bent_double(pose: Articulation, rng: np.random.Generator) -> None:
    pitch = rng.uniform(25, 65)
    knee = rng.uniform(0, 35)
    for side in "LR":
        pose.leg(side, pitch + 0.4 * knee, rng.uniform(-3, 12), knee + rng.normal(0, 4), rng.normal(3, 6), 0.5 * knee)
    pose.root = about("x", pitch)
    pose.spine(rng.uniform(10, 55), rng.normal(0, 6), rng.normal(0, 8))
    if rng.random() < 0.4:  # hands on the knees
        set_arms(pose, rng, ("bent_forward", "bent_forward"), 0.15)
    else:
        for side in "LR":
            pose.arm(side, jitter(rng, (0.15, -0.9, -0.6), 0.2), jitter(rng, (0.0, -0.9, -0.5), 0.25))


def _kneeling(pose: Articulation, rng: np.random.Generator) -> None:
    on_heels = rng.random() < 0.35
    up = "LR"[rng.integers(2)] if not on_heels and rng.random() < 0.6 else ""
    for side in "LR":
        if side == up:
            flex = rng.uniform(95, 112)
            pose.leg(side, flex, rng.uniform(0, 20), flex + rng.normal(0, 6), rng.normal(5, 6))
        else:  # the shin lies on the floor
            knee = rng.uniform(135, 148) if on_heels else rng.uniform(85, 105)
            pose.leg(side, knee - 90 + rng.normal(0, 3), rng.uniform(0, 12), knee, rng.normal(0, 5), -58)
    pose.spine(rng.uniform(-5, 35), rng.normal(0, 6), rng.normal(0, 10))
    names = ("forward", "bent_forward", "hanging", "across_belly", "to_face")
    set_arms(pose, rng, (names[rng.integers(5)], names[rng.integers(5)]), 0.15)


def _on_the_floor(pose: Articulation, rng: np.random.Generator) -> None:
    way, pitch = rng.integers(3), rng.uniform(-18, 6)
    for side in "LR":
        if way == 0:  # cross-legged
            flex, knee = pitch + rng.uniform(88, 100), rng.uniform(105, 130)
            pose.leg(side, flex, rng.uniform(25, 45), knee, rng.uniform(50, 75))
        elif way == 1:  # legs stretched
            flex = pitch + rng.uniform(88, 97)
            pose.leg(side, flex, rng.uniform(-3, 22), 2.2 * max(flex - pitch - 88, 0), rng.normal(8, 8))
        else:  # knees drawn up
            flex = rng.uniform(122, 136)
            knee = flex - pitch - rng.uniform(25, 50)
            pose.leg(side, flex, rng.uniform(-3, 12), knee, rng.normal(3, 6))
    pose.root = about("x", pitch)
    pose.spine(rng.uniform(0, 40), rng.normal(0, 5), rng.normal(0, 8))
    names = ("forward", "bent_forward", "hanging_out", "across_belly", "to_face")
    left = names[rng.integers(5)]
    set_arms(pose, rng, (left, left if rng.random() < 0.5 else names[rng.integers(5)]), 0.15)


def _riding(pose: Articulation, rng: np.random.Generator) -> None:
    pitch, phase = rng.uniform(12, 38), rng.uniform(0, 2 * np.pi)
    for side, turn in (("L", phase), ("R", phase + np.pi)):
        up = 0.5 + 0.5 * np.sin(turn)  # of the pedal
        pose.leg(side, pitch + 22 + 45 * up, rng.uniform(-2, 6), 25 + 75 * up, rng.normal(2, 3), rng.normal(-5, 8))
        pose.arm(side, jitter(rng, (0.15, -0.85, -0.55), 0.07), jitter(rng, (0.0, -0.95, -0.35), 0.07))
    pose.root = about("x", pitch)
    pose.spine(rng.uniform(5, 35), rng.normal(0, 3), rng.normal(0, 4))
    pose.lift_m = rng.uniform(0.12, 0.2)
    pose.nod = -0.8 * pitch


def _dancing(pose: Articulation, rng: np.random.Generator) -> None:
    standing = "LR"[rng.integers(2)]
    for side in "LR":
        if side == standing:
            pose.leg(side, rng.uniform(-5, 25), rng.uniform(0, 20), rng.uniform(0, 40), rng.normal(8, 8), 5)
        else:
            pose.leg(side, rng.uniform(-30, 60), rng.uniform(0, 35), rng.uniform(0, 75), rng.normal(12, 12), -20)
    names = ("up", "up_bent", "sideways", "wave", "on_hip", "to_hair", "bent_forward", "hanging_out")
    set_arms(pose, rng, (names[rng.integers(8)], names[rng.integers(8)]), 0.2)
    pose.spine(rng.normal(0, 12), rng.normal(0, 14), rng.normal(0, 18))


def _throwing(pose: Articulation, rng: np.random.Generator) -> None:
    arm = "LR"[rng.integers(2)]
    for side in "LR":
        if side == arm:
            pose.arm(side, jitter(rng, (0.8, 0.3, 0.5), 0.2), jitter(rng, (0.05, 0.3, 0.9), 0.3))
        else:
            pose.arm(side, jitter(rng, (0.4, -0.9, 0.0), 0.25), jitter(rng, (0.1, -0.9, 0.2), 0.3))
        flex = rng.uniform(-35, -5) if side == arm else rng.uniform(10, 55)
        pose.leg(side, flex, rng.uniform(0, 18), rng.uniform(5, 50), rng.normal(8, 8), rng.normal(0, 10))
    pose.spine(rng.uniform(-15, 10), rng.normal(0, 8), (25 if arm == "L" else -25) + rng.normal(0, 10))


def _kicking(pose: Articulation, rng: np.random.Generator) -> None:
    leg = "LR"[rng.integers(2)]
    for side in "LR":
        if side == leg:
            pose.leg(side, rng.uniform(-30, 80), rng.uniform(0, 35), rng.uniform(0, 70), rng.normal(5, 8), -20)
        else:
            pose.leg(side, rng.uniform(-5, 12), rng.uniform(-4, 8), rng.uniform(5, 30), rng.normal(5, 6), 5)
        pose.arm(side, jitter(rng, (0.8, 0.0, -0.4), 0.3), jitter(rng, (0.4, -0.5, -0.2), 0.35))
    pose.spine(rng.uniform(-15, 20), rng.normal(0, 8), rng.normal(0, 12))


def _hands_behind_head(pose: Articulation, rng: np.random.Generator) -> None:
    standing_legs(pose, rng)
    for side in "LR":
        if side == "L" or rng.random() < 0.7:
            pose.reach(side, (0.05, 0.07, 0.64 + rng.normal(0, 0.03)), jitter(rng, _OUT, 0.2))
        else:
            pose.arm(side, jitter(rng, (0.25, 0.05, -1.0), 0.12), jitter(rng, (0.12, -0.25, -1.0), 0.15))
    pose.spine(rng.normal(-3, 5), rng.normal(0, 5), rng.normal(0, 6))


def _looking_at_phone(pose: Articulation, rng: np.random.Generator) -> None:
    standing_legs(pose, rng)
    both, held = rng.random() < 0.4, "LR"[rng.integers(2)]
    place = np.array([0.06 + rng.normal(0, 0.03), -rng.uniform(0.26, 0.38), rng.uniform(0.12, 0.32)])
    pose.grips = held
    for side in "LR":
        if both or side == held:
            pose.reach(side, place, _DOWN)
        else:
            pose.arm(side, jitter(rng, (0.25, 0.05, -1.0), 0.1), jitter(rng, (0.1, -0.25, -1.0), 0.15))
    pose.spine(rng.uniform(0, 14), rng.normal(0, 3), rng.normal(0, 5))
    pose.nod = rng.uniform(15, 42)


def _carrying(pose: Articulation, rng: np.random.Generator) -> None:
    standing_legs(pose, rng)
    place = np.array([rng.uniform(0.08, 0.19), -rng.uniform(0.22, 0.34), rng.uniform(0.02, 0.3)])
    for side in "LR":
        pose.reach(side, place, _DOWN)
    pose.spine(rng.normal(-3, 4), rng.normal(0, 3), rng.normal(0, 5))


def _hands_together(pose: Articulation, rng: np.random.Generator) -> None:
    standing_legs(pose, rng)
    behind = rng.random() < 0.3
    place = np.array([0.02, rng.uniform(0.11, 0.15) if behind else -rng.uniform(0.15, 0.22), rng.uniform(-0.06, 0.12)])
    for side in "LR":
        pose.reach(side, place, _OUT_AND_BACK)
    pose.spine(rng.normal(0, 4), rng.normal(0, 3), rng.normal(0, 5))


def _crawling(pose: Articulation, rng: np.random.Generator) -> None:
    phase, pitch = rng.choice([-1, 1]), rng.uniform(64, 78)
    for side, sign in (("L", phase), ("R", -phase)):
        thigh = 12 * sign + rng.normal(0, 4)  # forwards of upright; the shin lies on the floor
        pose.leg(side, pitch + thigh, rng.uniform(0, 12), 92 + thigh + rng.normal(0, 3), rng.normal(0, 4), -58)
        pose.arm(side, jitter(rng, (0.15, -1.0, -0.2 * sign), 0.08), jitter(rng, (0.05, -1.0, -0.15 * sign), 0.1))
    pose.root = about("x", pitch)
    pose.spine(rng.uniform(-5, 12), rng.normal(0, 4), rng.normal(0, 5))
    pose.nod = -rng.uniform(15, 45)


def _arm_around(pose: Articulation, rng: np.random.Generator, around: str) -> None:
    standing_legs(pose, rng)
    for side in "LR":
        if side == around:
            pose.arm(side, jitter(rng, (1.0, 0.15, -0.05), 0.08), jitter(rng, (0.75, -0.1, -0.35), 0.15))
        else:
            pose.arm(side, jitter(rng, (0.25, 0.05, -1.0), 0.1), jitter(rng, (0.12, -0.25, -1.0), 0.15))
    pose.spine(rng.normal(0, 3), (3 if around == "L" else -3) + rng.normal(0, 3), rng.normal(0, 4))


def _arm_around_left(pose: Articulation, rng: np.random.Generator) -> None:
    _arm_around(pose, rng, "L")


def _arm_around_right(pose: Articulation, rng: np.random.Generator) -> None:
    _arm_around(pose, rng, "R")


def _hugging(pose: Articulation, rng: np.random.Generator) -> None:
    standing_legs(pose, rng)
    low = rng.uniform(-0.5, 0.25)
    for side in "LR":
        pose.arm(side, jitter(rng, (0.45, -0.9, low), 0.08), jitter(rng, (-0.55, -0.75, 0.1), 0.1))
    pose.spine(rng.uniform(0, 10), rng.normal(0, 3), rng.normal(0, 4))


ACTIONS = {  # weight: share of people; 0: only where a scene asks for it
    "pockets": Kind(0.06, _pockets),
    "jumping": Kind(0.025, _jumping),
    "bent_double": Kind(0.02, _bent_double),
    "kneeling": Kind(0.02, _kneeling),
    "on_the_floor": Kind(0.03, _on_the_floor),
    "riding": Kind(0.012, _riding),
    "dancing": Kind(0.02, _dancing),
    "throwing": Kind(0.015, _throwing),
    "kicking": Kind(0.01, _kicking),
    "hands_behind_head": Kind(0.012, _hands_behind_head),
    "looking_at_phone": Kind(0.03, _looking_at_phone),
    "carrying": Kind(0.015, _carrying),
    "hands_together": Kind(0.025, _hands_together),
    "crawling": Kind(0.008, _crawling),
    "arm_around_left": Kind(0.0, _arm_around_left),
    "arm_around_right": Kind(0.0, _arm_around_right),
    "hugging": Kind(0.0, _hugging),
}
