"""Contact shadows: the floor receives less ambient light where feet and bodies touch it or nearly touch it.

A map of the floor seen from above holds how near the lowest vertices are; blurred twice, it gives a narrow dark rim and
a wide faint shade. With a shadow map alone, people would seem to float wherever the light is soft.
"""

from typing import NamedTuple

import numpy as np
import torch
import warp as wp

from opendensepose.camera import Camera
from opendensepose.synth.drawing.launch import launch, threads_for, to_warp
from opendensepose.synth.warp_arrays import Floats2, Ints2, Vec3s2

__all__ = ["ContactMap", "contact_map", "darken_contacts"]

LOW_M = 0.12  # vertices higher above the floor do not count
NEAR_M = 0.05  # at this height a vertex shades the floor 1/e as much as one that touches it
RIM = (0.04, 1.5, 0.75)  # standard deviation of the blur in metres, gain, greatest darkness
SHADE = (0.16, 4.0, 0.5)
CELL_M = 0.02
MAX_CELLS = 160  # a side; a map of more cells gets larger ones
MARGIN_M = 2.2 * SHADE[0]


class ContactMap(NamedTuple):
    """Darkness of the floor z = 0 seen from above; rows run along y, columns along x."""

    darkness: torch.Tensor  # (R, C) float32 in [0, 1)
    corner: np.ndarray  # (2,) of the first cell, world, metres
    cell_m: float  # a cell's side


def contact_map(low: torch.Tensor) -> ContactMap:
    """Map how much vertices (N, 3), world, metres, near the floor darken it; N is not 0."""
    corner, far = _region(low)
    cell = max(CELL_M, float((far - corner).max()) / MAX_CELLS)
    columns, rows = (int(np.ceil(side / cell)) for side in far - corner)
    at = ((low[:, :2] - torch.from_numpy(corner).to(low.device)) / cell).long()
    nearness = torch.exp(low[:, 2].clamp(min=0) / -NEAR_M)
    touched = torch.zeros(rows * columns, device=low.device)
    touched = touched.scatter_reduce(0, at[:, 1] * columns + at[:, 0], nearness, "amax").view(rows, columns)
    light = torch.ones_like(touched)
    for spread, gain, darkest in (RIM, SHADE):
        light = light * (1 - darkest * (gain * _blurred(touched, spread / cell)).clamp(max=1))
    return ContactMap(1 - light, corner, cell)


def _region(low: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Two corners (2,) of the floor that the low vertices shade."""
    return low[:, :2].amin(0).cpu().numpy() - MARGIN_M, low[:, :2].amax(0).cpu().numpy() + MARGIN_M


def _blurred(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """Gaussian blur of (R, C) as two products with small matrices; beyond the edges lies 0."""

    def weights(size: int) -> torch.Tensor:
        k = torch.arange(size, device=image.device)
        kernel = torch.exp(-0.5 * ((k[:, None] - k[None]) / sigma) ** 2)
        return kernel / kernel[size // 2].sum()

    return weights(image.shape[0]) @ image @ weights(image.shape[1])


def darken_contacts(
    colour: torch.Tensor, triangle: torch.Tensor, vertices: torch.Tensor, camera: Camera, strength: float = 1.0
) -> torch.Tensor:
    """Darken the floor z = 0 near vertices (N, 3) where triangle (H, W) is -1: the picture (H, W, 3)."""
    low = vertices[vertices[:, 2] < LOW_M]
    if len(low) == 0:
        return colour
    box = _box_in_image(camera, *_region(low), triangle.shape)
    *_, width, height = box
    if width <= 0 or height <= 0:
        return colour
    contacts = contact_map(low)
    out = colour.contiguous().clone()
    num_threads, run = threads_for(width * height, out.device)
    inputs = [
        to_warp(triangle),
        to_warp(contacts.darkness.contiguous()),
        wp.vec4(*map(float, contacts.corner), contacts.cell_m, strength),
        wp.mat33(np.asarray(camera.rotation.T, np.float32)),
        wp.vec3(*map(float, camera.position)),
        wp.vec3(float(camera.focal_px), *map(float, camera.center_px)),
        wp.vec4(*map(float, box)),
        run,
    ]
    launch(_darken, num_threads, inputs, [to_warp(out, dtype=wp.vec3)], out.device)
    return out


def _box_in_image(
    camera: Camera, corner: np.ndarray, far: np.ndarray, size_hw: tuple[int, int]
) -> tuple[int, int, int, int]:
    """x, y, width and height, pixels, of the image's part that may show the floor between two corners (2,)."""
    height, width = size_hw
    pixels = camera.project(np.array([[x, y, 0.0] for x in (corner[0], far[0]) for y in (corner[1], far[1])]))
    if not np.isfinite(pixels).all():  # with a corner behind the camera it may be anywhere
        return 0, 0, width, height
    x0, y0 = np.floor(pixels.min(0)).clip(0, (width, height)).astype(int)
    x1, y1 = np.ceil(pixels.max(0)).clip(0, (width, height)).astype(int)
    return int(x0), int(y0), int(x1 - x0), int(y1 - y0)


@wp.kernel
def _darken(
    triangle: Ints2,
    darkness: Floats2,
    place: wp.vec4,  # corner x, y and side of a cell, metres; strength
    to_world: wp.mat33,
    position: wp.vec3,
    lens: wp.vec3,  # focal length, centre, pixels
    box: wp.vec4,  # of the image, x, y, width, height
    run: int,  # pixels a thread darkens
    colour: Vec3s2,
) -> None:
    box_w = int(box[2])
    count = box_w * int(box[3])
    first = wp.tid() * run
    for p in range(first, wp.min(first + run, count)):
        i = int(box[1]) + p / box_w
        j = int(box[0]) + p % box_w
        if triangle[i, j] >= 0:
            continue
        ray = wp.mul(to_world, wp.vec3((float(j) + 0.5 - lens[1]) / lens[0], (float(i) + 0.5 - lens[2]) / lens[0], 1.0))
        if ray[2] > -1.0e-4 or position[2] < 0.0:
            continue
        far = -position[2] / ray[2]
        x = (position[0] + far * ray[0] - place[0]) / place[2] - 0.5
        y = (position[1] + far * ray[1] - place[1]) / place[2] - 0.5
        if x < 0.0 or y < 0.0 or x >= float(darkness.shape[1] - 1) or y >= float(darkness.shape[0] - 1):
            continue
        x0 = int(x)
        y0 = int(y)
        fx = x - float(x0)
        fy = y - float(y0)
        top = darkness[y0, x0] * (1.0 - fx) + darkness[y0, x0 + 1] * fx
        bottom = darkness[y0 + 1, x0] * (1.0 - fx) + darkness[y0 + 1, x0 + 1] * fx
        colour[i, j] = colour[i, j] * (1.0 - place[3] * (top * (1.0 - fy) + bottom * fy))
