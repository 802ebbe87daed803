"""Triangles to pixels: a z-buffer rasteriser in Warp, the same code on CPU and CUDA.

On one CPU core it draws a person (27,420 triangles) at 256x192 in about a sixth of the time that building a BVH and
casting a ray per pixel takes (benchmarks/render_speed.py), since most triangles cover a few pixels.

Letters: V vertices, T triangles, H, W image size.

Closed meshes are drawn without the triangles that face away: they lie behind others anyway. Those of the first
`num_closed` triangles are meant; the vertices of a triangle run counter-clockwise seen from outside.
"""

import functools
import os
import sys

import numpy as np
import torch
import warp as wp

from opendensepose.camera import Camera
from opendensepose.synth.drawing.cut_out import draw_cut_out
from opendensepose.synth.textures.store import UvMapping

__all__ = [
    "EMPTY",
    "depth_map",
    "displace",
    "launch",
    "project",
    "rasterize",
    "shared_out",
    "start_warp",
    "to_warp",
    "transform",
    "vertex_normals",
]

wp.config.log_level = wp.LOG_ERROR  # kernels are compiled at their first use; saying so disturbs progress bars
EMPTY = np.int64(0x7FFFFFFFFFFFFFFF)  # a pixel that no triangle covers
NEAR_M = 0.05


@wp.kernel
def _draw(
    screen: wp.array(dtype=wp.vec3),  # x, y in pixels, z metres
    triangles: wp.array(dtype=wp.vec3i),
    num_closed: int,
    run: int,  # triangles a thread draws
    height: int,
    width: int,
    near: float,
    first_left_out: int,
    stop_left_out: int,
    nearest: wp.array(dtype=wp.int64),
):
    first = wp.tid() * run
    for t in range(first, wp.min(first + run, triangles.shape[0])):
        if t >= first_left_out and t < stop_left_out:
            continue
        tri = triangles[t]
        a = screen[tri[0]]
        b = screen[tri[1]]
        c = screen[tri[2]]
        if a[2] < near or b[2] < near or c[2] < near:
            continue
        # y points down: an area below 0 faces the camera.
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if wp.abs(area) < 1.0e-12 or (area > 0.0 and t < num_closed):
            continue
        x0 = wp.max(int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)), 0)
        x1 = wp.min(int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)), width - 1)
        y0 = wp.max(int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)), 0)
        y1 = wp.min(int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)), height - 1)
        if x0 > x1 or y0 > y1:  # between the pixels' centres
            continue
        inv = 1.0 / area
        iza = 1.0 / a[2]
        izb = 1.0 / b[2]
        izc = 1.0 / c[2]
        for y in range(y0, y1 + 1):
            py = float(y) + 0.5
            for x in range(x0, x1 + 1):
                px = float(x) + 0.5
                wb = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) * inv
                wc = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) * inv
                wa = 1.0 - wb - wc
                if wa >= 0.0 and wb >= 0.0 and wc >= 0.0:
                    z = 1.0 / (wa * iza + wb * izb + wc * izc)
                    # A positive float's bits order as an integer: depth above, triangle below, one atomic decides both.
                    key = wp.int64(wp.cast(z, wp.int32)) * wp.int64(4294967296) + wp.int64(t)
                    wp.atomic_min(nearest, y * width + x, key)


@wp.kernel
def _resolve(
    screen: wp.array(dtype=wp.vec3),
    triangles: wp.array(dtype=wp.vec3i),
    width: int,
    empty: wp.int64,
    nearest: wp.array(dtype=wp.int64),
    triangle: wp.array(dtype=wp.int32),
    barycentric: wp.array(dtype=wp.vec3),
    depth: wp.array(dtype=wp.float32),
):
    p = wp.tid()
    key = nearest[p]
    if key == empty:
        triangle[p] = -1
        depth[p] = wp.inf
        return
    t = int(key % wp.int64(4294967296))
    triangle[p] = t
    tri = triangles[t]
    a = screen[tri[0]]
    b = screen[tri[1]]
    c = screen[tri[2]]
    px = float(p % width) + 0.5
    py = float(p / width) + 0.5
    inv = 1.0 / ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
    wb = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) * inv
    wc = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) * inv
    # Perspective-correct: screen weights divided by depth, then normalised.
    qa = (1.0 - wb - wc) / a[2]
    qb = wb / b[2]
    qc = wc / c[2]
    z = 1.0 / (qa + qb + qc)
    depth[p] = z
    barycentric[p] = wp.vec3(qa * z, qb * z, qc * z)


@wp.kernel
def _draw_depth(
    points: wp.array(dtype=wp.vec3),  # x, y in pixels, depth linear in them
    triangles: wp.array(dtype=wp.vec3i),
    num_closed: int,
    run: int,  # triangles a thread draws
    height: int,
    width: int,
    depth: wp.array(dtype=wp.float32),
):
    first = wp.tid() * run
    for t in range(first, wp.min(first + run, triangles.shape[0])):
        tri = triangles[t]
        a = points[tri[0]]
        b = points[tri[1]]
        c = points[tri[2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if wp.abs(area) < 1.0e-12 or (area > 0.0 and t < num_closed):
            continue
        x0 = wp.max(int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)), 0)
        x1 = wp.min(int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)), width - 1)
        y0 = wp.max(int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)), 0)
        y1 = wp.min(int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)), height - 1)
        if x0 > x1 or y0 > y1:  # between the pixels' centres
            continue
        inv = 1.0 / area
        for y in range(y0, y1 + 1):
            py = float(y) + 0.5
            for x in range(x0, x1 + 1):
                px = float(x) + 0.5
                wb = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) * inv
                wc = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) * inv
                wa = 1.0 - wb - wc
                if wa >= 0.0 and wb >= 0.0 and wc >= 0.0:
                    wp.atomic_min(depth, y * width + x, wa * a[2] + wb * b[2] + wc * c[2])


@wp.kernel
def _transform(points: wp.array(dtype=wp.vec3), matrix: wp.mat33, shift: wp.vec3, out: wp.array(dtype=wp.vec3)):
    k = wp.tid()
    out[k] = wp.mul(matrix, points[k]) + shift


@wp.kernel
def _project(
    points: wp.array(dtype=wp.vec3),
    rotation: wp.mat33,
    shift: wp.vec3,
    focal_px: float,
    center: wp.vec2,
    in_camera: wp.array(dtype=wp.vec3),
    screen: wp.array(dtype=wp.vec3),
):
    k = wp.tid()
    p = wp.mul(rotation, points[k]) + shift
    scale = focal_px / wp.max(p[2], 1.0e-4)
    in_camera[k] = p
    screen[k] = wp.vec3(p[0] * scale + center[0], p[1] * scale + center[1], p[2])


@wp.kernel
def _accumulate_normals(
    vertices: wp.array(dtype=wp.vec3),
    triangles: wp.array(dtype=wp.vec3i),
    normals: wp.array(dtype=wp.vec3),
):
    tri = triangles[wp.tid()]
    a = vertices[tri[0]]
    n = wp.cross(vertices[tri[1]] - a, vertices[tri[2]] - a)  # length = twice the area: the usual weight
    wp.atomic_add(normals, tri[0], n)
    wp.atomic_add(normals, tri[1], n)
    wp.atomic_add(normals, tri[2], n)


@wp.kernel
def _normalize(normals: wp.array(dtype=wp.vec3)):
    k = wp.tid()
    normals[k] = wp.normalize(normals[k])


@wp.kernel
def _displace(
    vertices: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),  # of any length
    distance: wp.array(dtype=wp.float32),
    out: wp.array(dtype=wp.vec3),
):
    k = wp.tid()
    out[k] = vertices[k] + distance[k] * wp.normalize(normals[k])


@functools.cache
def start_warp() -> None:
    """Initialise Warp, silently: without a GPU its native code writes to stderr that there is none."""
    if torch.cuda.is_available():
        return wp.init()
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        wp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def to_warp(tensor: torch.Tensor, dtype=None):
    """A contiguous torch tensor as Warp's launches take it, on the same memory: the caller keeps the tensor alive until
    the launch. ValueError if it is not contiguous, since a copy would live too short."""
    start_warp()
    if not tensor.is_contiguous():
        raise ValueError(f"Warp needs a contiguous tensor, got strides {tensor.stride()} of {tuple(tensor.shape)}.")
    return wp.from_torch(tensor, dtype=dtype, return_ctype=True)  # a bare descriptor: an array object costs thrice


def launch(kernel, num_threads: int, inputs: list, outputs: list, device: torch.device) -> None:
    """Run a Warp kernel on torch's own stream, so that neither side reads what the other has not written yet."""
    stream = wp.stream_from_torch(torch.cuda.current_stream(device)) if device.type == "cuda" else None
    on = wp.device_from_torch(device)
    wp.launch(kernel, dim=num_threads, inputs=inputs, outputs=outputs, device=on, stream=stream)


def shared_out(count: int, device: torch.device) -> tuple[int, int]:
    """How many threads a kernel gets for `count` items, and how many items each of them takes, in their order: on a CPU
    a thread costs as much as ten array arguments are loaded, and they run one after another."""
    run = 128 if device.type == "cpu" else 1
    return -(-count // run), run


def transform(points: torch.Tensor, matrix: np.ndarray, shift: np.ndarray) -> torch.Tensor:
    """matrix (3, 3) times every point plus shift (3,): points (V, 3) float32 -> the same shape, a new tensor."""
    out = torch.empty_like(points)
    inputs = [to_warp(points, dtype=wp.vec3), wp.mat33(matrix.astype(np.float32)), wp.vec3(*map(float, shift))]
    launch(_transform, len(points), inputs, [to_warp(out, dtype=wp.vec3)], points.device)
    return out


def project(points: torch.Tensor, camera: Camera) -> tuple[torch.Tensor, torch.Tensor]:
    """World points (V, 3) float32 -> in camera space, metres, and on the screen as (pixel x, pixel y, depth); each
    (V, 3). What lies behind the camera has a depth below 0 and no sensible pixel."""
    in_camera, screen = torch.empty_like(points), torch.empty_like(points)
    pose = [wp.mat33(np.asarray(camera.rotation, np.float32)), wp.vec3(*map(float, camera.translation))]
    lens = [float(camera.focal_px), wp.vec2(*map(float, camera.center_px))]
    outputs = [to_warp(in_camera, dtype=wp.vec3), to_warp(screen, dtype=wp.vec3)]
    launch(_project, len(points), [to_warp(points, dtype=wp.vec3), *pose, *lens], outputs, points.device)
    return in_camera, screen


def rasterize(
    screen: torch.Tensor,
    triangles: torch.Tensor,
    size_hw: tuple[int, int],
    num_closed: int = 0,
    uv: UvMapping | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The triangle seen at every pixel centre.

    screen: (V, 3) float32, pixel x, pixel y, depth in metres. triangles: (T, 3) int32, the first num_closed of them of
    closed meshes. uv: says which triangles are there only where their picture is opaque.

    Returns triangle (H, W) int32 (-1 where there is none), perspective-correct barycentric (H, W, 3) float32 and depth
    (H, W) float32 metres (inf where there is none). Triangles nearer than 5 cm are not drawn.
    """
    height, width = size_hw
    device = screen.device
    points = to_warp(screen, dtype=wp.vec3)
    tris = to_warp(triangles, dtype=wp.vec3i)
    nearest = torch.full((height * width,), int(EMPTY), dtype=torch.int64, device=device)
    triangle = torch.empty(height * width, dtype=torch.int32, device=device)
    barycentric = torch.zeros(height * width, 3, device=device)
    depth = torch.empty(height * width, device=device)
    keys = to_warp(nearest)
    start, count = (0, 0) if uv is None else (uv.first_cut_out, len(uv.cut_out_rows))
    num_threads, run = shared_out(len(triangles), device)
    inputs = [points, tris, num_closed, run, height, width, NEAR_M, start, start + count]
    launch(_draw, num_threads, inputs, [keys], device)
    if count:
        num_threads, run = shared_out(count, device)
        pictures = [to_warp(uv.cut_out_rows), to_warp(uv.corner_uv.view(-1, 2), dtype=wp.vec2)]
        pictures += [to_warp(uv.store.texels), to_warp(uv.store.table), uv.num_closed, uv.num_body]
        inputs = [points, tris, start, run, height, width, NEAR_M, *pictures]
        launch(draw_cut_out, num_threads, inputs, [keys], device)
    outputs = [to_warp(triangle), to_warp(barycentric, dtype=wp.vec3), to_warp(depth)]
    launch(_resolve, height * width, [points, tris, width, wp.int64(EMPTY), keys], outputs, device)
    shape = (height, width)
    return triangle.view(shape), barycentric.view(*shape, 3), depth.view(shape)


def depth_map(
    points: torch.Tensor, triangles: torch.Tensor, size_hw: tuple[int, int], num_closed: int = 0
) -> torch.Tensor:
    """(H, W) float32: least depth at every pixel centre in a parallel projection, inf where there is nothing.

    points: (V, 3) float32, pixel x, pixel y, depth of any unit and sign. triangles, num_closed: as in rasterize().
    """
    depth = torch.full(tuple(size_hw), torch.inf, device=points.device)
    num_threads, run = shared_out(len(triangles), points.device)
    inputs = [to_warp(points, dtype=wp.vec3), to_warp(triangles, dtype=wp.vec3i), num_closed, run, *size_hw]
    launch(_draw_depth, num_threads, inputs, [to_warp(depth.view(-1))], points.device)
    return depth


def _weighted_normals(vertices: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    normals = torch.zeros_like(vertices)
    inputs = [to_warp(vertices, dtype=wp.vec3), to_warp(triangles, dtype=wp.vec3i)]
    launch(_accumulate_normals, len(triangles), inputs, [to_warp(normals, dtype=wp.vec3)], vertices.device)
    return normals


def vertex_normals(vertices: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    """Area-weighted unit normals (V, 3) of vertices (V, 3) float32; triangles (T, 3) int32."""
    normals = _weighted_normals(vertices, triangles)
    launch(_normalize, len(normals), [], [to_warp(normals, dtype=wp.vec3)], vertices.device)
    return normals


def displace(vertices: torch.Tensor, triangles: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
    """Vertices (V, 3) moved along their area-weighted unit normals by distance (V,) float32 metres."""
    normals, out = _weighted_normals(vertices, triangles), torch.empty_like(vertices)
    inputs = [to_warp(vertices, dtype=wp.vec3), to_warp(normals, dtype=wp.vec3), to_warp(distance)]
    launch(_displace, len(vertices), inputs, [to_warp(out, dtype=wp.vec3)], vertices.device)
    return out
