"""What no photo shows of a texture: small gaps closed, the rest from the body's other side, then what prevails around.

Letters: H, W texture; V vertices; E edges, each in both directions.
"""

import cv2
import numpy as np

from opendensepose.surface import load_charts, load_surface, mirror_iuv
from opendensepose.surface.atlas import AtlasLayout
from opendensepose.texture.surroundings import prevailing_colours
from opendensepose.texture.texture import Source, Texture, chart_texels, pad_charts

__all__ = ["fill_texture"]

GAP = 0.006  # of the texture's side: narrower holes are inpainted at once, their other side would not fit as well
BLEND = 0.004  # of the texture's side: along the border of what was seen, OpenCV blends into the filled colours
SMOOTHING_ROUNDS = 400


def fill_texture(colour: np.ndarray, seen: np.ndarray, layout: AtlasLayout) -> Texture:
    """Fill in the texels that were not seen.

    colour (H, W, 3) float32 0..255, valid where seen (H, W) bool. Narrow gaps are inpainted. Of what is left, texels
    whose mirror image on the body was seen take its colour, in the light of this side; the others take the colour that
    prevails around them on the surface, across the charts' borders, and join smoothly to what is known. ValueError if
    nothing was seen.
    """
    if not seen.any():
        raise ValueError("no texel was seen: there is nothing to fill the texture from.")
    texels = chart_texels(layout)
    inside = texels.face >= 0
    gaps = _narrow_gaps(seen, inside, layout)
    mirrored, there = _mirror_image(np.where(seen[..., None], colour, 0), seen, layout)
    from_mirror = inside & ~seen & ~gaps & there
    both = seen & there
    if both.any() and from_mirror.any():  # the other side stands in another light
        difference = _spread_colours(np.where(both[..., None], colour - mirrored, 0), both, layout)
        mirrored[from_mirror] += _interpolated(difference, layout, from_mirror)
    colour = np.where(from_mirror[..., None], np.clip(mirrored, 0, 255), colour)
    known = seen | from_mirror
    left = inside & ~known
    colour[left] = _interpolated(_spread_colours(colour, known, layout), layout, left)
    colour = np.clip(pad_charts(colour, inside) + 0.5, 0, 255).astype(np.uint8)
    radius = max(2, round(BLEND * layout.size_hw[1]))
    near = left & (cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5) <= radius)
    if near.any():
        colour = cv2.inpaint(colour, near.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    source = np.select([seen, from_mirror, inside], [Source.SEEN, Source.MIRRORED, Source.FILLED], Source.NONE)
    return Texture(pad_charts(colour, inside), source.astype(np.uint8), layout)


def _narrow_gaps(seen: np.ndarray, inside: np.ndarray, layout: AtlasLayout) -> np.ndarray:
    """Unseen texels (H, W) bool between seen ones that are closer together than GAP."""
    size = 2 * max(1, round(GAP * layout.size_hw[1] / 2)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(seen.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    return closed & ~seen & inside


def _mirror_image(colour: np.ndarray, seen: np.ndarray, layout: AtlasLayout) -> tuple[np.ndarray, np.ndarray]:
    """The texture (H, W, 3) of the mirrored body, and where it was seen (H, W) bool."""
    texels, charts = chart_texels(layout), load_charts()
    inside = texels.face >= 0
    face = texels.face[inside]
    uv = np.einsum("kcx,kc->kx", charts.face_uv[face], texels.barycentric[inside])
    xy = layout.xy(*mirror_iuv(charts.face_chart[face], uv[:, 0], uv[:, 1])) - 0.5
    grid = np.full((*inside.shape, 2), -2, np.float32)
    grid[inside] = xy
    picture = cv2.remap(colour, grid, None, cv2.INTER_LINEAR)
    share = cv2.remap(seen.astype(np.float32), grid, None, cv2.INTER_LINEAR)
    return picture, inside & (share > 0.999)


def _spread_colours(colour: np.ndarray, known: np.ndarray, layout: AtlasLayout) -> np.ndarray:
    """Colours (V, 3) of all vertices: means of the known texels around them; of the others what prevails around,
    smoothly joined to the known ones."""
    texels, surface = chart_texels(layout), load_surface()
    corner = surface.faces[texels.face[known]]
    share, num_vertices = texels.barycentric[known].astype(np.float64), len(surface.vertices)
    weight = np.bincount(corner.ravel(), share.ravel(), num_vertices)
    sums = [np.bincount(corner.ravel(), (share * colour[known][:, k : k + 1]).ravel(), num_vertices) for k in range(3)]
    values = np.stack(sums, 1) / np.maximum(weight, 1e-9)[:, None]
    fixed = weight > 1e-3
    start, end = _edges(surface.faces)
    values[~fixed] = prevailing_colours(values, np.where(fixed, weight, 0))[~fixed]
    degree = np.maximum(np.bincount(end, minlength=num_vertices), 1)[:, None]
    for _ in range(SMOOTHING_ROUNDS):
        values[~fixed] = (_sums(values, start, end) / degree)[~fixed]
    return values


def _edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The edges of triangles (F, 3), start and end (E,) vertex, each in both directions and once."""
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _sums(values: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """For each vertex the sum (V, 3) of its neighbours' values."""
    return np.stack([np.bincount(end, values[start, k], len(values)) for k in range(3)], 1)


def _interpolated(values: np.ndarray, layout: AtlasLayout, where: np.ndarray) -> np.ndarray:
    """Values (V, 3) of vertices at the texels where (H, W) bool."""
    texels = chart_texels(layout)
    corners = values[load_surface().faces[texels.face[where]]]
    return np.einsum("kcx,kc->kx", corners, texels.barycentric[where])
