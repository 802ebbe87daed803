"""Colour of every pixel: materials, textures, prints, lights and cast shadows, one Warp kernel for CPU and CUDA.

Light: a hemisphere of sky and ground or the harmonics of a panorama, a key light with a shadow map, a fill light;
Lambert and Blinn-Phong terms.
Light adds up in squared colours: gamma 2, which needs no power functions, in the place of sRGB's curve.
Letters: H, W image; N vertices; M materials; K textures; D prints.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
import torch
import warp as wp

from opendensepose.camera import Camera
from opendensepose.synth.drawing.rasterize import launch, shared_out, to_warp
from opendensepose.synth.drawing.spherical_harmonics import Irradiance
from opendensepose.synth.textures.store import UvMapping, no_uv_mapping, sample_texture, uv_row

__all__ = ["CHANNEL_ORDERS", "LUMINANCE_POWER", "Lighting", "MATERIAL_COLUMNS", "SHADOW_SIZE", "TEXTURE_SIZE", "shade"]

# r g b | texture | scale angle specular fold | print | its x z half_w half_h | is skin | texture's shift u v in tiles,
# its signs u v and its order of channels (0 to 5, index into CHANNEL_ORDERS) | unused | 1 + row of the UV texture or 0,
# its mean luminance where only its folds count (else 0), metres that its side is long
MATERIAL_COLUMNS = 23
LUMINANCE_POWER = 0.7  # below 1: the folds of a recoloured texture are softened, since they hold its own light already
CHANNEL_ORDERS = tuple(permutations(range(3)))
TEXTURE_SIZE = 256
SHADOW_SIZE = 240
FLOOR_SHADOW = wp.constant(0.6)  # the floor's shadow is so much of the strength: it receives other light too


@dataclass(frozen=True)
class Lighting:
    """Lights in camera space; colours are linear RGB. key, fill: (3,) unit vectors towards the light."""

    sky: np.ndarray
    ground: np.ndarray
    up: np.ndarray
    key: np.ndarray
    key_colour: np.ndarray
    fill: np.ndarray
    fill_colour: np.ndarray
    shadow_softness: float  # radius of the penumbra in 1/320 of the shadow map
    shadow_strength: float
    around: Irradiance | None = None  # camera space, of a surface by its normal; if given, instead of sky and ground
    floor_shadow: float | None = None  # how much darker the floor's shadow is; if not given, by shadow_strength


@wp.func
def _texel(textures: wp.array(dtype=wp.uint8, ndim=4), k: int, u: float, v: float):
    """Bilinear sample of texture k at (u, v), which wrap around at 1."""
    size = float(textures.shape[1])
    x = (u - wp.floor(u)) * size
    y = (v - wp.floor(v)) * size
    x0 = wp.min(int(x), textures.shape[2] - 1)
    y0 = wp.min(int(y), textures.shape[1] - 1)
    x1 = wp.where(x0 + 1 == textures.shape[2], 0, x0 + 1)
    y1 = wp.where(y0 + 1 == textures.shape[1], 0, y0 + 1)
    fx = x - float(x0)
    fy = y - float(y0)
    c = wp.vec4(0.0, 0.0, 0.0, 0.0)
    for i in range(4):
        top = float(textures[k, y0, x0, i]) * (1.0 - fx) + float(textures[k, y0, x1, i]) * fx
        bottom = float(textures[k, y1, x0, i]) * (1.0 - fx) + float(textures[k, y1, x1, i]) * fx
        c[i] = top * (1.0 - fy) + bottom * fy
    return c / 255.0


@wp.func
def _reordered(c: wp.vec4, order: int):
    """The first three channels in one of the six orders of CHANNEL_ORDERS."""
    first = order / 2
    second = wp.where(order % 2 == 0, wp.where(first == 0, 1, 0), wp.where(first == 2, 1, 2))
    return wp.vec3(c[first], c[second], c[3 - first - second])


@wp.func
def _albedo(
    materials: wp.array(dtype=wp.float32, ndim=2),
    textures: wp.array(dtype=wp.uint8, ndim=4),
    prints: wp.array(dtype=wp.uint8, ndim=4),
    m: int,
    u: float,  # texture coordinate across, metres
    v: float,  # along
    q: wp.vec3,  # point on the cloth
    f: wp.vec3,  # normal of the body at rest
    painted: wp.vec3,
):
    """Colour of material m (sRGB): base colour times texture times skin paint, under a print on the chest."""
    albedo = wp.vec3(materials[m, 0], materials[m, 1], materials[m, 2])
    angle = materials[m, 5]
    scale = materials[m, 4]
    tu = (wp.cos(angle) * u - wp.sin(angle) * v) * scale
    tv = (wp.sin(angle) * u + wp.cos(angle) * v) * scale
    k = int(materials[m, 3])
    if k >= 0:
        texel = _texel(textures, k, tu * materials[m, 16] + materials[m, 14], tv * materials[m, 17] + materials[m, 15])
        albedo = wp.cw_mul(albedo, _reordered(texel, int(materials[m, 18])))
    if materials[m, 13] > 0.5:
        albedo = wp.cw_mul(albedo, painted)
    d = int(materials[m, 8])
    if d >= 0 and f[1] < -0.15:
        du = (q[0] - materials[m, 9]) / materials[m, 11]
        dv = (q[2] - materials[m, 10]) / materials[m, 12]
        if wp.abs(du) < 0.99 and wp.abs(dv) < 0.99:
            ink = _texel(prints, d, 0.5 + 0.5 * du, 0.5 - 0.5 * dv)
            albedo = albedo * (1.0 - ink[3]) + wp.vec3(ink[0], ink[1], ink[2]) * ink[3]
    return albedo


@wp.func
def _textured(albedo: wp.vec3, texel: wp.vec4, mean_luminance: float):
    """albedo times a texture's colour, or times its folds alone: its luminance over the mean one."""
    if mean_luminance <= 0.0:
        return wp.cw_mul(albedo, wp.vec3(texel[0], texel[1], texel[2]))
    luminance = 0.299 * texel[0] + 0.587 * texel[1] + 0.114 * texel[2]
    return albedo * wp.pow(luminance / mean_luminance, wp.static(LUMINANCE_POWER))


@wp.func
def _lit(shadow_map: wp.array(dtype=wp.float32, ndim=2), p: wp.vec3, bias: float, softness: float):
    """Share of the key light that reaches a point given in shadow-map pixels and depth."""
    size = shadow_map.shape[0]
    total = 0.0
    for j in range(-1, 2):
        for i in range(-1, 2):
            x = int(p[0] + float(i) * softness)
            y = int(p[1] + float(j) * softness)
            if x < 0 or y < 0 or x >= size or y >= size:
                total += 1.0
            elif shadow_map[y, x] > p[2] - bias:
                total += 1.0
    return total / 9.0


@wp.func
def _light_around(lights: wp.array(dtype=wp.vec3), n: wp.vec3):
    """Irradiance of a surface with normal n: rows 7 of the constant, 8 to 10 of x, y, z, 11 to 16 of xx to yz."""
    c = lights[7] + lights[8] * n[0] + lights[9] * n[1] + lights[10] * n[2]
    c += lights[11] * (n[0] * n[0]) + lights[12] * (n[1] * n[1]) + lights[13] * (n[2] * n[2])
    c += lights[14] * (n[0] * n[1]) + lights[15] * (n[0] * n[2]) + lights[16] * (n[1] * n[2])
    return wp.vec3(wp.max(c[0], 0.0), wp.max(c[1], 0.0), wp.max(c[2], 0.0))


@wp.func
def _reflected(
    albedo: wp.vec3,
    specular: float,
    n: wp.vec3,
    view: wp.vec3,
    shadow: float,
    lights: wp.array(dtype=wp.vec3),
    around: float,
):
    """Colour (sRGB) of a point with normal n seen along view; shadow: share of the key light that arrives; around: 1 if
    _light_around gives the ambient light, else sky and ground."""
    light = wp.vec3(0.0, 0.0, 0.0)
    if around > 0.5:
        light = _light_around(lights, n)
    else:
        half_sky = 0.5 + 0.5 * wp.dot(n, lights[2])
        light = lights[1] * (1.0 - half_sky) + lights[0] * half_sky
    light += lights[4] * (wp.max(wp.dot(n, lights[3]), 0.0) * shadow)
    light += lights[6] * wp.max(wp.dot(n, lights[5]), 0.0)
    h = wp.normalize(lights[3] - view)
    s2 = wp.max(wp.dot(n, h), 0.0) * wp.max(wp.dot(n, h), 0.0)
    s8 = s2 * s2 * s2 * s2
    shine = specular * s8 * s8 * s8 * shadow
    c = wp.cw_mul(wp.cw_mul(albedo, albedo), light) + lights[4] * shine
    return wp.vec3(wp.sqrt(wp.max(c[0], 0.0)), wp.sqrt(wp.max(c[1], 0.0)), wp.sqrt(wp.max(c[2], 0.0)))


@wp.kernel
def _shade(
    triangle: wp.array(dtype=wp.int32),
    barycentric: wp.array(dtype=wp.vec3),
    triangles: wp.array(dtype=wp.vec3i),
    normals: wp.array(dtype=wp.vec3),  # camera space
    cloth: wp.array(dtype=wp.vec3),  # texture coordinates, metres on the body at rest
    facing: wp.array(dtype=wp.vec3),  # normals of the body at rest
    paint: wp.array(dtype=wp.vec3),
    in_light: wp.array(dtype=wp.vec3),  # vertices in shadow-map pixels and depth
    triangle_material: wp.array(dtype=wp.int32),
    materials: wp.array(dtype=wp.float32, ndim=2),
    textures: wp.array(dtype=wp.uint8, ndim=4),
    prints: wp.array(dtype=wp.uint8, ndim=4),
    corner_uv: wp.array(dtype=wp.vec2),
    texels: wp.array(dtype=wp.uint8, ndim=2),
    texture_table: wp.array(dtype=wp.int32, ndim=2),
    num_closed: int,
    num_body: int,
    shadow_map: wp.array(dtype=wp.float32, ndim=2),
    lights: wp.array(dtype=wp.vec3),  # sky, ground, up, key, key colour, fill, fill colour; of _light_around
    options: wp.vec4,  # shadow softness, strength, focal length, 1 if lit by _light_around
    center: wp.vec2,
    width: int,
    run: int,  # pixels a thread colours
    colour: wp.array(dtype=wp.vec3),
):
    first = wp.tid() * run
    for p in range(first, wp.min(first + run, triangle.shape[0])):
        t = triangle[p]
        if t < 0:
            continue
        tri = triangles[t]
        b = barycentric[p]
        n = normals[tri[0]] * b[0] + normals[tri[1]] * b[1] + normals[tri[2]] * b[2]
        q = cloth[tri[0]] * b[0] + cloth[tri[1]] * b[1] + cloth[tri[2]] * b[2]
        f = facing[tri[0]] * b[0] + facing[tri[1]] * b[1] + facing[tri[2]] * b[2]
        m = triangle_material[t]
        # Textures are projected along the body's depth, on its flanks along its width.
        u = q[0]
        if wp.abs(f[0]) > 0.8 * wp.abs(f[1]) and wp.abs(f[0]) > 0.4:
            u = q[1]
        painted = paint[tri[0]] * b[0] + paint[tri[1]] * b[1] + paint[tri[2]] * b[2]
        row = int(materials[m, 20]) - 1
        v = q[2]
        texel = wp.vec4(1.0, 1.0, 1.0, 1.0)
        if row >= 0:
            r = 3 * uv_row(t, num_closed, num_body)
            uv = corner_uv[r] * b[0] + corner_uv[r + 1] * b[1] + corner_uv[r + 2] * b[2]
            texel = sample_texture(texels, texture_table, row, uv[0], uv[1])
            u = uv[0] * materials[m, 22]
            v = uv[1] * materials[m, 22]
        albedo = _albedo(materials, textures, prints, m, u, v, q, f, painted)
        if row >= 0:
            albedo = _textured(albedo, texel, materials[m, 21])
        fold = materials[m, 7]
        if fold > 0.0:  # texture 0 holds smooth noise: cloth folds too fine for the mesh
            bump = _texel(textures, 0, u * 2.1 + float(m) * 0.37, v * 1.6 + float(m) * 0.61)
            n = wp.normalize(n) + fold * wp.vec3(bump[0] - 0.5, bump[1] - 0.5, 0.5 * (bump[2] - 0.5))
        n = wp.normalize(n)
        view = wp.vec3(
            (float(p % width) + 0.5 - center[0]) / options[2], (float(p / width) + 0.5 - center[1]) / options[2], 1.0
        )
        view = wp.normalize(view)
        if wp.dot(n, view) > 0.0:  # seen from the inside: cloth has two sides
            n = -n
        shadow = 0.0  # share of the key light that arrives
        if wp.dot(n, lights[3]) > 0.0:
            point = in_light[tri[0]] * b[0] + in_light[tri[1]] * b[1] + in_light[tri[2]] * b[2]
            shadow = 1.0 - options[1] * (1.0 - _lit(shadow_map, point, 0.02, options[0]))
        colour[p] = _reflected(albedo, materials[m, 6], n, view, shadow, lights, options[3])


@wp.kernel
def _darken_ground(
    triangle: wp.array(dtype=wp.int32),
    plane: wp.vec4,  # camera space: plane.xyz . p + plane.w = 0
    to_light: wp.mat44,
    shadow_map: wp.array(dtype=wp.float32, ndim=2),
    options: wp.vec4,
    center: wp.vec2,
    width: int,
    run: int,  # pixels a thread colours
    colour: wp.array(dtype=wp.vec3),
):
    first = wp.tid() * run
    for p in range(first, wp.min(first + run, triangle.shape[0])):
        if triangle[p] >= 0:
            continue
        ray = wp.vec3(
            (float(p % width) + 0.5 - center[0]) / options[2], (float(p / width) + 0.5 - center[1]) / options[2], 1.0
        )
        along = plane[0] * ray[0] + plane[1] * ray[1] + plane[2] * ray[2]
        if wp.abs(along) < 1.0e-6:
            continue
        distance = -plane[3] / along
        if distance <= 0.0 or distance > 60.0:
            continue
        here = wp.mul(to_light, wp.vec4(ray[0] * distance, ray[1] * distance, distance, 1.0))
        size = float(shadow_map.shape[0])
        reach = 1.5 * options[0]
        if here[0] < -reach or here[1] < -reach or here[0] > size + reach or here[1] > size + reach:
            continue
        lit = _lit(shadow_map, wp.vec3(here[0], here[1], here[2]), 0.01, options[0] * 1.5)
        colour[p] = colour[p] * (1.0 - FLOOR_SHADOW * options[1] * (1.0 - lit))


def _rows_of(around: Irradiance) -> list[np.ndarray]:
    """The ten colours (3,) that _light_around takes."""
    linear, quadratic = around.linear, around.quadratic
    squares = [quadratic[:, k, k] for k in range(3)]
    mixed = [2 * quadratic[:, i, j] for i, j in ((0, 1), (0, 2), (1, 2))]
    return [around.constant, *linear.T, *squares, *mixed]


def _to(values: np.ndarray, device: str) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)


def shade(
    seen: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    mesh: dict[str, torch.Tensor],
    lighting: Lighting,
    shadow: torch.Tensor,
    camera: Camera,
    background: torch.Tensor,
    ground: tuple[np.ndarray, np.ndarray] | None = None,
    uv: UvMapping | None = None,
) -> torch.Tensor:
    """The picture (H, W, 3) sRGB float32, not clipped above 1.

    seen: rasterize()'s result. mesh: triangles (T, 3), normals, cloth, facing, paint, in_light (N, 3), material (T,),
    materials (M, 23), textures (K, 256, 256, 4) uint8, prints (D, h, w, 4) uint8. shadow: (S, S) depths.
    ground: the floor as (plane (4,), matrix from camera space to shadow-map pixels (4, 4)), or None.
    uv: how the mesh lies on UV textures; None if no material has one.
    """
    triangle, barycentric, _ = seen
    height, width = triangle.shape
    num_pixels, device = height * width, triangle.device
    colour = background.reshape(-1, 3).contiguous().clone()
    light = lighting
    rows = [light.sky, light.ground, light.up, light.key, light.key_colour, light.fill, light.fill_colour]
    lights = _to(np.stack(rows if light.around is None else rows + _rows_of(light.around)), device)
    softness, is_around = light.shadow_softness * SHADOW_SIZE / 320, float(light.around is not None)
    num_threads, run = shared_out(num_pixels, device)
    view = [wp.vec2(*map(float, camera.center_px)), width, run]
    shadow_map, flat = to_warp(shadow), to_warp(triangle.view(-1))
    out = to_warp(colour, dtype=wp.vec3)
    uv = uv or no_uv_mapping(str(device))
    at_vertices = ("normals", "cloth", "facing", "paint", "in_light")
    inputs = [
        flat,
        to_warp(barycentric.view(-1, 3), dtype=wp.vec3),
        to_warp(mesh["triangles"], dtype=wp.vec3i),
        *(to_warp(mesh[name], dtype=wp.vec3) for name in at_vertices),
        *(to_warp(mesh[name]) for name in ("material", "materials", "textures", "prints")),
        to_warp(uv.corner_uv.view(-1, 2), dtype=wp.vec2),
        to_warp(uv.store.texels),
        to_warp(uv.store.table),
        uv.num_closed,
        uv.num_body,
        shadow_map,
        to_warp(lights, dtype=wp.vec3),
        wp.vec4(softness, light.shadow_strength, camera.focal_px, is_around),
        *view,
    ]
    launch(_shade, num_threads, inputs, [out], device)
    if ground is not None:
        plane, matrix = ground
        strength = light.shadow_strength if light.floor_shadow is None else light.floor_shadow / FLOOR_SHADOW
        options = wp.vec4(softness, strength, camera.focal_px, 0.0)
        floor = [flat, wp.vec4(*map(float, plane)), wp.mat44(matrix.astype(np.float32)), shadow_map, options, *view]
        launch(_darken_ground, num_threads, floor, [out], device)
    return colour.view(height, width, 3)
