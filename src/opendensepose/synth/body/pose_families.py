"""Families of ordinary poses: standing, walking, sitting and the like, each a function that draws one.

Arms are written as the directions in which upper arm and forearm point, seen from the chest (articulation.py).
"""

import numpy as np

from opendensepose.synth.body.articulation import Articulation, about, unit

__all__ = ["ARMS", "arms_up", "crossed_arms", "crouching", "jitter", "lying", "running", "set_arms", "sitting",
           "sports", "standing", "standing_legs", "walking"]  # fmt: skip


def jitter(rng: np.random.Generator, v: tuple[float, float, float], spread: float) -> np.ndarray:
    """Add normal noise of standard deviation `spread` to a vector."""
    return np.asarray(v) + rng.normal(0, spread, 3)


# Arms: (upper arm, forearm) for a left arm, x outwards, y backwards, z up.
ARMS = {
    "hanging": ((0.25, 0.05, -1.0), (0.12, -0.18, -1.0)),
    "hanging_out": ((0.55, 0.05, -0.9), (0.35, -0.25, -0.9)),
    "on_hip": ((0.75, 0.35, -0.75), (-0.75, -0.45, -0.5)),
    "in_pocket": ((0.45, 0.35, -0.9), (-0.12, -0.5, -0.85)),
    "bent_forward": ((0.25, 0.1, -1.0), (-0.1, -1.0, 0.0)),
    "across_belly": ((0.3, -0.1, -1.0), (-0.85, -0.55, -0.05)),
    "crossed": ((0.35, -0.35, -0.85), (-0.95, -0.35, 0.15)),
    "to_face": ((0.35, -0.45, -0.75), (-0.3, -0.45, 0.95)),
    "phone": ((0.2, -0.5, -0.9), (-0.25, -0.8, 0.5)),
    "up": ((0.35, -0.1, 1.0), (0.1, -0.1, 1.0)),
    "up_bent": ((0.9, -0.05, 0.45), (-0.55, 0.15, 0.9)),
    "sideways": ((1.0, 0.0, 0.05), (1.0, -0.15, 0.05)),
    "forward": ((0.15, -1.0, -0.15), (0.0, -1.0, 0.1)),
    "behind_back": ((0.3, 0.5, -0.9), (-0.5, 0.55, -0.55)),
    "wave": ((0.75, -0.2, -0.1), (0.25, -0.25, 1.0)),
    "to_hair": ((0.75, -0.25, 0.5), (-0.75, 0.15, 0.65)),
}
_STANDING_ARMS = ("hanging", "hanging_out", "on_hip", "in_pocket", "bent_forward", "across_belly", "to_face", "phone",
                  "behind_back", "to_hair", "wave")  # fmt: skip
_STANDING_ODDS = np.array([0.42, 0.13, 0.09, 0.1, 0.06, 0.04, 0.04, 0.04, 0.03, 0.03, 0.02])


def set_arms(pose: Articulation, rng: np.random.Generator, names: tuple[str, str], spread: float = 0.12) -> None:
    """Pose left and right arm as named in ARMS, jittered."""
    for side, name in zip("LR", names, strict=True):
        upper, fore = ARMS[name]
        pose.arm(side, jitter(rng, upper, spread), jitter(rng, fore, spread))


def standing_legs(pose: Articulation, rng: np.random.Generator) -> None:
    """Pose legs that stand, in a third of the cases with one relaxed or crossed."""
    narrow = rng.uniform(-9, 6)
    for side in "LR":
        pose.leg(side, rng.normal(0, 4), narrow + rng.normal(0, 3), abs(rng.normal(0, 5)), rng.normal(2, 8))
    if rng.random() < 0.35:  # weight on one leg, the other relaxed or crossed in front
        side = "LR"[rng.integers(2)]
        pose.leg(side, rng.uniform(5, 25), rng.uniform(-12, 8), rng.uniform(10, 40), rng.normal(5, 10), 5)


def standing(pose: Articulation, rng: np.random.Generator) -> None:
    """Stand with two arms of _STANDING_ARMS, in half of the cases the same."""
    standing_legs(pose, rng)
    pose.spine(rng.normal(0, 5), rng.normal(0, 4), rng.normal(0, 6))
    same = rng.random() < 0.5
    odds = _STANDING_ODDS / _STANDING_ODDS.sum()
    left = _STANDING_ARMS[rng.choice(len(odds), p=odds)]
    right = left if same else _STANDING_ARMS[rng.choice(len(odds), p=odds)]
    set_arms(pose, rng, (left, right))


def crossed_arms(pose: Articulation, rng: np.random.Generator) -> None:
    """Stand with crossed arms."""
    standing_legs(pose, rng)
    set_arms(pose, rng, ("crossed", "crossed"), 0.07)


def walking(pose: Articulation, rng: np.random.Generator) -> None:
    """Walk, with arms swinging against the legs."""
    phase, stride = rng.choice([-1, 1]), rng.uniform(0.4, 1.2)
    for side, sign in (("L", phase), ("R", -phase)):
        flex = sign * 24 * stride
        knee = rng.uniform(2, 15) if sign > 0 else rng.uniform(5, 35) * stride
        pose.leg(side, flex + rng.normal(0, 4), rng.normal(0, 3), knee, rng.normal(3, 5), rng.normal(0, 6))
        swing = -sign * 0.35 * stride
        pose.arm(side, jitter(rng, (0.25, -swing, -1.0), 0.08), jitter(rng, (0.1, -swing - 0.3, -0.95), 0.12))
    pose.spine(rng.uniform(-2, 8), rng.normal(0, 3), phase * 5 * stride)


def running(pose: Articulation, rng: np.random.Generator) -> None:
    """Run, with bent arms."""
    phase = rng.choice([-1, 1])
    for side, sign in (("L", phase), ("R", -phase)):
        flex, knee = (
            (rng.uniform(40, 80), rng.uniform(50, 100)) if sign > 0 else (rng.uniform(-30, 5), rng.uniform(15, 95))
        )
        pose.leg(side, flex, rng.normal(0, 4), knee, rng.normal(0, 5), rng.normal(0, 15))
        upper = (0.3, sign * 0.6, -0.8)
        pose.arm(side, jitter(rng, upper, 0.12), jitter(rng, (-0.15, -0.9 if sign < 0 else -0.5, 0.25), 0.2))
    pose.spine(rng.uniform(5, 20), rng.normal(0, 3), phase * 12)


def sitting(pose: Articulation, rng: np.random.Generator) -> None:
    """Sit, in a quarter of the cases with one leg stretched or crossed."""
    spread = rng.uniform(-3, 25)
    for side in "LR":
        pose.leg(side, rng.uniform(65, 100), spread + rng.normal(0, 5), rng.uniform(50, 105), rng.normal(0, 8),
                 rng.normal(0, 8))  # fmt: skip
    if rng.random() < 0.25:
        pose.leg("LR"[rng.integers(2)], rng.uniform(-45, -5), rng.uniform(0, 10), rng.uniform(-45, 0))
    pose.spine(rng.uniform(-10, 30), rng.normal(0, 5), rng.normal(0, 8))
    names = ("bent_forward", "across_belly", "hanging", "to_face", "phone", "in_pocket", "crossed", "forward")
    left = names[rng.integers(len(names))]
    set_arms(pose, rng, (left, left if rng.random() < 0.5 else names[rng.integers(len(names))]), 0.15)


def crouching(pose: Articulation, rng: np.random.Generator) -> None:
    """Crouch."""
    depth = rng.uniform(0.35, 1.0)
    for side in "LR":
        knee = 125 * depth + rng.normal(0, 8)
        pose.leg(side, 110 * depth + rng.normal(0, 8), rng.uniform(0, 25), knee, rng.normal(5, 8), 25 * depth)
    pose.spine(rng.uniform(5, 45), rng.normal(0, 6), rng.normal(0, 10))
    names = ("forward", "bent_forward", "sideways", "across_belly", "hanging")
    set_arms(pose, rng, (names[rng.integers(5)], names[rng.integers(5)]), 0.2)


def lying(pose: Articulation, rng: np.random.Generator) -> None:
    """Lie on the back or the front, posed as for standing or sports."""
    sports(pose, rng) if rng.random() < 0.4 else standing(pose, rng)
    pose.root = about("z", rng.uniform(0, 360)) @ about("x", rng.choice([-90.0, 90.0])) @ about("z", rng.normal(0, 40))


def arms_up(pose: Articulation, rng: np.random.Generator) -> None:
    """Stand with raised arms."""
    standing_legs(pose, rng)
    names = ("up", "up_bent", "sideways", "wave", "to_hair", "forward")
    left = names[rng.integers(len(names))]
    set_arms(pose, rng, (left, left if rng.random() < 0.6 else names[rng.integers(len(names))]), 0.2)
    pose.spine(rng.normal(0, 8), rng.normal(0, 8), rng.normal(0, 10))


def sports(pose: Articulation, rng: np.random.Generator) -> None:
    """Draw all limbs at random, within wide limits."""
    for side in "LR":
        pose.leg(
            side, rng.uniform(-35, 95), rng.uniform(-8, 45), rng.uniform(0, 110), rng.normal(0, 15), rng.normal(0, 15)
        )
        direction = unit(rng.normal(0, 1, 3) * [0.9, 0.8, 1.0] + [0.6, -0.35, 0.0])
        direction[0] = max(direction[0], -0.25)
        fore = unit(direction * rng.uniform(0.1, 1.5) + unit(rng.normal(0, 1, 3) + [-0.2, -0.9, 0.3]))
        pose.arm(side, direction, fore)
    pose.spine(rng.uniform(-15, 45), rng.normal(0, 12), rng.normal(0, 20))
    pose.root = about("y", rng.normal(0, 10)) @ about("x", rng.normal(5, 12))
