"""Triangles that are there only where their picture is opaque: strands of hair, eyebrows, lashes."""

import warp as wp

from opendensepose.synth.textures.store import sample_texture, uv_row

__all__ = ["draw_cut_out"]


@wp.func
def _noise(x: int, y: int, t: int):
    """A number in [0, 1) that depends on a pixel and a triangle."""
    h = wp.uint32(x) * wp.uint32(374761393) + wp.uint32(y) * wp.uint32(668265263) + wp.uint32(t) * wp.uint32(1442695041)
    h = (h ^ (h >> wp.uint32(13))) * wp.uint32(1274126177)
    return float((h ^ (h >> wp.uint32(16))) & wp.uint32(65535)) / 65536.0


@wp.kernel
def draw_cut_out(
    screen: wp.array(dtype=wp.vec3),
    triangles: wp.array(dtype=wp.vec3i),
    first_triangle: int,
    run: int,
    height: int,
    width: int,
    near: float,
    rows: wp.array(dtype=wp.int32),
    corner_uv: wp.array(dtype=wp.vec2),
    texels: wp.array(dtype=wp.uint8, ndim=2),
    texture_table: wp.array(dtype=wp.int32, ndim=2),
    num_closed: int,
    num_body: int,
    nearest: wp.array(dtype=wp.int64),
):
    """As rasterize()'s kernel for whole triangles, with a look at each pixel's alpha.

    rows: of the texture table, one for each of these triangles. Between a quarter and three quarters of opacity noise
    decides: soft edges become grains, which the sensor's blur melts.
    """
    first = wp.tid() * run
    for k in range(first, wp.min(first + run, rows.shape[0])):
        t = first_triangle + k
        tri = triangles[t]
        a = screen[tri[0]]
        b = screen[tri[1]]
        c = screen[tri[2]]
        if a[2] < near or b[2] < near or c[2] < near:
            continue
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if wp.abs(area) < 1.0e-12:
            continue
        x0 = wp.max(int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)), 0)
        x1 = wp.min(int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)), width - 1)
        y0 = wp.max(int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)), 0)
        y1 = wp.min(int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)), height - 1)
        if x0 > x1 or y0 > y1:
            continue
        r = 3 * uv_row(t, num_closed, num_body)
        inv = 1.0 / area
        for y in range(y0, y1 + 1):
            py = float(y) + 0.5
            for x in range(x0, x1 + 1):
                px = float(x) + 0.5
                wb = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) * inv
                wc = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) * inv
                wa = 1.0 - wb - wc
                if wa >= 0.0 and wb >= 0.0 and wc >= 0.0:
                    z = 1.0 / (wa / a[2] + wb / b[2] + wc / c[2])
                    uv = (
                        corner_uv[r] * (wa / a[2]) + corner_uv[r + 1] * (wb / b[2]) + corner_uv[r + 2] * (wc / c[2])
                    ) * z
                    alpha = sample_texture(texels, texture_table, rows[k], uv[0], uv[1])[3]
                    if alpha > 0.25 + 0.5 * _noise(x, y, t):
                        key = wp.int64(wp.cast(z, wp.int32)) * wp.int64(4294967296) + wp.int64(t)
                        wp.atomic_min(nearest, y * width + x, key)
