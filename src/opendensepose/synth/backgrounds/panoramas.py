"""Pictures taken inside a photographed panorama: it is the background, and its light falls on the people.

Letters: P panoramas, H, W image.
"""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import warp as wp

from opendensepose.camera import Camera
from opendensepose.synth.drawing.environment_light import LUMA, KeyLight
from opendensepose.synth.drawing.launch import launch, threads_for, to_warp
from opendensepose.synth.drawing.resize import resize
from opendensepose.synth.drawing.sensor import convolve
from opendensepose.synth.drawing.shade import Lighting
from opendensepose.synth.drawing.spherical_harmonics import Irradiance, cosine_convolved
from opendensepose.synth.drawing.vertices import rotation_about_z
from opendensepose.synth.wardrobe import IngredientArrays, load_ingredients
from opendensepose.synth.wardrobe.panorama_files import decode_radiance, encode_radiance
from opendensepose.synth.warp_arrays import Bytes3, Vec3s

__all__ = ["Panorama", "Surroundings", "load_panoramas", "panorama_view", "panoramas_of", "surroundings"]

NUM_LEVELS = 4  # of the panorama, each half as large as the one before
BLUR_LEVELS = (0.58, 0.22, 0.13, 0.07)  # shares of pictures whose background is out of focus by 0, 1, 2, 3 levels
ALBEDO, MID_GREY = 0.35, 0.19  # of people, and what the exposure makes of the mean
SMOOTHING = np.outer((1, 4, 1), (1, 4, 1)).astype(np.float32) / 36  # against rings and steps of an enlarged view


@dataclass(frozen=True)
class Panorama:
    """A photographed environment."""

    levels: tuple[torch.Tensor, ...]  # (h, w, 3) uint8 encoded radiance, largest first
    unit: float  # for decode_radiance()
    irradiance: Irradiance  # without the key light's
    key: KeyLight


@dataclass(frozen=True)
class Surroundings:
    """A place as the camera sees it and as it lights people."""

    background: torch.Tensor  # (H, W, 3) float32 in [0, 1]
    lighting: Lighting
    key_world: np.ndarray  # (3,) unit vector towards the key light


def load_panoramas(device: str) -> tuple[Panorama, ...]:
    """Load the panoramas of the ingredients; none if those were not fetched."""
    ingredients = load_ingredients()
    return () if ingredients is None else panoramas_of(ingredients, device)


@functools.lru_cache(maxsize=2)
def panoramas_of(ingredients: IngredientArrays, device: str) -> tuple[Panorama, ...]:
    """Read the panoramas in the ingredients' arrays."""
    return tuple(_panorama(ingredients, k, str(name), device) for k, name in enumerate(ingredients["panoramas/names"]))


def _panorama(tables: IngredientArrays, k: int, name: str, device: str) -> Panorama:
    unit, coefficients = float(tables["panoramas/unit"][k]), tables["panoramas/coefficients"][k].astype(float)
    image = cv2.cvtColor(cv2.imdecode(tables[f"panoramas/images/{name}"], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    levels = [image]
    radiance = decode_radiance(image, unit)
    while len(levels) < NUM_LEVELS:
        radiance = cv2.resize(radiance, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(encode_radiance(radiance, unit))
    key = KeyLight(
        *(tables[f"panoramas/key_{part}"][k].astype(float) for part in ("direction", "irradiance", "radius"))
    )
    irradiance = Irradiance.from_coefficients(cosine_convolved(coefficients))
    return Panorama(tuple(torch.from_numpy(level).to(device) for level in levels), unit, irradiance, key)


def surroundings(
    rng: np.random.Generator,
    panoramas: tuple[Panorama, ...],
    camera: Camera,
    size_hw: tuple[int, int],
    shadows: bool = True,
    people: bool = True,
) -> Surroundings:
    """Draw one of the panoramas, turned to any side.

    shadows: whether its key light casts any. people: whether the camera also meters people.
    """
    panorama = panoramas[int(rng.integers(len(panoramas)))]
    yaw = rng.uniform(-np.pi, np.pi)
    turn = rotation_about_z(yaw)
    blur = int(rng.choice(len(BLUR_LEVELS), p=BLUR_LEVELS))
    seen = panorama_view(panorama, camera, size_hw, turn, blur)
    irradiance, key_world = panorama.irradiance.rotated(turn), turn @ panorama.key.direction
    facing = _light_towards(camera, irradiance, key_world, panorama.key.irradiance)
    gain = _exposure(rng, facing, seen, people)
    light = irradiance.scaled(gain / np.pi)  # radiance of a matt surface of albedo 1
    key_colour = panorama.key.irradiance * gain / np.pi
    lighting = _lighting(camera, light, key_world, key_colour, panorama.key.radius, shadows)
    return Surroundings(_photographed(seen, gain, size_hw), lighting, key_world)


def _lighting(
    camera: Camera, light: Irradiance, key_world: np.ndarray, key_colour: np.ndarray, radius: float, shadows: bool
) -> Lighting:
    dark, up = np.zeros(3), np.array([0.0, 0.0, 1.0])
    from_key = max(key_world[2], 0.0) * (key_colour @ LUMA)
    of_floor = from_key / max(from_key + light.at(up) @ LUMA, 1e-6)
    return Lighting(
        sky=dark,
        ground=dark,
        up=camera.rotation @ up,
        key=camera.rotation @ key_world,
        key_colour=key_colour,
        fill=camera.rotation @ up,
        fill_colour=dark,
        shadow_softness=float(np.clip(160 * np.tan(radius), 0.7, 11.0)),
        shadow_strength=float(shadows),
        around=light.rotated(camera.rotation.astype(float)),
        floor_shadow=1 - np.sqrt(1 - of_floor) if shadows else 0.0,  # colours add up squared
    )


def _light_towards(
    camera: Camera, irradiance: Irradiance, key_world: np.ndarray, key_irradiance: np.ndarray
) -> np.ndarray:
    """(3,) mean irradiance of what a person turns to the camera: front, both sides, above."""
    back, right = -camera.rotation[2].astype(float), camera.rotation[0].astype(float)
    normals = np.stack([back, back + right, back - right, back + np.array([0.0, 0.0, 1.0])])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    return (irradiance.at(normals) + np.maximum(normals @ key_world, 0)[:, None] * key_irradiance).mean(0)


def _exposure(rng: np.random.Generator, facing: np.ndarray, seen: torch.Tensor, people: bool) -> np.ndarray:
    """(3,) gain of a camera that meters people and background and half corrects the light's colour, both not exactly.

    facing: (3,) irradiance of the people's visible side. seen: (h, w, 3) radiance of the background.
    """
    step = max(1, int((seen.shape[0] * seen.shape[1] / 4096) ** 0.5))  # few pixels: the same on any number of threads
    luminance = seen[::step, ::step] @ torch.from_numpy(LUMA.astype(np.float32)).to(seen.device)
    behind = float((luminance + 1e-4).log().mean().exp())
    person = ALBEDO / np.pi * (facing @ LUMA) + 1e-6
    share = rng.uniform(0.45, 0.9) if people else 0.0
    gain = MID_GREY / (person**share * behind ** (1 - share)) * 2 ** rng.normal(0, 0.35)
    gain = min(gain, 0.8 / behind)  # not all white behind
    if people:
        gain = float(np.clip(gain, 0.05 / person, 0.5 / person))  # no silhouettes, no overexposed people
    tint = np.clip(facing / max(facing @ LUMA, 1e-6), 0.05, 20)
    balance = tint ** -rng.uniform(0.3, 0.9) * np.exp(rng.normal(0, 0.04, 3))
    return gain * balance / (balance @ LUMA)


def _photographed(seen: torch.Tensor, gain: np.ndarray, size_hw: tuple[int, int]) -> torch.Tensor:
    """Radiance (h, w, 3) to the background (H, W, 3) float32 in [0, 1]."""
    exposed = seen * torch.from_numpy(gain.astype(np.float32)).to(seen.device)
    shown = exposed.clamp_(0, 1).sqrt_()
    if tuple(shown.shape[:2]) != tuple(size_hw):
        shown = resize(convolve(shown, SMOOTHING), size_hw, "bicubic").clamp_(0, 1)
    return shown


def panorama_view(
    panorama: Panorama, camera: Camera, size_hw: tuple[int, int], turn: np.ndarray, blur: int = 0
) -> torch.Tensor:
    """Render the radiance (h, w, 3) float32 that the camera sees of a panorama turned by `turn` (3, 3) in the world.

    Sampled as finely as the panorama is, `blur` times halved, and not finer than size_hw: enlarge it to that size.
    """
    height, width = size_hw
    texel = 2 * np.pi / panorama.levels[0].shape[1]
    pixel = 1 / camera.focal_px
    level = min(blur + max(0, int(np.log2(pixel / texel) + 0.5)), len(panorama.levels) - 1)
    shrink = max(1.0, texel * 2**level / pixel)
    grid_hw = [max(2, round(side / shrink)) for side in size_hw]
    image = panorama.levels[level]
    out = torch.empty(*grid_hw, 3, device=image.device)
    to_panorama = (camera.rotation.astype(float) @ turn).T  # camera space to the panorama's own directions
    num_threads, run = threads_for(grid_hw[0] * grid_hw[1], image.device)
    scale = wp.vec2(width / grid_hw[1] / camera.focal_px, height / grid_hw[0] / camera.focal_px)
    center = wp.vec2(camera.center_px[0] / camera.focal_px, camera.center_px[1] / camera.focal_px)
    view = [wp.mat33(to_panorama.astype(np.float32)), scale, center, grid_hw[1], run, panorama.unit]
    launch(_view, num_threads, [to_warp(image), *view], [to_warp(out.view(-1, 3), dtype=wp.vec3)], image.device)
    return out


@wp.kernel
def _view(
    image: Bytes3,
    to_panorama: wp.mat33,
    scale: wp.vec2,  # of a pixel, on the plane at distance 1
    center: wp.vec2,
    width: int,
    run: int,  # pixels a thread colours
    unit: float,
    radiance: Vec3s,
) -> None:
    first = wp.tid() * run
    rows = image.shape[0]
    columns = image.shape[1]
    for p in range(first, wp.min(first + run, radiance.shape[0])):
        ray = wp.vec3(
            (float(p % width) + 0.5) * scale[0] - center[0], (float(p / width) + 0.5) * scale[1] - center[1], 1.0
        )
        d = wp.normalize(wp.mul(to_panorama, ray))
        x = (wp.atan2(d[0], d[1]) / (2.0 * wp.pi) + 0.5) * float(columns) - 0.5
        y = wp.clamp((0.5 - wp.asin(wp.clamp(d[2], -1.0, 1.0)) / wp.pi) * float(rows) - 0.5, 0.0, float(rows) - 1.0)
        fx = x - wp.floor(x)
        fy = y - wp.floor(y)
        x0 = (int(wp.floor(x)) + columns) % columns
        x1 = (x0 + 1) % columns
        y0 = int(y)
        y1 = wp.min(y0 + 1, rows - 1)
        c = wp.vec3(0.0, 0.0, 0.0)
        for k in range(3):
            top = float(image[y0, x0, k]) * (1.0 - fx) + float(image[y0, x1, k]) * fx
            bottom = float(image[y1, x0, k]) * (1.0 - fx) + float(image[y1, x1, k]) * fx
            v = wp.min(top * (1.0 - fy) + bottom * fy, 254.5) / 255.0
            c[k] = unit * v * v / (1.0 - v * v)
        radiance[p] = c
