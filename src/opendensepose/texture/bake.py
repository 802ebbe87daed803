"""Photos and their I, U, V -> the colours of the body's surface, several views merged.

The pixels of a person are a mesh over the photo; drawn at their places in the texture instead, its triangles carry the
photo's colours there. How much of the surface a triangle covers says how obliquely it was seen.

Letters: H, W photo or window; T triangles; S side of the texture.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from opendensepose.instance import Instance
from opendensepose.surface import load_charts, load_surface
from opendensepose.surface.atlas import AtlasLayout, map_layout
from opendensepose.surface.rasterize import triangle_fragments
from opendensepose.texture.fill import fill_texture
from opendensepose.texture.texture import Texture, chart_texels

__all__ = ["bake_texture"]

SHARPNESS = 4  # weight = quality to this power: the best view dominates, as a mean of views that do not align blurs
STEEPEST = 0.15  # cosine: what is seen more obliquely is left out, its colours are mixtures
JUMP = 8  # times the median: longer edges of triangles lead across folds, gaps and the cuts of charts
OUTLINE = 0.004  # of a person's size in pixels, at least one pixel: so near the outline, colours are the background's
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def bake_texture(photos: Iterable[tuple[np.ndarray, Sequence[Instance]]], layout: AtlasLayout | None = None) -> Texture:
    """Bake the colours of a person into a texture, `map_layout()` if no layout is given.

    photos: (image_rgb (H, W, 3) uint8, the instances in it that show this person), of photos or of a video's frames.
    Views are merged by the confidence of the labels, the cosine of the angle at which the surface is seen, and the
    resolution. Unseen texels: see `fill_texture`. ValueError if photos are no such pairs, an image and its people
    differ in size, or nobody is seen.
    """
    layout = layout or map_layout()
    total = np.zeros((*layout.size_hw, 4))
    for pair in photos:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError(f"photos must be pairs (image_rgb, people), got {type(pair).__name__}.")
        image_rgb, people = pair
        for person in people:
            if person.iuv.size_hw != image_rgb.shape[:2]:
                raise ValueError(
                    f"the person's map must have the photo's size {image_rgb.shape[:2]}, got {person.iuv.size_hw}."
                )
            _add_view(total, _cut_out(image_rgb, person), layout)
    weight = total[..., 3]
    seen = (weight > 0) & (chart_texels(layout).face >= 0)
    if not seen.any():
        raise ValueError("no photo shows a person: there is nothing to make a texture of.")
    colour = total[..., :3] / np.maximum(total[..., 3:], 1e-300)
    return fill_texture(colour.astype(np.float32), seen, layout)


class _View(NamedTuple):
    """A person cut out of a photo: colour (H, W, 3) float32; i, u, v, confidence (H, W); xyz (H, W, 3) at rest."""

    colour: np.ndarray
    i: np.ndarray
    u: np.ndarray
    v: np.ndarray
    confidence: np.ndarray
    xyz: np.ndarray


def _cut_out(image_rgb: np.ndarray, person: Instance) -> _View:
    """The person's window of the photo, without the pixels at the outline; the photo's edge is no outline."""
    x, y, width, height = cv2.boundingRect((person.iuv.i > 0).astype(np.uint8))
    window = np.s_[y : y + height, x : x + width]
    around = np.pad(person.iuv.i > 0, 1, mode="edge")[y : y + height + 2, x : x + width + 2]
    depth = cv2.distanceTransform(around.astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    i = np.where(depth > max(1.0, OUTLINE * max(width, height)), person.iuv.i[window], 0)
    u, v = person.iuv.u[window], person.iuv.v[window]
    xyz = np.zeros((*i.shape, 3), np.float32)
    there = i > 0
    surface = load_surface()
    xyz[there] = load_charts().to_points(i[there], u[there], v[there]).xyz(surface.vertices, surface.faces)
    return _View(image_rgb[window].astype(np.float32), i, u, v, person.confidence[window], xyz)


def _add_view(total: np.ndarray, view: _View, layout: AtlasLayout) -> None:
    """Add a view's weighted colours and weights to total (S, S, 4), in place."""
    meshes = {int(chart): _chart_mesh(view, int(chart), layout) for chart in np.unique(view.i[view.i > 0])}
    meshes = {chart: mesh for chart, mesh in meshes.items() if len(mesh.corner)}
    if not meshes:
        return
    area = np.concatenate([mesh.area for mesh in meshes.values()])
    facing = max(float(np.quantile(area, 0.25)), 1e-12)  # of a round body, a quarter is seen at 15 degrees at most
    texels_per_pixel = np.sqrt(np.median(np.concatenate([mesh.texels for mesh in meshes.values()])))
    colour = view.colour
    if texels_per_pixel < 1:  # a texel is a mean of the photo's pixels, not one of them
        colour = cv2.GaussianBlur(colour, (0, 0), max(0.5 * np.sqrt(1 / texels_per_pixel**2 - 1), 1e-3))
    flat_colour, flat_confidence = colour.reshape(-1, 3), view.confidence.reshape(-1)
    for chart, mesh in meshes.items():
        cosine = np.minimum(facing / np.maximum(mesh.area, 1e-12), 1)
        sharp = cosine > STEEPEST
        corner, pixel = mesh.corner[sharp], mesh.pixel[sharp]
        quality = flat_confidence[pixel].mean(1) * cosine[sharp] / (1000 * np.sqrt(facing))
        rows, columns = layout.window(chart)
        size_hw = rows.stop - rows.start, columns.stop - columns.start
        found = triangle_fragments(corner - (columns.start, rows.start), size_hw)
        weight = np.maximum(quality, 1e-9)[found.triangle] ** SHARPNESS
        values = np.einsum("kc,kcx->kx", found.barycentric, flat_colour[pixel][found.triangle])
        index = found.y * size_hw[1] + found.x
        for channel, value in enumerate((*values.T, np.ones(len(weight)))):
            added = np.bincount(index, weight * value, size_hw[0] * size_hw[1])
            total[rows, columns, channel] += added.reshape(size_hw)


class _ChartMesh(NamedTuple):
    """The pixels of one chart as triangles: corner (T, 3, 2) in the texture, pixel (T, 3) index into the window, area
    (T,) on the body at rest, square metres, texels (T,) that a triangle and its like, a pixel, cover."""

    corner: np.ndarray
    pixel: np.ndarray
    area: np.ndarray
    texels: np.ndarray


def _chart_mesh(view: _View, chart: int, layout: AtlasLayout) -> _ChartMesh:
    """Join neighbouring pixels of a chart, and the next beyond its border; not across folds and cuts."""
    x, y, width, height = cv2.boundingRect((view.i == chart).astype(np.uint8))
    window = np.s_[max(0, y - 3) : y + height + 3, max(0, x - 3) : x + width + 3]  # with the neighbours' neighbours
    in_view = np.arange(view.i.size).reshape(view.i.shape)[window].ravel()
    view = _View(*(field[window] for field in view))
    there, u, v = _beyond_border(view, chart)
    xy = layout.xy(np.full(there.shape, chart), u, v)
    index = np.arange(there.size).reshape(there.shape)
    a, b, c, d = (slice(None, -1), slice(None, -1)), (slice(None, -1), slice(1, None)), \
                 (slice(1, None), slice(None, -1)), (slice(1, None), slice(1, None))  # fmt: skip
    ta, tb, tc, td = (there[one] for one in (a, b, c, d))
    kinds = ((ta & tb & tc, (a, b, c)), (tb & tc & td, (d, c, b)), (ta & tb & td & ~tc, (a, b, d)),
             (ta & tc & td & ~tb, (a, c, d)))  # fmt: skip
    pixel = np.concatenate([np.stack([index[corner][mask] for corner in corners], 1) for mask, corners in kinds])
    corner, place = xy.reshape(-1, 2)[pixel], view.xyz.reshape(-1, 3)[pixel]
    long_xy, long_m = (np.linalg.norm(one - np.roll(one, 1, 1), axis=2).max(1) for one in (corner, place))
    if len(pixel):
        whole = (long_xy < JUMP * np.median(long_xy)) & (long_m < JUMP * np.median(long_m))
        pixel, corner, place = pixel[whole], corner[whole], place[whole]
    area = 0.5 * np.linalg.norm(np.cross(place[:, 1] - place[:, 0], place[:, 2] - place[:, 0]), axis=1)
    first, second = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    texels = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    return _ChartMesh(corner, in_view[pixel], area, texels)


def _beyond_border(view: _View, chart: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The chart's pixels and the next ones in neighbouring charts, (H, W) bool, with U and V of this chart, extended.

    Without them, a strip of up to a pixel along each border would stay unseen.
    """
    mine = view.i == chart
    there, u, v = mine.copy(), view.u.astype(np.float64), view.v.astype(np.float64)
    step_m = np.linalg.norm(np.diff(view.xyz, axis=1), axis=2)[mine[:, 1:] & mine[:, :-1]]
    reach = JUMP * float(np.median(step_m)) if len(step_m) else 0.0
    count, sum_u, sum_v = np.zeros(mine.shape), np.zeros(mine.shape), np.zeros(mine.shape)
    for row, column in NEIGHBOURS:
        (one, xyz), (two, _) = (
            (_shifted(mine, row * k, column * k), _shifted(view.xyz, row * k, column * k)) for k in (1, 2)
        )
        ok = one & two & (view.i > 0) & ~mine & (np.linalg.norm(view.xyz - xyz, axis=2) < reach)
        for total, field in ((sum_u, view.u), (sum_v, view.v)):
            near, far = (_shifted(field, row * k, column * k)[ok].astype(np.float64) for k in (1, 2))
            total[ok] += 2 * near - far
        count += ok
    ring = count > 0
    u[ring], v[ring] = sum_u[ring] / count[ring], sum_v[ring] / count[ring]
    return there | ring, u, v


def _shifted(field: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The field (H, W, ...) in which each pixel has the value of the one `rows` below and `columns` to the right; 0
    where that lies outside."""
    out = np.zeros_like(field)
    height, width = field.shape[:2]
    to = np.s_[max(0, -rows) : height - max(0, rows), max(0, -columns) : width - max(0, columns)]
    out[to] = field[max(0, rows) : height - max(0, -rows), max(0, columns) : width - max(0, -columns)]
    return out
