"""Points of Anny's skin as functions of shape, pose and place, with exact derivatives, for least squares.

Linear blend skinning of a few hundred points with NumPy: what torch's automatic derivatives of the whole body take
seconds for, takes milliseconds. `tests/fit/test_posed_points.py` holds it to Anny's own vertices and derivatives.

Letters: N points, K bones, P pose numbers, S phenotypes.
"""

from typing import Any, NamedTuple

import numpy as np
import torch

from opendensepose.fit.joints import PoseSpace, pose_space
from opendensepose.fit.rotations import left_jacobian, rotation_matrix, skew
from opendensepose.surface import SurfacePoints, load_surface
from opendensepose.synth.body.body import Body

__all__ = ["Placement", "PosedPoints", "Skeleton"]

STEP = 1e-3  # of a phenotype, for the derivative: the body is linear in it between few knots


class Placement(NamedTuple):
    """A body: root rotation (3, 3) and the root's place (3,) metres, pose (P,), phenotypes (S,) in [0, 1]."""

    rotation: np.ndarray
    place: np.ndarray
    pose: np.ndarray
    shape: np.ndarray


class _Rest(NamedTuple):
    """B bodies at rest: points (B, N, 3), bone heads (B, K, 3), and align (B, K, 3, 3): each bone's rotation from rest
    to Anny's reference orientation, to which poses refer."""

    points: np.ndarray
    heads: np.ndarray
    align: np.ndarray


class Skeleton:
    """Anny's bones as arrays: parents, who descends from whom, and their places at rest for any shape."""

    def __init__(self, body: Body):
        self.body = body
        model = body.model
        self.parents = np.array([int(parent) for parent in model.bone_parents])
        self.num_bones = len(self.parents)
        self.space: PoseSpace = pose_space(body.bone_index, body.neutral_bone_heads)
        self.moving = np.flatnonzero(np.abs(self.space.to_bones).max((1, 2)) > 0)
        self.descends = np.eye(self.num_bones)  # [k, b]: 1 if bone k is b or hangs on it
        for k in range(1, self.num_bones):  # parents come before their children
            self.descends[k] += self.descends[self.parents[k]]
        weights = np.zeros((len(body.coordinates.rest), self.num_bones))
        vertex = np.arange(len(weights))[:, None]
        np.add.at(weights, (vertex, _numpy(model.vertex_bone_indices, np.int64)), _numpy(model.vertex_bone_weights))
        self.weights = weights
        self._reference = _numpy(model.reference_bone_orientations)
        parts = (
            (model.template_bone_heads, model.bone_heads_blendshapes),
            (model.bone_template_orientation_matrices, model.bone_orientation_blendshapes),
        )
        self._bones = [
            (_numpy(mean).ravel(), _numpy(moves).reshape(len(moves), -1), mean.shape) for mean, moves in parts
        ]

    def rest_bones(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute heads (B, K, 3) and align (B, K, 3, 3) of bodies with blend shape coefficients (B, C)."""
        heads, moments = (
            (mean + coefficients @ moves).reshape(len(coefficients), *shape) for mean, moves, shape in self._bones
        )
        u, _, v = np.linalg.svd(moments)  # the nearest rotation (orthogonal Procrustes)
        u[..., 2] *= np.linalg.det(u @ v)[..., None]
        align = self._reference @ (u @ v).transpose(0, 1, 3, 2)
        align[:, 0] = np.eye(3)  # Anny turns the whole body by the root's rotation
        return heads, align

    def coefficients(self, shapes: np.ndarray) -> np.ndarray:
        """Compute the blend shape coefficients (B, C) of phenotypes (B, S)."""
        shapes_t = torch.from_numpy(np.asarray(shapes, np.float32))
        named = {name: shapes_t[:, k] for k, name in enumerate(self.body.phenotypes)}
        return _numpy(self.body.model.get_phenotype_blendshape_coefficients(**named))

    def pose_matrices(self, placement: Placement) -> np.ndarray:
        """Make Anny's pose parameters (1, K, 4, 4) float32."""
        matrices = self.body.rest_pose(1)
        matrices[0, :, :3, :3] = rotation_matrix(self.space.vectors(placement.pose))
        matrices[0, 0, :3, :3], matrices[0, 0, :3, 3] = placement.rotation, placement.place
        return matrices

    def vertices(self, placement: Placement) -> np.ndarray:
        """Compute all of Anny's vertices (V, 3) float32, metres."""
        posed = self.body.pose(np.asarray(placement.shape, np.float32)[None], self.pose_matrices(placement))
        return posed.vertices[0].numpy()


class PosedPoints:
    """Chosen points of the skin; `positions` and `derivatives` for a placement."""

    def __init__(self, skeleton: Skeleton, points: SurfacePoints):
        self.skeleton = skeleton
        surface, model = load_surface(), skeleton.body.model
        corner = surface.anny_vertex[surface.faces[points.face]]  # (N, 3)
        share = points.barycentric.astype(np.float64)
        self.weights = np.einsum("nc,nck->nk", share, skeleton.weights[corner])
        template = _numpy(model.template_vertices)[corner]
        self._template = np.einsum("nc,ncx->nx", share, template)
        moves = _numpy(model.blendshapes[:, torch.from_numpy(corner.reshape(-1).astype(np.int64))], np.float32)
        moves = moves.reshape(len(moves), *corner.shape, 3)
        self._blend = np.einsum("nc,bncx->bnx", share.astype(np.float32), moves).reshape(len(moves), -1)
        self._kept: dict[bytes, _Rest] = {}

    def __len__(self) -> int:
        return len(self.weights)

    def _rest(self, shapes: np.ndarray) -> _Rest:
        key = shapes.tobytes()
        if key not in self._kept:  # most steps of a fit leave the shape as it is
            self._kept = {key: self._make_rest(shapes)}
        return self._kept[key]

    def _make_rest(self, shapes: np.ndarray) -> _Rest:
        coefficients = self.skeleton.coefficients(shapes)
        moved = (coefficients.astype(np.float32) @ self._blend).reshape(len(shapes), len(self), 3)
        return _Rest(self._template + moved, *self.skeleton.rest_bones(coefficients))

    def positions(self, placement: Placement) -> np.ndarray:
        """Compute the points' places (N, 3), metres."""
        posed = self._pose(placement, placement.shape[None])
        return self._skin(posed)[0]

    def derivatives(self, placement: Placement, with_shape: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Compute places (N, 3) and their derivatives (N, 3, 6 + P + S).

        Columns: a turn of the root (radians about the axes in which places are given, applied after the present
        rotation), its shift (metres), pose, shape; the last are zeros unless with_shape.
        """
        skeleton, space = self.skeleton, self.skeleton.space
        num_pose, num_shape = space.num_parameters, len(placement.shape)
        shapes, steps = self._shape_steps(placement.shape) if with_shape else (placement.shape[None], np.zeros(0))
        posed = self._pose(placement, shapes)
        places = self._skin(posed)
        out = np.zeros((len(self), 3, 6 + num_pose + num_shape))
        # A bone that turns by d moves what hangs on it: the sum over these bones of weight * d x (place by it - head).
        transform, head = posed.transform[0], posed.head[0]
        by_bone = posed.points[0] @ transform[:, :, :3].transpose(2, 1, 0).reshape(3, -1)  # (N, 3 K)
        by_bone = (by_bone.reshape(len(self), 3, -1) + transform[:, :, 3].T) * self.weights[:, None]
        moving = np.concatenate([[0], skeleton.moving])
        descends = skeleton.descends[:, moving]
        lever = by_bone @ descends - (self.weights @ descends)[:, None] * head[moving].T  # (N, 3, B)
        turn = -skew(lever.transpose(0, 2, 1))  # (N, B, 3, 3): times d
        out[:, :, :3] = turn[:, 0]
        out[:, :, 3:6] = np.eye(3)
        parent = posed.rotation[0][skeleton.parents[skeleton.moving]]
        vectors = space.vectors(placement.pose)[skeleton.moving]
        per_number = parent @ left_jacobian(vectors) @ space.to_bones[skeleton.moving]  # (B, 3, P)
        flat = turn[:, 1:].transpose(0, 2, 1, 3).reshape(3 * len(self), -1)
        out[:, :, 6 : 6 + num_pose] = (flat @ per_number.reshape(-1, num_pose)).reshape(len(self), 3, num_pose)
        if with_shape:
            change = (places[1:] - places[0]) / steps[:, None, None]
            out[:, :, 6 + num_pose :] = np.moveaxis(change, 0, 2)
        return places[0], out

    def _shape_steps(self, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The shape and shapes of which each has one phenotype changed, within [0, 1]; by how much."""
        steps = np.where(shape + STEP <= 1, STEP, -STEP)
        return np.concatenate([shape[None], shape + np.diag(steps)]), steps

    def _pose(self, placement: Placement, shapes: np.ndarray) -> "_Posed":
        """Forward kinematics for B shapes in one pose."""
        rest = self._rest(shapes)
        parents = self.skeleton.parents
        local = rotation_matrix(self.skeleton.space.vectors(placement.pose))
        rotation = np.empty((self.skeleton.num_bones, 3, 3))
        rotation[0] = placement.rotation
        for k in range(1, len(rotation)):
            rotation[k] = rotation[parents[k]] @ local[k]
        offset = rest.heads[:, 1:] - rest.heads[:, parents[1:]]
        offset = np.einsum(
            "kxy,bkyz,bkz->bkx", rotation[parents[1:]], rest.align[:, parents[1:]], offset, optimize=True
        )
        head = np.empty_like(rest.heads)
        head[:, 0] = placement.place
        for k in range(1, len(rotation)):
            head[:, k] = head[:, parents[k]] + offset[:, k - 1]
        turn = rotation @ rest.align
        shift = head - (turn @ rest.heads[..., None])[..., 0]
        return _Posed(rest.points, np.concatenate([turn, shift[..., None]], 3), head, rotation[None])

    def _skin(self, posed: "_Posed") -> np.ndarray:
        """The places (B, N, 3) of the points by linear blend skinning."""
        num_bodies, num_bones = posed.transform.shape[:2]
        blended = self.weights @ posed.transform.transpose(1, 0, 2, 3).reshape(num_bones, -1)
        blended = blended.reshape(len(self), num_bodies, 3, 4)
        return np.einsum("nbxy,bny->bnx", blended[..., :3], posed.points) + blended[..., 3].transpose(1, 0, 2)


class _Posed(NamedTuple):
    """points (B, N, 3) at rest; transform (B, K, 3, 4) from rest; head (B, K, 3); rotation (1, K, 3, 3) of bones."""

    points: np.ndarray
    transform: np.ndarray
    head: np.ndarray
    rotation: np.ndarray


def _numpy(tensor: Any, dtype: type = np.float64) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(dtype)
