"""The truth of a rendered picture: labels, boxes, keypoints. The label rule is in docs/conventions.md.

Letters: P people of a picture, V vertices and T triangles of one body, H, W image.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
import warp as wp
from scipy.spatial import cKDTree

from opendensepose.camera import Camera
from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.surface import load_charts, load_surface
from opendensepose.synth.body.body import Body, load_body
from opendensepose.synth.drawing.launch import launch, threads_for, to_warp
from opendensepose.synth.drawing.rasterize import Fragments
from opendensepose.synth.warp_arrays import Bytes, Floats, Ints, Vec2s, Vec3s

__all__ = [
    "LabelMaps",
    "PersonTruth",
    "RenderedImage",
    "box_of",
    "empty_truth",
    "facing_yaws",
    "keypoints_in_image",
    "label_maps",
]

INSIDE_BODY_M = 0.15  # a visible joint lies at most this deep under the skin in front of it


class PersonTruth(NamedTuple):
    """Who a rendered person is."""

    phenotypes: dict[str, float]  # Anny's, in [0, 1], by name
    pose: str  # its family
    skin_rgb: np.ndarray  # (3,) float32 sRGB in [0, 1] of the face's skin, before any light


@dataclass(frozen=True)
class RenderedImage:
    """A picture and its truth."""

    image_rgb: np.ndarray  # (H, W, 3) uint8
    i: np.ndarray  # (H, W) uint8 chart, 0 background
    u: np.ndarray  # (H, W) float32 in [0, 1]
    v: np.ndarray
    person: np.ndarray  # (H, W) uint8, k the k-th person, 0 background
    depth: np.ndarray  # (H, W) float32 metres, inf background
    boxes_xyxy: np.ndarray  # (P, 4) float32 of each person's labelled pixels, zeros if there are none
    keypoints: np.ndarray  # (P, 17, 3) float32: x, y in pixels and COCO visibility 0, 1, 2
    face: np.ndarray  # (H, W) int32 face of the surface, -1 background
    barycentric: np.ndarray  # (H, W, 3) float32
    vertices: np.ndarray  # (P, V, 3) float32 posed skin in the world, metres
    camera: Camera
    yaws: np.ndarray  # (P,) float32 radians, see facing_yaws()
    people: list[PersonTruth]


class LabelMaps(NamedTuple):
    """The maps of a RenderedImage that rasterising the naked bodies gives."""

    i: np.ndarray
    u: np.ndarray
    v: np.ndarray
    person: np.ndarray
    depth: np.ndarray
    face: np.ndarray
    barycentric: np.ndarray


def facing_yaws(keypoints: np.ndarray, camera: Camera) -> np.ndarray:
    """Compute the direction that each person's trunk faces: (P,) float32 radians in [-pi, pi].

    0 faces the camera; a positive angle faces to the right in the image. keypoints: (P, 17, 3) COCO joints in the
    world, metres.
    """
    joints = dict(zip(KEYPOINT_NAMES, np.moveaxis(np.asarray(keypoints, np.float64), 1, 0), strict=True))  # (P, 3)
    left = joints["left_shoulder"] - joints["right_shoulder"] + joints["left_hip"] - joints["right_hip"]
    up = joints["left_shoulder"] + joints["right_shoulder"] - joints["left_hip"] - joints["right_hip"]
    forward = np.cross(left, up) @ camera.rotation.T
    return np.arctan2(forward[:, 0], -forward[:, 2]).astype(np.float32)


class _Labels:
    """Per-triangle tables from the body model to the surface's charts."""

    def __init__(self, body: Body, device: str):
        surface, charts = load_surface(), load_charts()
        to_surface = np.full(len(body.triangles), -1, np.int32)
        to_surface[surface.anny_face] = np.arange(len(surface.faces))
        inside = to_surface < 0
        self.is_skin = torch.from_numpy((~inside).astype(np.uint8)).to(device)
        # Eyes and tongue take the label of the nearest skin.
        center = body.coordinates.rest[body.triangles.cpu().numpy()].mean(1)
        _, nearest = cKDTree(center[~inside]).query(center[inside])
        to_surface[inside] = to_surface[~inside][nearest]
        self.face = torch.from_numpy(to_surface).to(device)
        self.chart = torch.from_numpy(charts.face_chart.astype(np.uint8)).to(device)
        self.uv = torch.from_numpy(charts.face_uv.astype(np.float32).reshape(-1, 2)).to(device)


@functools.cache
def _labels(device: str) -> _Labels:
    return _Labels(load_body(device), device)


@wp.kernel
def _label(
    triangle: Ints,  # of all bodies
    barycentric: Vec3s,
    depth: Floats,
    labelled: Bytes,
    num_triangles: int,  # of one body
    run: int,  # pixels a thread labels
    is_skin: Bytes,
    surface_face: Ints,
    chart: Bytes,
    face_uv: Vec2s,  # three to a face
    i: Bytes,
    u: Floats,
    v: Floats,
    person: Bytes,
    seen_depth: Floats,
    face: Ints,
    weights: Vec3s,
) -> None:
    first = wp.tid() * run
    for p in range(first, wp.min(first + run, triangle.shape[0])):
        if labelled[p] == wp.uint8(0):
            seen_depth[p] = wp.inf
            face[p] = -1
            continue
        t = triangle[p] % num_triangles
        f = surface_face[t]
        w = barycentric[p]
        if is_skin[t] == wp.uint8(0):
            w = wp.vec3(1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0)
        uv = face_uv[3 * f] * w[0] + face_uv[3 * f + 1] * w[1] + face_uv[3 * f + 2] * w[2]
        i[p] = chart[f]
        u[p] = wp.clamp(uv[0], 0.0, 1.0)
        v[p] = wp.clamp(uv[1], 0.0, 1.0)
        person[p] = wp.uint8(triangle[p] / num_triangles + 1)
        seen_depth[p] = depth[p]
        face[p] = f
        weights[p] = w


def label_maps(body_seen: Fragments, labelled: torch.Tensor, num_triangles: int) -> LabelMaps:
    """Label the pixels of a mask (H, W) bool.

    body_seen: rasterize()'s result for all naked bodies, num_triangles each.
    """
    triangle, barycentric, depth = body_seen
    tables = _labels(str(triangle.device))
    maps = [torch.from_numpy(values).to(triangle.device) for values in empty_truth(triangle.shape)]
    seen = [to_warp(triangle.view(-1)), to_warp(barycentric.view(-1, 3), wp.vec3), to_warp(depth.view(-1))]
    mask = to_warp(labelled.view(-1).view(torch.uint8))
    about = [to_warp(tables.is_skin), to_warp(tables.face), to_warp(tables.chart), to_warp(tables.uv, wp.vec2)]
    outputs = [
        to_warp(values.view(-1)) if values.ndim == 2 else to_warp(values.view(-1, 3), wp.vec3) for values in maps
    ]
    num_threads, run = threads_for(labelled.numel(), triangle.device)
    launch(_label, num_threads, [*seen, mask, num_triangles, run, *about], outputs, triangle.device)
    return LabelMaps(*(values.cpu().numpy() for values in maps))


def empty_truth(size_hw: tuple[int, int]) -> LabelMaps:
    """Make the label maps of a picture without people."""
    zeros = np.zeros(size_hw, np.float32)
    return LabelMaps(
        i=zeros.astype(np.uint8),
        u=zeros,
        v=zeros.copy(),
        person=zeros.astype(np.uint8),
        depth=np.full(size_hw, np.inf, np.float32),
        face=np.full(size_hw, -1, np.int32),
        barycentric=np.zeros((*size_hw, 3), np.float32),
    )


def keypoints_in_image(
    joints: np.ndarray, camera: Camera, person: np.ndarray, depth: np.ndarray, shown: tuple[slice, slice]
) -> np.ndarray:
    """Project COCO keypoints: (P, 17, 3) float32; visibility 0 outside the photo, 2 on this person's skin, else 1.

    joints: (P, 17, 3) world, metres. person, depth: (H, W) of a RenderedImage. shown: rows and columns of the image
    that lie on the photo.
    """
    rows, columns = shown
    height, width = person.shape
    out = np.zeros((len(joints), len(KEYPOINT_NAMES), 3), np.float32)
    for k, points in enumerate(joints):
        there = camera.to_camera(points)
        xy = there[:, :2] / np.maximum(there[:, 2:], 1e-4) * camera.focal_px + np.asarray(camera.center_px)
        column, row = np.floor(xy).astype(int).T
        inside = (column >= columns.start) & (column < columns.stop) & (row >= rows.start) & (row < rows.stop)
        inside &= there[:, 2] > 0
        column, row = column.clip(0, width - 1), row.clip(0, height - 1)
        near = np.abs(depth[row, column] - there[:, 2]) < INSIDE_BODY_M
        visible = inside & (person[row, column] == k + 1) & near
        out[k, :, :2] = np.where(inside[:, None], xy, 0)
        out[k, :, 2] = np.where(visible, 2, np.where(inside, 1, 0))
    return out


def box_of(mask: np.ndarray) -> np.ndarray:
    """Compute the xyxy box (4,) float32 of a mask's pixels; zeros if it is empty."""
    if not mask.any():
        return np.zeros(4, np.float32)
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return np.array([x, y, x + width, y + height], np.float32)
