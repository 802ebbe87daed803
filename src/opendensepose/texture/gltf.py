"""The body at rest with a texture as one binary glTF file (.glb), as 3D programs open it.

glTF's axes: y up, the person faces +z, x to the person's left; metres.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from opendensepose.surface import Charts, Surface, load_charts, load_surface
from opendensepose.surface.atlas import AtlasLayout
from opendensepose.texture.texture import Texture

if TYPE_CHECKING:
    import trimesh

__all__ = ["BodyMesh", "body_glb", "body_mesh", "textured_body", "to_gltf_axes", "vertex_normals"]


class BodyMesh(NamedTuple):
    """The surface cut along the charts' borders, so that each vertex has one place in a texture.

    vertex (N,) index into the surface's vertices, texture_xy (N, 2) in [0, 1], y downwards, faces (F, 3) into N.
    """

    vertex: np.ndarray
    texture_xy: np.ndarray
    faces: np.ndarray


def body_mesh(surface: Surface, charts: Charts, layout: AtlasLayout) -> BodyMesh:
    """Cut the surface where a vertex has several places in the texture."""
    xy = layout.xy(charts.face_chart[:, None], charts.face_uv[:, :, 0], charts.face_uv[:, :, 1])
    xy = (xy / layout.size_hw[::-1]).reshape(-1, 2).astype(np.float32)
    corners = np.concatenate([surface.faces.reshape(-1, 1), xy], 1)
    unique, index = np.unique(corners, axis=0, return_inverse=True)
    return BodyMesh(unique[:, 0].astype(np.int64), unique[:, 1:], index.reshape(-1, 3))


def to_gltf_axes(xyz: np.ndarray) -> np.ndarray:
    """Turn places or directions (..., 3) from x left, y back, z up to glTF's x left, y up, z front."""
    return np.stack([xyz[..., 0], xyz[..., 2], -xyz[..., 1]], -1)


def vertex_normals(surface: Surface) -> np.ndarray:
    """Compute unit normals (V, 3) float64 outwards: means of the faces around a vertex, by their area."""
    p = surface.vertices[surface.faces].astype(np.float64)
    normal = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    corner = surface.faces.ravel()
    total = np.stack([np.bincount(corner, np.repeat(normal[:, k], 3), len(surface.vertices)) for k in range(3)], 1)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def body_glb(texture: Texture) -> bytes:
    """Write the body at rest with a texture as a .glb file: one mesh, one matt material, the texture as PNG."""
    import trimesh  # only this file format needs it

    scene = trimesh.Scene()
    scene.add_geometry(textured_body(texture, load_surface()), geom_name="body")
    return scene.export(file_type="glb", include_normals=True)


def textured_body(texture: Texture, surface: Surface) -> "trimesh.Trimesh":
    """Make the mesh, in glTF's axes, of a surface at rest or in a pose, with a texture."""
    import trimesh

    mesh = body_mesh(surface, load_charts(), texture.layout)
    material = trimesh.visual.material.PBRMaterial(
        name="photo", baseColorTexture=Image.fromarray(texture.colour), metallicFactor=0.0, roughnessFactor=0.9
    )
    uv = np.stack([mesh.texture_xy[:, 0], 1 - mesh.texture_xy[:, 1]], 1)  # trimesh has v upwards
    return trimesh.Trimesh(
        vertices=to_gltf_axes(surface.vertices[mesh.vertex]),
        faces=mesh.faces,
        vertex_normals=to_gltf_axes(vertex_normals(surface)[mesh.vertex]),
        visual=trimesh.visual.TextureVisuals(uv=uv, material=material),
        process=False,
    )
