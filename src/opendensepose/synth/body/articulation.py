"""Rotations of a body's joints: arms by where they point or reach, legs, spine, head and hands by angles.

Rotations are about the axes of the body at rest (x = person's left, y = back, z up), applied in the frame that the
parent bone carries along. Arms are written as the directions in which upper arm and forearm point, seen from the chest;
the shoulder's twist then follows from the elbow being a hinge.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from opendensepose.camera import cross
from opendensepose.synth.body.body import Body

__all__ = ["Articulation", "about", "unit"]

# Elementwise times a rotation matrix: the rotation mirrored at the plane x = 0.
_MIRROR = np.array([[1.0, -1.0, -1.0], [-1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])


def unit(v: np.ndarray) -> np.ndarray:
    """Scale a vector to length 1."""
    return v / np.linalg.norm(v)


def about(axis: str, degrees: float) -> np.ndarray:
    """Make a rotation matrix (3, 3) about "x", "y" or "z"."""  # ten times faster than scipy's Rotation objects
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


class Articulation:
    """Joint rotations under construction; left and right through `side` = "L" or "R"."""

    def __init__(self, body: Body):
        self.body = body
        self.rotations: dict[str, np.ndarray] = {}
        self.root = np.eye(3)
        self.nod = 0.0  # degrees added to the head's random nod
        self.lift_m, self.pockets, self.grips = 0.0, "", ""  # see pose.Posture

    def turn(self, bone: str, rotation: np.ndarray) -> None:
        self.rotations[bone] = rotation @ self.rotations[bone] if bone in self.rotations else rotation

    def arm(self, side: str, to_elbow: ArrayLike, to_wrist: ArrayLike) -> None:
        """Point the arm: unit directions of upper arm and forearm for a LEFT arm (x = outwards); mirrored for "R"."""
        joints = [self.body.neutral_keypoints[f"left_{name}"] for name in ("shoulder", "elbow", "wrist")]
        upper0, fore0 = unit(joints[1] - joints[0]), unit(joints[2] - joints[1])
        upper, fore = unit(np.asarray(to_elbow, float)), unit(np.asarray(to_wrist, float))
        raised = max(0.0, np.degrees(np.arcsin(np.clip(upper[2], -1, 1)))) * 0.35 + max(0.0, upper[2] + 0.3) * 10
        lift = about("y", -raised)  # the shoulder blade turns along when the arm goes up
        upper, fore = lift.T @ upper, lift.T @ fore
        hinge0, hinge = cross(upper0, fore0), cross(upper, fore)
        swing = _between(upper0, upper)
        if np.linalg.norm(hinge) < 0.05:  # nearly straight: no elbow plane to follow
            hinge = swing @ hinge0
        frame0 = np.stack([upper0, unit(hinge0), cross(upper0, unit(hinge0))], 1)
        hinge = unit(hinge - upper * (hinge @ upper))
        frame = np.stack([upper, hinge, cross(upper, hinge)], 1)
        shoulder = frame @ frame0.T
        bend0 = np.arccos(np.clip(upper0 @ fore0, -1, 1))
        bend = min(np.arccos(np.clip(upper @ fore, -1, 1)), np.radians(145))
        elbow = _turn(unit(hinge0), bend - bend0)
        half = _half(shoulder @ swing.T)  # half of the twist sits at the shoulder, half lower
        self._mirrored(f"clavicle.{side}", lift, side)
        self._mirrored(f"upperarm01.{side}", half @ swing, side)
        inner = (half @ swing).T @ shoulder
        self._mirrored(f"upperarm02.{side}", inner, side)
        self._mirrored(f"lowerarm01.{side}", elbow, side)

    def reach(self, side: str, wrist: ArrayLike, elbow: ArrayLike) -> None:
        """Bring the wrist to a point of the neutral body (metres, x outwards), or towards it if the arm is too short.

        elbow: the direction in which the elbow points (two-bone inverse kinematics: the law of cosines).
        """
        shoulder, joint, hand = (self.body.neutral_keypoints[f"left_{name}"] for name in ("shoulder", "elbow", "wrist"))
        upper, fore = np.linalg.norm(joint - shoulder), np.linalg.norm(hand - joint)
        way = np.asarray(wrist, float) - shoulder
        distance = np.clip(np.linalg.norm(way), abs(upper - fore) + 0.01, 0.995 * (upper + fore))
        way = unit(way)
        cosine = (upper**2 + distance**2 - fore**2) / (2 * upper * distance)
        aside = unit(np.asarray(elbow, float) - way * (way @ elbow))
        to_elbow = upper * (cosine * way + math.sqrt(max(0.0, 1 - cosine**2)) * aside)
        self.arm(side, to_elbow, way * distance - to_elbow)

    def leg(self, side: str, flex: float, abduct: float, knee: float, twist: float = 0.0, ankle: float = 0.0) -> None:
        """Degrees: hip flexion (forwards), abduction (outwards), knee flexion, outward twist, ankle (toes up)."""
        hip = about("x", -flex) @ about("y", -abduct) @ about("z", twist)
        self._mirrored(f"upperleg01.{side}", hip, side)
        self._mirrored(f"lowerleg01.{side}", about("x", knee), side)
        self._mirrored(f"foot.{side}", about("x", -ankle), side)

    def spine(self, bend: float, lean: float, turn: float) -> None:
        """Degrees: forwards bend, lean to the person's left, turn to the left; shared by five vertebrae."""
        part = about("z", turn / 5) @ about("y", lean / 5) @ about("x", bend / 5)
        for k in range(1, 6):
            self.turn(f"spine0{k}", part)

    def head(self, nod: float, tilt: float, turn: float) -> None:
        part = about("z", turn / 3) @ about("y", tilt / 3) @ about("x", nod / 3)
        for bone in ("neck01", "neck03", "head"):
            self.turn(bone, part)

    def hand(self, side: str, curl: float, wrist: np.ndarray) -> None:
        """Degrees: finger curl, and the wrist's three rotations."""
        heads = self.body.neutral_bone_heads
        knuckles = unit(heads["finger5-1.L"] - heads["finger2-1.L"])
        bend, thumb = _turn(knuckles, math.radians(curl)), _turn(knuckles, math.radians(curl * 0.35))
        if side == "R":
            bend, thumb = bend * _MIRROR, thumb * _MIRROR
        for finger in range(1, 6):
            for bone in range(1, 4):
                self.rotations[f"finger{finger}-{bone}.{side}"] = thumb if finger == 1 else bend
        bent = about("z", wrist[2]) @ about("y", wrist[1]) @ about("x", wrist[0])
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
        return np.eye(3) if a @ b > 0 else about("x", 180.0)
    return _turn(axis / sine, math.atan2(sine, a @ b))
