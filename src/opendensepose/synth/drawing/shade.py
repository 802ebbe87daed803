"""Colour of every pixel: materials, textures, prints, lights and cast shadows, one Warp kernel for CPU and CUDA.

Light: a hemisphere of sky and ground or the harmonics of a panorama, a key light with a shadow map, a fill light;
Lambert and Blinn-Phong terms. Light is added in squared colours: gamma 2, which needs no power functions, approximates
sRGB's curve.

Letters: H, W image; N vertices; S side of the shadow map.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import warp as wp

from opendensepose.camera import Camera
from opendensepose.synth.drawing.launch import launch, threads_for, to_warp
from opendensepose.synth.drawing.mesh import Mesh
from opendensepose.synth.drawing.rasterize import Fragments
from opendensepose.synth.drawing.spherical_harmonics import Irradiance
from opendensepose.synth.textures.atlas import LUMA, UvMapping, no_uv_mapping, sample_texture, uv_row
from opendensepose.synth.textures.material_table import MaterialRow
from opendensepose.synth.warp_arrays import Bytes2, Bytes4, Floats2, Ints, Ints2, Vec2s, Vec3is, Vec3s

__all__ = ["Floor", "Lighting", "SHADOW_SIZE", "ShadowMap", "shade"]

MaterialRows: Any = wp.array(dtype=MaterialRow)  # see warp_arrays
LUMINANCE_POWER = 0.7  # below 1: the folds of a recoloured texture are softened, since they hold its own light already
SHADOW_SIZE = 240
FLOOR_SHADOW = wp.constant(0.6)  # the floor's shadow, as a share of the strength: the floor receives other light too


@dataclass(frozen=True)
class Lighting:
    """Lights of a picture: unit vectors (3,) in camera space towards each light, and colours (3,) in linear RGB."""

    sky: np.ndarray
    ground: np.ndarray
    up: np.ndarray  # towards the sky
    key: np.ndarray
    key_colour: np.ndarray
    fill: np.ndarray
    fill_colour: np.ndarray
    shadow_softness: float  # radius of the penumbra in 1/320 of the shadow map
    shadow_strength: float
    around: Irradiance | None = None  # in camera space; if given, replaces sky and ground
    floor_shadow: float | None = None  # share of light that the floor loses in shadow; None: from shadow_strength


class ShadowMap(NamedTuple):
    """The scene as the key light sees it."""

    depth: torch.Tensor  # (S, S) float32 least depths, inf where nothing is
    vertices: torch.Tensor  # (N, 3) float32: the mesh in the map's pixels (x, y) and depth


class Floor(NamedTuple):
    """The floor that receives shadows."""

    plane: np.ndarray  # (4,) in camera space: plane[:3] @ point + plane[3] = 0
    to_shadow_map: np.ndarray  # (4, 4) from camera space to the shadow map's pixels and depth


@wp.func
def _texel(textures: Bytes4, k: int, u: float, v: float) -> wp.vec4:
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
def _reordered(c: wp.vec4, order: int) -> wp.vec3:
    """The first three channels in one of the six orders of CHANNEL_ORDERS."""
    first = order / 2
    second = wp.where(order % 2 == 0, wp.where(first == 0, 1, 0), wp.where(first == 2, 1, 2))
    return wp.vec3(c[first], c[second], c[3 - first - second])


@wp.func
def _albedo(
    material: MaterialRow,
    textures: Bytes4,
    prints: Bytes4,
    u: float,  # texture coordinate across, metres
    v: float,  # along
    q: wp.vec3,  # point on the cloth
    f: wp.vec3,  # normal of the body at rest
    painted: wp.vec3,
) -> wp.vec3:
    """Colour of a material (sRGB): base colour times texture times skin paint, under a print on the chest."""
    albedo = material.colour
    tu = (wp.cos(material.angle) * u - wp.sin(material.angle) * v) * material.scale
    tv = (wp.sin(material.angle) * u + wp.cos(material.angle) * v) * material.scale
    if material.texture >= 0:
        texel = _texel(
            textures,
            material.texture,
            tu * material.sign[0] + material.shift[0],
            tv * material.sign[1] + material.shift[1],
        )
        albedo = wp.cw_mul(albedo, _reordered(texel, material.channel_order))
    if material.is_skin == 1:
        albedo = wp.cw_mul(albedo, painted)
    if material.decal >= 0 and f[1] < -0.15:
        du = (q[0] - material.decal_center[0]) / material.decal_half[0]
        dv = (q[2] - material.decal_center[1]) / material.decal_half[1]
        if wp.abs(du) < 0.99 and wp.abs(dv) < 0.99:
            ink = _texel(prints, material.decal, 0.5 + 0.5 * du, 0.5 - 0.5 * dv)
            albedo = albedo * (1.0 - ink[3]) + wp.vec3(ink[0], ink[1], ink[2]) * ink[3]
    return albedo


@wp.func
def _textured(albedo: wp.vec3, texel: wp.vec4, mean_luminance: float) -> wp.vec3:
    """albedo times a texture's colour, or times its folds alone: its luminance over the mean one."""
    if mean_luminance <= 0.0:
        return wp.cw_mul(albedo, wp.vec3(texel[0], texel[1], texel[2]))
    luminance = wp.static(LUMA[0]) * texel[0] + wp.static(LUMA[1]) * texel[1] + wp.static(LUMA[2]) * texel[2]
    return albedo * wp.pow(luminance / mean_luminance, wp.static(LUMINANCE_POWER))


@wp.func
def _lit(shadow_map: Floats2, p: wp.vec3, bias: float, softness: float) -> float:
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
def _light_around(lights: Vec3s, n: wp.vec3) -> wp.vec3:
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
    lights: Vec3s,
    around: float,
) -> wp.vec3:
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
    triangle: Ints,
    barycentric: Vec3s,
    triangles: Vec3is,
    normals: Vec3s,  # camera space
    cloth: Vec3s,  # texture coordinates, metres on the body at rest
    facing: Vec3s,  # normals of the body at rest
    paint: Vec3s,
    in_light: Vec3s,  # vertices in shadow-map pixels and depth
    triangle_material: Ints,
    materials: MaterialRows,
    textures: Bytes4,
    prints: Bytes4,
    corner_uv: Vec2s,
    texels: Bytes2,
    texture_table: Ints2,
    num_closed: int,
    num_body: int,
    shadow_map: Floats2,
    lights: Vec3s,  # sky, ground, up, key, key colour, fill, fill colour; of _light_around
    options: wp.vec4,  # shadow softness, strength, focal length, 1 if lit by _light_around
    center: wp.vec2,
    width: int,
    run: int,  # pixels a thread colours
    colour: Vec3s,
) -> None:
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
        material = materials[m]
        v = q[2]
        texel = wp.vec4(1.0, 1.0, 1.0, 1.0)
        if material.uv_row >= 0:
            r = 3 * uv_row(t, num_closed, num_body)
            uv = corner_uv[r] * b[0] + corner_uv[r + 1] * b[1] + corner_uv[r + 2] * b[2]
            texel = sample_texture(texels, texture_table, material.uv_row, uv[0], uv[1])
            u = uv[0] * material.side_m
            v = uv[1] * material.side_m
        albedo = _albedo(material, textures, prints, u, v, q, f, painted)
        if material.uv_row >= 0:
            albedo = _textured(albedo, texel, material.mean_luminance)
        if material.fold > 0.0:  # texture 0 holds smooth noise: cloth folds too fine for the mesh
            bump = _texel(textures, 0, u * 2.1 + float(m) * 0.37, v * 1.6 + float(m) * 0.61)
            n = wp.normalize(n) + material.fold * wp.vec3(bump[0] - 0.5, bump[1] - 0.5, 0.5 * (bump[2] - 0.5))
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
        colour[p] = _reflected(albedo, material.specular, n, view, shadow, lights, options[3])


@wp.kernel
def _darken_ground(
    triangle: Ints,
    plane: wp.vec4,  # camera space: plane.xyz . p + plane.w = 0
    to_light: wp.mat44,
    shadow_map: Floats2,
    options: wp.vec4,
    center: wp.vec2,
    width: int,
    run: int,  # pixels a thread colours
    colour: Vec3s,
) -> None:
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
    seen: Fragments,
    mesh: Mesh,
    normals: torch.Tensor,
    shadow: ShadowMap,
    lighting: Lighting,
    camera: Camera,
    background: torch.Tensor,
    floor: Floor | None = None,
    uv: UvMapping | None = None,
) -> torch.Tensor:
    """Shade a picture (H, W, 3) sRGB float32, not clipped above 1.

    seen: rasterize()'s result for the mesh. normals: (N, 3) of its vertices in camera space. background: (H, W, 3),
    seen where there is no triangle. floor: None for no shadow on the floor. uv: the mesh's texture coordinates; None
    if no material has a UV texture.
    """
    triangle = seen.triangle
    height, width = triangle.shape
    num_pixels, device = height * width, triangle.device
    colour = background.reshape(-1, 3).contiguous().clone()
    light = lighting
    rows = [light.sky, light.ground, light.up, light.key, light.key_colour, light.fill, light.fill_colour]
    lights = _to(np.stack(rows if light.around is None else rows + _rows_of(light.around)), device)
    softness, is_around = light.shadow_softness * SHADOW_SIZE / 320, float(light.around is not None)
    num_threads, run = threads_for(num_pixels, device)
    view = [wp.vec2(*map(float, camera.center_px)), width, run]
    shadow_map, flat = to_warp(shadow.depth), to_warp(triangle.view(-1))
    out = to_warp(colour, dtype=wp.vec3)
    uv = uv or no_uv_mapping(str(device))
    at_vertices = (normals, mesh.cloth, mesh.facing, mesh.paint, shadow.vertices)
    inputs = [
        flat,
        to_warp(seen.barycentric.view(-1, 3), dtype=wp.vec3),
        to_warp(mesh.triangles, dtype=wp.vec3i),
        *(to_warp(values, dtype=wp.vec3) for values in at_vertices),
        to_warp(mesh.material),
        wp.array(mesh.table.rows, dtype=MaterialRow, device=wp.device_from_torch(device)),
        to_warp(mesh.table.textures),
        to_warp(mesh.table.prints),
        to_warp(uv.corner_uv.view(-1, 2), dtype=wp.vec2),
        to_warp(uv.atlas.texels),
        to_warp(uv.atlas.table),
        uv.num_closed,
        uv.num_body,
        shadow_map,
        to_warp(lights, dtype=wp.vec3),
        wp.vec4(softness, light.shadow_strength, camera.focal_px, is_around),
        *view,
    ]
    launch(_shade, num_threads, inputs, [out], device)
    if floor is not None:
        strength = light.shadow_strength if light.floor_shadow is None else light.floor_shadow / FLOOR_SHADOW
        options = wp.vec4(softness, strength, camera.focal_px, 0.0)
        plane, to_light = wp.vec4(*map(float, floor.plane)), wp.mat44(floor.to_shadow_map.astype(np.float32))
        launch(_darken_ground, num_threads, [flat, plane, to_light, shadow_map, options, *view], [out], device)
    return colour.view(height, width, 3)
