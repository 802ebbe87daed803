"""Random poses: a family by its share, which poses trunk and limbs; then head and hands."""

from dataclasses import dataclass

import numpy as np

from opendensepose.synth.body import pose_families as families
from opendensepose.synth.body.articulation import Articulation
from opendensepose.synth.body.body import Body
from opendensepose.synth.body.pose_actions import ACTIONS
from opendensepose.synth.kinds import Kind, draw_kind

__all__ = ["ORDINARY", "POSE_FAMILIES", "Posture", "sample_family", "sample_pose", "sample_posture"]

ORDINARY = {  # weight: share of people
    "standing": Kind(0.46, families.standing),
    "crossed_arms": Kind(0.05, families.crossed_arms),
    "walking": Kind(0.12, families.walking),
    "running": Kind(0.05, families.running),
    "sitting": Kind(0.12, families.sitting),
    "crouching": Kind(0.04, families.crouching),
    "lying": Kind(0.02, families.lying),
    "arms_up": Kind(0.06, families.arms_up),
    "sports": Kind(0.08, families.sports),
}
POSE_FAMILIES = {**ORDINARY, **ACTIONS}


@dataclass(frozen=True)
class Posture:
    """A pose and what belongs to it."""

    rotations: np.ndarray  # (bones, 4, 4) float32 pose parameters
    family: str
    lift_m: float = 0.0  # height of the lowest point above the floor
    pockets: str = ""  # which hands, of "LR", are hidden in trouser pockets
    grips: str = ""  # which hands hold a thing


def sample_family(rng: np.random.Generator, actions: bool = False) -> str:
    """Draw a family's name by its share; with actions about three in ten are one of those."""
    return draw_kind(rng, POSE_FAMILIES if actions else ORDINARY)


def sample_posture(
    body: Body, rng: np.random.Generator, family: str, look: float = 0.0, holds: bool = False
) -> Posture:
    """Draw a pose of a family, a key of POSE_FAMILIES.

    look: degrees to the left in which the person looks, over the shoulder from about 70: a fifth of it turns the spine.
    holds: whether some of those whose hands are free close one around a thing.
    """
    pose = Articulation(body)
    POSE_FAMILIES[draw_kind(rng, POSE_FAMILIES, family, "pose family")].make(pose, rng)
    if look:
        pose.spine(0.0, 0.0, 0.2 * look)
    grips = _grips(rng, family, pose) if holds else ""
    nod = rng.normal(3, 12) + pose.nod
    pose.head(nod, rng.normal(0, 8), rng.normal(0, 22 if look == 0 else 8) + 0.8 * look)
    for side in "LR":
        curl, wrist = rng.uniform(-5, 55), rng.normal(0, (12, 15, 12))
        pose.hand(side, rng.uniform(50, 75) if side in grips else curl, wrist)
    return Posture(pose.matrices(), family, pose.lift_m, pose.pockets, grips)


_HANDS_FREE = ("standing", "walking", "sitting", "throwing", "pockets", "hands_behind_head", "arms_up", "dancing")


def _grips(rng: np.random.Generator, family: str, pose: Articulation) -> str:
    """Draw the hand, of "LR", that holds something: for one in five people, and always if the pose implies it."""
    if pose.grips:
        return pose.grips
    side = "LR"[rng.integers(2)]
    free = family in _HANDS_FREE and side not in pose.pockets
    return side if free and rng.random() < 0.22 else ""


def sample_pose(body: Body, rng: np.random.Generator, family: str | None = None, look: float = 0.0) -> np.ndarray:
    """Draw a pose of the named family, or of an ordinary one by its share: (bones, 4, 4) float32."""
    return sample_posture(body, rng, sample_family(rng) if family is None else family, look).rotations
