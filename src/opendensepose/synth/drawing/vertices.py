"""Vertices of meshes: moved, projected, with their normals. Letters: V vertices, T triangles."""

import numpy as np
import torch
import warp as wp

from opendensepose.camera import Camera
from opendensepose.synth.drawing.launch import launch, to_warp
from opendensepose.synth.warp_arrays import Floats, Vec3is, Vec3s

__all__ = ["displace", "project", "rotation_about_z", "transform", "vertex_normals"]


def rotation_about_z(radians: float) -> np.ndarray:
    """Make a rotation matrix (3, 3) about the upward axis, counter-clockwise seen from above."""
    c, s = np.cos(radians), np.sin(radians)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


@wp.kernel
def _transform(points: Vec3s, matrix: wp.mat33, shift: wp.vec3, out: Vec3s) -> None:
    k = wp.tid()
    out[k] = wp.mul(matrix, points[k]) + shift


@wp.kernel
def _project(
    points: Vec3s,
    rotation: wp.mat33,
    shift: wp.vec3,
    focal_px: float,
    center: wp.vec2,
    in_camera: Vec3s,
    screen: Vec3s,
) -> None:
    k = wp.tid()
    p = wp.mul(rotation, points[k]) + shift
    scale = focal_px / wp.max(p[2], 1.0e-4)
    in_camera[k] = p
    screen[k] = wp.vec3(p[0] * scale + center[0], p[1] * scale + center[1], p[2])


@wp.kernel
def _accumulate_normals(
    vertices: Vec3s,
    triangles: Vec3is,
    normals: Vec3s,
) -> None:
    tri = triangles[wp.tid()]
    a = vertices[tri[0]]
    n = wp.cross(vertices[tri[1]] - a, vertices[tri[2]] - a)  # length = twice the area: the usual weight
    wp.atomic_add(normals, tri[0], n)
    wp.atomic_add(normals, tri[1], n)
    wp.atomic_add(normals, tri[2], n)


@wp.kernel
def _normalize(normals: Vec3s) -> None:
    k = wp.tid()
    normals[k] = wp.normalize(normals[k])


@wp.kernel
def _displace(
    vertices: Vec3s,
    normals: Vec3s,  # of any length
    distance: Floats,
    out: Vec3s,
) -> None:
    k = wp.tid()
    out[k] = vertices[k] + distance[k] * wp.normalize(normals[k])


def transform(points: torch.Tensor, matrix: np.ndarray, shift: np.ndarray) -> torch.Tensor:
    """Multiply points (V, 3) float32 by matrix (3, 3) and add shift (3,); a new tensor of the same shape."""
    out = torch.empty_like(points)
    inputs = [to_warp(points, dtype=wp.vec3), wp.mat33(matrix.astype(np.float32)), wp.vec3(*map(float, shift))]
    launch(_transform, len(points), inputs, [to_warp(out, dtype=wp.vec3)], points.device)
    return out


def project(points: torch.Tensor, camera: Camera) -> tuple[torch.Tensor, torch.Tensor]:
    """Project world points (V, 3) float32, metres.

    Returns them in camera space, and on the screen as (pixel x, pixel y, depth in metres); each (V, 3). A point behind
    the camera has a depth below 0 and a meaningless pixel.
    """
    in_camera, screen = torch.empty_like(points), torch.empty_like(points)
    pose = [wp.mat33(np.asarray(camera.rotation, np.float32)), wp.vec3(*map(float, camera.translation))]
    lens = [float(camera.focal_px), wp.vec2(*map(float, camera.center_px))]
    outputs = [to_warp(in_camera, dtype=wp.vec3), to_warp(screen, dtype=wp.vec3)]
    launch(_project, len(points), [to_warp(points, dtype=wp.vec3), *pose, *lens], outputs, points.device)
    return in_camera, screen


def _weighted_normals(vertices: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    normals = torch.zeros_like(vertices)
    inputs = [to_warp(vertices, dtype=wp.vec3), to_warp(triangles, dtype=wp.vec3i)]
    launch(_accumulate_normals, len(triangles), inputs, [to_warp(normals, dtype=wp.vec3)], vertices.device)
    return normals


def vertex_normals(vertices: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    """Compute area-weighted unit normals (V, 3) of vertices (V, 3) float32; triangles (T, 3) int32."""
    normals = _weighted_normals(vertices, triangles)
    launch(_normalize, len(normals), [], [to_warp(normals, dtype=wp.vec3)], vertices.device)
    return normals


def displace(vertices: torch.Tensor, triangles: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
    """Move vertices (V, 3) along their area-weighted unit normals by distance (V,) float32 metres; a new tensor."""
    normals, out = _weighted_normals(vertices, triangles), torch.empty_like(vertices)
    inputs = [to_warp(vertices, dtype=wp.vec3), to_warp(normals, dtype=wp.vec3), to_warp(distance)]
    launch(_displace, len(vertices), inputs, [to_warp(out, dtype=wp.vec3)], vertices.device)
    return out
