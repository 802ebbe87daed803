"""A fitted body as pictures and 3D scenes over the photo."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from opendensepose.fit.body_fit import BodyFit
from opendensepose.surface import CHART_COLOURS, load_charts, load_surface
from opendensepose.surface.rasterize import rasterize
from opendensepose.texture import Texture
from opendensepose.texture.gltf import textured_body, to_gltf_axes
from opendensepose.visualize.surface import light_body

if TYPE_CHECKING:
    import trimesh

__all__ = ["draw_bodies", "scene_glb"]

BEHIND = 1.15  # the photo stands so many times farther away than the farthest body's farthest point
EDGE_PX = 0.7
SMALLEST_LONG_SIDE = 900  # smaller photos are enlarged for the picture
MOST_PHOTO_PX = 2048  # the longer side of the photo in a scene


def draw_bodies(image_rgb: np.ndarray, fits: Sequence[BodyFit], *, opacity: float = 0.85) -> np.ndarray:
    """Draw bodies over a photo (H, W, 3) uint8 in their charts' colours, shaded, the nearest on top.

    A photo of less than 900 pixels is enlarged. ValueError if a body's camera is of a photo of another size.
    """
    for fit in fits:
        if fit.camera.size_hw != image_rgb.shape[:2]:
            raise ValueError(f"the body is of a photo of {fit.camera.size_hw}, got one of {image_rgb.shape[:2]}.")
    zoom = max(1.0, SMALLEST_LONG_SIDE / max(image_rgb.shape[:2]))
    canvas = cv2.resize(image_rgb, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    for fit in sorted(fits, key=lambda one: -float(np.median(one.vertices[:, 1]))):
        colour, mask = _drawn(fit, canvas.shape[:2])
        alpha = opacity * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), EDGE_PX)[..., None]
        canvas += alpha * (colour - canvas)
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8)


def _drawn(fit: BodyFit, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A body's colours (H, W, 3) float32 and where it is seen (H, W) bool, in the camera's image scaled to size_hw."""
    surface = replace(load_surface(), vertices=fit.vertices)
    scale = size_hw[1] / fit.camera.size_hw[1]
    depth = fit.camera.to_camera(fit.vertices)[:, 2:]
    corner = np.concatenate([scale * fit.camera.project(fit.vertices), depth], 1)[surface.faces]
    first, second = corner[:, 1, :2] - corner[:, 0, :2], corner[:, 2, :2] - corner[:, 0, :2]
    faces_camera = first[:, 0] * second[:, 1] < first[:, 1] * second[:, 0]  # turns clockwise with y down
    shown = faces_camera & np.isfinite(corner).all((1, 2))
    face, weights = rasterize(np.where(shown[:, None, None], corner, 0), size_hw)  # of no area: not drawn
    seen = face >= 0
    if not seen.any():
        return np.zeros((*size_hw, 3), np.float32), seen
    colour = CHART_COLOURS[load_charts().face_chart[np.maximum(face, 0)]].astype(np.float32)
    colour *= light_body(surface, face, weights)[..., None]
    spread = cv2.distanceTransformWithLabels((~seen).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)[
        1
    ]
    of_label = np.zeros(spread.max() + 1, np.int64)
    of_label[spread[seen]] = np.flatnonzero(seen)
    return colour.reshape(-1, 3)[of_label[spread]], seen  # colours go on beyond the outline, which is blended


def scene_glb(image_rgb: np.ndarray, fits: Sequence[BodyFit], textures: Sequence[Texture]) -> bytes:
    """Write bodies with their textures before the photo, and the photo's camera, as a binary glTF file (.glb).

    glTF's axes: y up; the camera at the origin looks along -z. Seen by it, the bodies cover the people in the photo.
    """
    import trimesh

    scene = trimesh.Scene()
    surface = load_surface()
    for k, (fit, texture) in enumerate(zip(fits, textures, strict=True), start=1):
        body = textured_body(texture, replace(surface, vertices=fit.vertices))
        scene.add_geometry(body, geom_name=f"body_{k}", node_name=f"body_{k}")
    camera = fits[0].camera
    scene.add_geometry(_photo_plane(image_rgb, fits), geom_name="photo", node_name="photo")
    height, width = camera.size_hw
    fov = 2 * np.degrees(np.arctan(np.array([width, height]) / (2 * camera.focal_px)))
    scene.camera = trimesh.scene.Camera(name="photo_camera", resolution=(width, height), fov=fov, z_near=0.05)
    scene.camera_transform = np.eye(4)  # trimesh's cameras look along -z, as glTF's do
    return scene.export(file_type="glb", include_normals=True)


def _photo_plane(image_rgb: np.ndarray, fits: Sequence[BodyFit]) -> "trimesh.Trimesh":
    """The photo as an unlit rectangle that fills the camera's view behind the bodies."""
    import trimesh

    camera = fits[0].camera
    height, width = camera.size_hw
    distance = BEHIND * max(float(fit.vertices[:, 1].max()) for fit in fits)
    x = (np.array([0, width]) - camera.center_px[0]) / camera.focal_px * distance
    z = -(np.array([0, height]) - camera.center_px[1]) / camera.focal_px * distance
    corners = np.array([[x[0], distance, z[0]], [x[1], distance, z[0]], [x[1], distance, z[1]], [x[0], distance, z[1]]])
    scale = min(1.0, MOST_PHOTO_PX / max(height, width))
    photo = cv2.resize(image_rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image_rgb
    material = trimesh.visual.material.PBRMaterial(
        name="photo",
        baseColorFactor=[0, 0, 0, 255],
        emissiveTexture=Image.fromarray(photo),
        emissiveFactor=[1.0, 1.0, 1.0],
        metallicFactor=0.0,
        roughnessFactor=1.0,
        doubleSided=True,
    )
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], float)  # trimesh has v upwards
    return trimesh.Trimesh(
        vertices=to_gltf_axes(corners),
        faces=[[0, 2, 1], [0, 3, 2]],
        visual=trimesh.visual.TextureVisuals(uv=uv, material=material),
        process=False,
    )
