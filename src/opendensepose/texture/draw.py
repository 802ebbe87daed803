"""A texture painted on the people in a photo, in the photo's light, or on the body at rest.

Letters: H, W photo or window.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.surface import CHART_TO_PART, SurfacePoints, load_charts, load_surface
from opendensepose.texture.texture import Texture
from opendensepose.visualize.surface import FINE, SIDES, light_body, view_body

__all__ = ["draw_body", "draw_texture"]

DARKEST, BRIGHTEST = 0.25, 1.9  # the light of a pixel relative to the mean of its body part
BROAD_LIGHT = 0.4  # how much of it stays: more shows the clothes underneath, less looks flat
BASE_PX = 400  # longer side of a person when their broad light is estimated
EDGE_PX = 0.7
PAPER = 255


def draw_texture(
    image_rgb: np.ndarray, people: Sequence[Instance], texture: Texture, *, shading: float = 1.0, soft_edge: bool = True
) -> np.ndarray:
    """Paint the texture on every person of a photo (H, W, 3) uint8, the most confident one on top.

    shading: how much of the photo's light and folds stays, 0 (the texture's own colours) to 1. soft_edge: blend over
    the outline. ValueError if the photo is no such array, a map differs in size or shading is out of range.
    """
    if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
        raise ValueError(f"the photo must be uint8 (H, W, 3), got {image_rgb.dtype} {image_rgb.shape}.")
    if not 0 <= shading <= 1:
        raise ValueError(f"shading must lie in [0, 1], got {shading}.")
    canvas = image_rgb.copy()
    for person in sorted(people, key=lambda one: one.score):
        if person.iuv.size_hw != image_rgb.shape[:2]:
            raise ValueError(
                f"the person's map must have the photo's size {image_rgb.shape[:2]}, got {person.iuv.size_hw}."
            )
        if person.iuv.i.any():
            _paint(canvas, image_rgb, person.iuv, texture, shading, soft_edge)
    return canvas


def draw_body(texture: Texture, sides: Iterable[str] = SIDES) -> np.ndarray:
    """Draw the body at rest with a texture, (H, W, 3) uint8 on white, from these of `visualize.surface.SIDES`."""
    surface, charts = load_surface(), load_charts()
    views = []
    for side in sides:
        face, weights = view_body(surface, *SIDES[side])
        inside = face >= 0
        xy = np.full((*face.shape, 2), -2, np.float32)
        xy[inside] = texture.layout.xy(*charts.from_points(SurfacePoints(face[inside], weights[inside]))) - 0.5
        colour = cv2.remap(texture.colour, xy, None, cv2.INTER_LINEAR).astype(np.float32)
        colour *= (0.55 + 0.45 * light_body(surface, face, weights))[..., None]
        colour[~inside] = PAPER
        views.append(cv2.resize(colour, None, fx=1 / FINE, fy=1 / FINE, interpolation=cv2.INTER_AREA))
    return np.clip(np.concatenate(views, axis=1) + 0.5, 0, 255).astype(np.uint8)


def _paint(
    canvas: np.ndarray, image_rgb: np.ndarray, iuv: IUV, texture: Texture, shading: float, soft_edge: bool
) -> None:
    """Paint one person on the canvas, in place."""
    x, y, width, height = cv2.boundingRect((iuv.i > 0).astype(np.uint8))
    window = np.s_[y : y + height, x : x + width]
    i, photo = iuv.i[window], image_rgb[window]
    mask = i > 0
    colour = _sampled(texture, i, iuv.u[window], iuv.v[window])
    if shading:
        light = _relative_light(photo, i)
        colour = np.clip(colour * light[..., None] ** shading, 0, 255)
    alpha = mask.astype(np.float32)
    if soft_edge:
        around = np.pad(iuv.i > 0, 3, mode="edge")[y : y + height + 6, x : x + width + 6].astype(np.float32)
        alpha *= cv2.GaussianBlur(around, (0, 0), EDGE_PX)[3:-3, 3:-3]
    blended = canvas[window] + alpha[..., None] * (colour - canvas[window])
    canvas[window] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)


def _sampled(texture: Texture, i: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The texture's colours (H, W, 3) float32 at labels; where a pixel covers several texels, their mean."""
    xy = np.full((*i.shape, 2), -2.0)
    mask = i > 0
    xy[mask] = texture.layout.xy(i[mask], u[mask], v[mask])
    together = (i[:, 1:] == i[:, :-1]) & mask[:, 1:]
    steps = np.linalg.norm(np.diff(xy, axis=1), axis=2)[together]
    texels_per_pixel = float(np.median(steps)) if len(steps) else 1.0
    colour = texture.colour.astype(np.float32)
    if texels_per_pixel > 1:
        colour = cv2.GaussianBlur(colour, (0, 0), max(0.4 * np.sqrt(texels_per_pixel**2 - 1), 1e-3))
    return cv2.remap(colour, (xy - 0.5).astype(np.float32), None, cv2.INTER_LINEAR)


def _relative_light(photo: np.ndarray, i: np.ndarray) -> np.ndarray:
    """How bright each pixel (H, W) is lit, 1 the mean of its body part.

    An edge-preserving mean splits brightness in two. Folds and small shadows, relative to that mean, stay whole; the
    mean itself, relative to the body part's, is light and the clothes' own brightness at once, and is weakened.
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) + 4
    mask = i > 0
    grey = np.where(mask, grey, grey[mask].mean()).astype(np.float32)
    scale = min(1.0, BASE_PX / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    base = cv2.resize(cv2.bilateralFilter(small, 13, 30, 5), grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    part = CHART_TO_PART[i]
    mean = np.bincount(part.ravel(), base.ravel(), 15) / np.maximum(np.bincount(part.ravel(), minlength=15), 1)
    light = grey / base * (base / np.maximum(mean[part], 1)) ** BROAD_LIGHT
    return np.clip(light, DARKEST, BRIGHTEST).astype(np.float32)
