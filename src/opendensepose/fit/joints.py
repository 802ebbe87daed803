"""What is fitted of a pose: few numbers, of which each turns one bone or several bones alike.

A bone's rotation vector is linear in these numbers: the spine's five vertebrae share one rotation, as do three of the
neck; the fingers of a hand curl together. The other bones stay as they are at rest. Our synthetic poses are of this
form (`synth.body.articulation`).
"""

from dataclasses import dataclass

import numpy as np

from opendensepose.fit.rotations import rotation_vector

__all__ = ["JOINTS", "Joint", "PoseSpace", "pose_space"]


@dataclass(frozen=True)
class Joint:
    """Bones that turn together, and the numbers of a pose that turn them: three, or one about a fixed axis."""

    name: str
    bones: tuple[str, ...]
    share: tuple[float, ...]  # of each bone: how much of the joint's rotation it makes

    @property
    def is_curl(self) -> bool:
        return self.name.startswith("fingers")

    @property
    def num_parameters(self) -> int:
        return 1 if self.is_curl else 3


LIMB_BONES = ("upperleg01", "lowerleg01", "foot", "clavicle", "upperarm01", "upperarm02", "lowerarm01", "wrist")


def _joints() -> tuple[Joint, ...]:
    spine = tuple(f"spine0{k}" for k in range(5, 0, -1))
    joints = [Joint("spine", spine, (0.2,) * 5), Joint("neck", ("neck01", "neck03", "head"), (1 / 3,) * 3)]
    for side in "LR":
        joints += [Joint(f"{bone}.{side}", (f"{bone}.{side}",), (1.0,)) for bone in LIMB_BONES]
        fingers = tuple(f"finger{finger}-{bone}.{side}" for finger in range(1, 6) for bone in range(1, 4))
        joints.append(Joint(f"fingers.{side}", fingers, (0.35,) * 3 + (1.0,) * 12))  # the thumb curls less
    return tuple(joints)


JOINTS = _joints()


@dataclass(frozen=True)
class PoseSpace:
    """The linear map from P numbers to the rotation vectors of K bones.

    to_bones (K, 3, P) float64. columns: of each joint, by name, its numbers' places.
    """

    to_bones: np.ndarray
    columns: dict[str, slice]

    @property
    def num_parameters(self) -> int:
        return self.to_bones.shape[2]

    def vectors(self, pose: np.ndarray) -> np.ndarray:
        """Compute the bones' rotation vectors (..., K, 3) of poses (..., P)."""
        return np.einsum("kxp,...p->...kx", self.to_bones, pose)

    def from_matrices(self, matrices: np.ndarray) -> np.ndarray:
        """Find the poses (..., P) whose bones turn like matrices (..., K, 3, 3); what the space lacks is left out."""
        flat = self.to_bones.reshape(-1, self.num_parameters)
        vectors = rotation_vector(matrices)
        return vectors.reshape(*vectors.shape[:-2], -1) @ flat / (flat * flat).sum(0)  # the columns are orthogonal


def pose_space(bone_index: dict[str, int], heads: dict[str, np.ndarray]) -> PoseSpace:
    """Make the space of `JOINTS` for a model's bones; heads: of bones at rest, metres, which give the curl's axis."""
    num_parameters = sum(joint.num_parameters for joint in JOINTS)
    to_bones = np.zeros((len(bone_index), 3, num_parameters))
    columns, start = {}, 0
    for joint in JOINTS:
        columns[joint.name] = slice(start, start + joint.num_parameters)
        start += joint.num_parameters
        axes = _knuckles(heads, joint.name[-1])[:, None] if joint.is_curl else np.eye(3)
        for bone, share in zip(joint.bones, joint.share, strict=True):
            to_bones[bone_index[bone], :, columns[joint.name]] = share * axes
    return PoseSpace(to_bones, columns)


def _knuckles(heads: dict[str, np.ndarray], side: str) -> np.ndarray:
    """The axis about which the fingers of a hand curl inwards, mirrored for the right hand as rotations are."""
    axis = np.asarray(heads["finger5-1.L"] - heads["finger2-1.L"], np.float64)
    axis /= np.linalg.norm(axis)
    return axis if side == "L" else axis * (1, -1, -1)
