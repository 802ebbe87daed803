"""Random poses in families, with joint limits: what people do in photos.

Rotations are about the axes of the body at rest (x = person's left, y = back, z up), applied in the frame that the
parent bone carries along. Arms are written as the directions in which upper arm and forearm point, seen from the chest;
the shoulder's twist then follows from the elbow being a hinge.
"""

import math

import numpy as np

from opendensepose.camera import cross
from opendensepose.synth.body import Body

__all__ = ["sample_pose", "POSE_FAMILIES"]

_MIRROR = np.array(
    [[1.0, -1.0, -1.0], [-1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]]
)  # times a matrix: mirrored at the plane x = 0


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


# Plain 3x3 matrices: for single rotations they are ten times faster than scipy's Rotation objects.
def _about(axis: str, degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    if axis == "x":
        return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
    if axis == "y":
        return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _turn(axis: np.ndarray, radians: float) -> np.ndarray:
    """Rotation matrix about a unit axis (Rodrigues' formula)."""
    x, y, z = axis
    c, s = math.cos(radians), math.sin(radians)
    k = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + s * k + (1 - c) * (k @ k)


def _half(rotation: np.ndarray) -> np.ndarray:
    """The rotation about the same axis by half of the angle."""
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    length = np.linalg.norm(axis)
    if length < 1e-8:
        return np.eye(3)
    return _turn(axis / length, 0.5 * math.atan2(length, np.trace(rotation) - 1))


class _Pose:
    """Joint rotations under construction; left and right through `side` = "L" or "R"."""

    def __init__(self, body: Body):
        self.body = body
        self.rotations: dict[str, np.ndarray] = {}
        self.root = np.eye(3)

    def turn(self, bone: str, rotation: np.ndarray) -> None:
        self.rotations[bone] = rotation @ self.rotations[bone] if bone in self.rotations else rotation

    def arm(self, side: str, upper: np.ndarray, fore: np.ndarray) -> None:
        """Point the arm: unit directions of upper arm and forearm for a LEFT arm (x = outwards); mirrored for "R"."""
        joints = [self.body.neutral_keypoints[f"left_{name}"] for name in ("shoulder", "elbow", "wrist")]
        upper0, fore0 = _unit(joints[1] - joints[0]), _unit(joints[2] - joints[1])
        upper, fore = _unit(np.asarray(upper, float)), _unit(np.asarray(fore, float))
        raised = max(0.0, np.degrees(np.arcsin(np.clip(upper[2], -1, 1)))) * 0.35 + max(0.0, upper[2] + 0.3) * 10
        lift = _about("y", -raised)  # the shoulder blade turns along when the arm goes up
        upper, fore = lift.T @ upper, lift.T @ fore
        hinge0, hinge = cross(upper0, fore0), cross(upper, fore)
        swing = _between(upper0, upper)
        if np.linalg.norm(hinge) < 0.05:  # nearly straight: no elbow plane to follow
            hinge = swing @ hinge0
        frame0 = np.stack([upper0, _unit(hinge0), cross(upper0, _unit(hinge0))], 1)
        hinge = _unit(hinge - upper * (hinge @ upper))
        frame = np.stack([upper, hinge, cross(upper, hinge)], 1)
        shoulder = frame @ frame0.T
        bend0 = np.arccos(np.clip(upper0 @ fore0, -1, 1))
        bend = min(np.arccos(np.clip(upper @ fore, -1, 1)), np.radians(145))
        elbow = _turn(_unit(hinge0), bend - bend0)
        half = _half(shoulder @ swing.T)  # half of the twist sits at the shoulder, half lower
        self._mirrored(f"clavicle.{side}", lift, side)
        self._mirrored(f"upperarm01.{side}", half @ swing, side)
        inner = (half @ swing).T @ shoulder
        self._mirrored(f"upperarm02.{side}", inner, side)
        self._mirrored(f"lowerarm01.{side}", elbow, side)

    def leg(self, side: str, flex: float, abduct: float, knee: float, twist: float = 0.0, ankle: float = 0.0) -> None:
        """Degrees: hip flexion (forwards), abduction (outwards), knee flexion, outward twist, ankle (toes up)."""
        hip = _about("x", -flex) @ _about("y", -abduct) @ _about("z", twist)
        self._mirrored(f"upperleg01.{side}", hip, side)
        self._mirrored(f"lowerleg01.{side}", _about("x", knee), side)
        self._mirrored(f"foot.{side}", _about("x", -ankle), side)

    def spine(self, bend: float, lean: float, turn: float) -> None:
        """Degrees: forwards bend, lean to the person's left, turn to the left; shared by five vertebrae."""
        part = _about("z", turn / 5) @ _about("y", lean / 5) @ _about("x", bend / 5)
        for k in range(1, 6):
            self.turn(f"spine0{k}", part)

    def head(self, nod: float, tilt: float, turn: float) -> None:
        part = _about("z", turn / 3) @ _about("y", tilt / 3) @ _about("x", nod / 3)
        for bone in ("neck01", "neck03", "head"):
            self.turn(bone, part)

    def hand(self, side: str, curl: float, wrist: np.ndarray) -> None:
        """Degrees: finger curl, and the wrist's three rotations."""
        heads = self.body.neutral_bone_heads
        knuckles = _unit(heads["finger5-1.L"] - heads["finger2-1.L"])
        bend, thumb = _turn(knuckles, math.radians(curl)), _turn(knuckles, math.radians(curl * 0.35))
        if side == "R":
            bend, thumb = bend * _MIRROR, thumb * _MIRROR
        for finger in range(1, 6):
            for bone in range(1, 4):
                self.rotations[f"finger{finger}-{bone}.{side}"] = thumb if finger == 1 else bend
        bent = _about("z", wrist[2]) @ _about("y", wrist[1]) @ _about("x", wrist[0])
        self._mirrored(f"wrist.{side}", bent, side)

    def _mirrored(self, bone: str, rotation: np.ndarray, side: str) -> None:
        self.turn(bone, rotation * _MIRROR if side == "R" else rotation)

    def matrices(self) -> np.ndarray:
        pose = self.body.rest_pose(1)[0]
        for bone, rotation in self.rotations.items():
            pose[self.body.bone_index[bone], :3, :3] = rotation
        pose[0, :3, :3] = self.root
        return pose


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation that takes unit vector a to unit vector b."""
    axis = cross(a, b)
    sine = np.linalg.norm(axis)
    if sine < 1e-8:
        return np.eye(3) if a @ b > 0 else _about("x", 180.0)
    return _turn(axis / sine, math.atan2(sine, a @ b))


def _jitter(rng: np.random.Generator, v: tuple[float, float, float], spread: float) -> np.ndarray:
    return np.asarray(v) + rng.normal(0, spread, 3)


# Arms: (upper arm, forearm) for a left arm, x outwards, y backwards, z up.
_ARMS = {
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


def _arms(pose: _Pose, rng: np.random.Generator, names: tuple[str, str], spread: float = 0.12) -> None:
    for side, name in zip("LR", names, strict=True):
        upper, fore = _ARMS[name]
        pose.arm(side, _jitter(rng, upper, spread), _jitter(rng, fore, spread))


def _standing_legs(pose: _Pose, rng: np.random.Generator) -> None:
    narrow = rng.uniform(-9, 6)
    for side in "LR":
        pose.leg(side, rng.normal(0, 4), narrow + rng.normal(0, 3), abs(rng.normal(0, 5)), rng.normal(2, 8))
    if rng.random() < 0.35:  # weight on one leg, the other relaxed or crossed in front
        side = "LR"[rng.integers(2)]
        pose.leg(side, rng.uniform(5, 25), rng.uniform(-12, 8), rng.uniform(10, 40), rng.normal(5, 10), 5)


def _standing(pose: _Pose, rng: np.random.Generator) -> None:
    _standing_legs(pose, rng)
    pose.spine(rng.normal(0, 5), rng.normal(0, 4), rng.normal(0, 6))
    same = rng.random() < 0.5
    odds = _STANDING_ODDS / _STANDING_ODDS.sum()
    left = _STANDING_ARMS[rng.choice(len(odds), p=odds)]
    right = left if same else _STANDING_ARMS[rng.choice(len(odds), p=odds)]
    _arms(pose, rng, (left, right))


def _crossed_arms(pose: _Pose, rng: np.random.Generator) -> None:
    _standing_legs(pose, rng)
    _arms(pose, rng, ("crossed", "crossed"), 0.07)


def _walking(pose: _Pose, rng: np.random.Generator) -> None:
    phase, stride = rng.choice([-1, 1]), rng.uniform(0.4, 1.2)
    for side, sign in (("L", phase), ("R", -phase)):
        flex = sign * 24 * stride
        knee = rng.uniform(2, 15) if sign > 0 else rng.uniform(5, 35) * stride
        pose.leg(side, flex + rng.normal(0, 4), rng.normal(0, 3), knee, rng.normal(3, 5), rng.normal(0, 6))
        swing = -sign * 0.35 * stride
        pose.arm(side, _jitter(rng, (0.25, -swing, -1.0), 0.08), _jitter(rng, (0.1, -swing - 0.3, -0.95), 0.12))
    pose.spine(rng.uniform(-2, 8), rng.normal(0, 3), phase * 5 * stride)


def _running(pose: _Pose, rng: np.random.Generator) -> None:
    phase = rng.choice([-1, 1])
    for side, sign in (("L", phase), ("R", -phase)):
        flex, knee = (
            (rng.uniform(40, 80), rng.uniform(50, 100)) if sign > 0 else (rng.uniform(-30, 5), rng.uniform(15, 95))
        )
        pose.leg(side, flex, rng.normal(0, 4), knee, rng.normal(0, 5), rng.normal(0, 15))
        upper = (0.3, sign * 0.6, -0.8)
        pose.arm(side, _jitter(rng, upper, 0.12), _jitter(rng, (-0.15, -0.9 if sign < 0 else -0.5, 0.25), 0.2))
    pose.spine(rng.uniform(5, 20), rng.normal(0, 3), phase * 12)


def _sitting(pose: _Pose, rng: np.random.Generator) -> None:
    spread = rng.uniform(-3, 25)
    for side in "LR":
        pose.leg(side, rng.uniform(65, 100), spread + rng.normal(0, 5), rng.uniform(50, 105), rng.normal(0, 8),
                 rng.normal(0, 8))  # fmt: skip
    if rng.random() < 0.25:
        pose.leg("LR"[rng.integers(2)], rng.uniform(-45, -5), rng.uniform(0, 10), rng.uniform(-45, 0))
    pose.spine(rng.uniform(-10, 30), rng.normal(0, 5), rng.normal(0, 8))
    names = ("bent_forward", "across_belly", "hanging", "to_face", "phone", "in_pocket", "crossed", "forward")
    left = names[rng.integers(len(names))]
    _arms(pose, rng, (left, left if rng.random() < 0.5 else names[rng.integers(len(names))]), 0.15)


def _crouching(pose: _Pose, rng: np.random.Generator) -> None:
    depth = rng.uniform(0.35, 1.0)
    for side in "LR":
        knee = 125 * depth + rng.normal(0, 8)
        pose.leg(side, 110 * depth + rng.normal(0, 8), rng.uniform(0, 25), knee, rng.normal(5, 8), 25 * depth)
    pose.spine(rng.uniform(5, 45), rng.normal(0, 6), rng.normal(0, 10))
    names = ("forward", "bent_forward", "sideways", "across_belly", "hanging")
    _arms(pose, rng, (names[rng.integers(5)], names[rng.integers(5)]), 0.2)


def _lying(pose: _Pose, rng: np.random.Generator) -> None:
    _sports(pose, rng) if rng.random() < 0.4 else _standing(pose, rng)
    pose.root = (
        _about("z", rng.uniform(0, 360)) @ _about("x", rng.choice([-90.0, 90.0])) @ _about("z", rng.normal(0, 40))
    )


def _arms_up(pose: _Pose, rng: np.random.Generator) -> None:
    _standing_legs(pose, rng)
    names = ("up", "up_bent", "sideways", "wave", "to_hair", "forward")
    left = names[rng.integers(len(names))]
    _arms(pose, rng, (left, left if rng.random() < 0.6 else names[rng.integers(len(names))]), 0.2)
    pose.spine(rng.normal(0, 8), rng.normal(0, 8), rng.normal(0, 10))


def _sports(pose: _Pose, rng: np.random.Generator) -> None:
    for side in "LR":
        pose.leg(
            side, rng.uniform(-35, 95), rng.uniform(-8, 45), rng.uniform(0, 110), rng.normal(0, 15), rng.normal(0, 15)
        )
        direction = _unit(rng.normal(0, 1, 3) * [0.9, 0.8, 1.0] + [0.6, -0.35, 0.0])
        direction[0] = max(direction[0], -0.25)
        fore = _unit(direction * rng.uniform(0.1, 1.5) + _unit(rng.normal(0, 1, 3) + [-0.2, -0.9, 0.3]))
        pose.arm(side, direction, fore)
    pose.spine(rng.uniform(-15, 45), rng.normal(0, 12), rng.normal(0, 20))
    pose.root = _about("y", rng.normal(0, 10)) @ _about("x", rng.normal(5, 12))


POSE_FAMILIES = {  # name: (function, share of people)
    "standing": (_standing, 0.46),
    "crossed_arms": (_crossed_arms, 0.05),
    "walking": (_walking, 0.12),
    "running": (_running, 0.05),
    "sitting": (_sitting, 0.12),
    "crouching": (_crouching, 0.04),
    "lying": (_lying, 0.02),
    "arms_up": (_arms_up, 0.06),
    "sports": (_sports, 0.08),
}


def sample_pose(body: Body, rng: np.random.Generator, family: str | None = None, look: float = 0.0) -> np.ndarray:
    """Pose parameters (bones, 4, 4) float32 of a random pose, from the named family or one drawn by its share.

    look: degrees to the left where the person looks, over the shoulder from about 70: a fifth of it turns the spine.
    """
    if family is None:
        shares = np.array([share for _, share in POSE_FAMILIES.values()])
        family = list(POSE_FAMILIES)[rng.choice(len(shares), p=shares / shares.sum())]
    if family not in POSE_FAMILIES:
        raise ValueError(f"unknown pose family {family!r}; known are {', '.join(POSE_FAMILIES)}")
    pose = _Pose(body)
    POSE_FAMILIES[family][0](pose, rng)
    if look:
        pose.spine(0.0, 0.0, 0.2 * look)
    pose.head(rng.normal(3, 12), rng.normal(0, 8), rng.normal(0, 22 if look == 0 else 8) + 0.8 * look)
    for side in "LR":
        pose.hand(side, rng.uniform(-5, 55), rng.normal(0, (12, 15, 12)))
    return pose.matrices()
