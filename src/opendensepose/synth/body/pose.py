"""Random poses: a family drawn by its share, then what the family leaves free, the head and the hands."""

from dataclasses import dataclass

import numpy as np

from opendensepose.synth.body import pose_families as families
from opendensepose.synth.body.articulation import Articulation
from opendensepose.synth.body.body import Body
from opendensepose.synth.body.pose_actions import ACTIONS

__all__ = ["ORDINARY", "POSE_FAMILIES", "Posture", "sample_family", "sample_pose", "sample_posture"]

ORDINARY = {  # name: (function, share of people)
    "standing": (families.standing, 0.46),
    "crossed_arms": (families.crossed_arms, 0.05),
    "walking": (families.walking, 0.12),
    "running": (families.running, 0.05),
    "sitting": (families.sitting, 0.12),
    "crouching": (families.crouching, 0.04),
    "lying": (families.lying, 0.02),
    "arms_up": (families.arms_up, 0.06),
    "sports": (families.sports, 0.08),
}
POSE_FAMILIES = {**ORDINARY, **ACTIONS}


@dataclass(frozen=True)
class Posture:
    """A pose and what belongs to it: rotations (bones, 4, 4) float32; lift_m: height of the lowest point above the
    floor; pockets: whose hands, of "LR", are out of sight in trouser pockets; grips: whose hold a thing."""

    rotations: np.ndarray
    family: str
    lift_m: float = 0.0
    pockets: str = ""
    grips: str = ""


def sample_family(rng: np.random.Generator, actions: bool = False) -> str:
    """A family's name by its share; with actions also one of those, about three in ten."""
    table = POSE_FAMILIES if actions else ORDINARY
    shares = np.array([share for _, share in table.values()])
    return list(table)[rng.choice(len(shares), p=shares / shares.sum())]


def sample_posture(
    body: Body, rng: np.random.Generator, family: str, look: float = 0.0, holds: bool = False
) -> Posture:
    """A random pose of a family.

    look: degrees to the left where the person looks, over the shoulder from about 70: a fifth of it turns the spine.
    holds: of those whose hands are free, some close one around a thing.
    """
    if family not in POSE_FAMILIES:
        raise ValueError(f"unknown pose family {family!r}; known are {', '.join(POSE_FAMILIES)}")
    pose = Articulation(body)
    POSE_FAMILIES[family][0](pose, rng)
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
    """Which hand, of "LR", holds something: one in five people's, and always where the pose means that."""
    if pose.grips:
        return pose.grips
    side = "LR"[rng.integers(2)]
    free = family in _HANDS_FREE and side not in pose.pockets
    return side if free and rng.random() < 0.22 else ""


def sample_pose(body: Body, rng: np.random.Generator, family: str | None = None, look: float = 0.0) -> np.ndarray:
    """Pose parameters (bones, 4, 4) float32 of a random pose, from the named family or an ordinary one by its share."""
    return sample_posture(body, rng, sample_family(rng) if family is None else family, look).rotations
