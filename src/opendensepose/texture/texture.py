"""A texture of the body, the tables of its texels, and its files.

Letters: H, W texture; K texels inside the charts.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from opendensepose.surface import NUM_CHARTS, load_charts, load_surface
from opendensepose.surface.atlas import AtlasLayout, layout_of_size
from opendensepose.surface.rasterize import rasterize

__all__ = ["ChartTexels", "Source", "Texture", "chart_texels", "pad_charts", "resample_texture", "texture_png"]


class Source(IntEnum):
    """Where a texel's colour comes from; as a picture, the more certain the brighter."""

    NONE = 0  # no chart is here
    FILLED = 85  # nothing near is known: the colours around it continued
    MIRRORED = 170  # seen at the body's other side
    SEEN = 255  # seen in a photo


@dataclass(frozen=True)
class Texture:
    """colour (H, W, 3) uint8 RGB in a layout of the charts; source (H, W) uint8, a `Source` each, NONE beside the
    charts. Beside the charts the colours of their borders continue. ValueError if sizes or types differ."""

    colour: np.ndarray
    source: np.ndarray
    layout: AtlasLayout

    def __post_init__(self) -> None:
        height, width = self.layout.size_hw
        if self.colour.shape != (height, width, 3) or self.colour.dtype != np.uint8:
            raise ValueError(
                f"colour must be uint8 of shape ({height}, {width}, 3), got {self.colour.dtype} of shape"
                f" {self.colour.shape}."
            )
        if self.source.shape != (height, width) or self.source.dtype != np.uint8:
            raise ValueError(
                f"source must be uint8 of shape ({height}, {width}), got {self.source.dtype} of shape"
                f" {self.source.shape}."
            )

    @classmethod
    def from_picture(cls, colour: np.ndarray) -> "Texture":
        """Take a picture (H, W, 3) uint8 RGB as a texture that was seen everywhere, of the layout that its size names.

        ValueError for a size that no layout has.
        """
        layout = layout_of_size(colour.shape[:2])
        inside = chart_texels(layout).face >= 0
        source = np.where(inside, Source.SEEN, Source.NONE).astype(np.uint8)
        return cls(pad_charts(colour, inside), source, layout)


class ChartTexels(NamedTuple):
    """The surface point at each texel's centre: face (H, W) int32, -1 beside the charts, barycentric (H, W, 3)."""

    face: np.ndarray
    barycentric: np.ndarray


def chart_texels(layout: AtlasLayout) -> ChartTexels:
    """Find the surface points of a layout's texels; kept for the layouts used last (about two seconds for a map)."""
    return _chart_texels(layout.size_hw, layout.rect.tobytes())


@lru_cache(maxsize=2)
def _chart_texels(size_hw: tuple[int, int], rect: bytes) -> ChartTexels:
    layout = AtlasLayout(size_hw, np.frombuffer(rect).reshape(-1, 4).copy())
    charts = load_charts()
    xy = layout.xy(charts.face_chart[:, None], charts.face_uv[:, :, 0], charts.face_uv[:, :, 1])
    corner = np.concatenate([xy, np.zeros((*xy.shape[:2], 1))], 2)
    face, barycentric = rasterize(corner, size_hw)
    face.flags.writeable = barycentric.flags.writeable = False
    return ChartTexels(face, barycentric)


def texel_xyz(texels: ChartTexels, where: np.ndarray) -> np.ndarray:
    """The places (K, 3) at rest, metres, of the texels where (H, W) bool."""
    surface = load_surface()
    corners = surface.vertices[surface.faces[texels.face[where]]]
    return np.einsum("kcx,kc->kx", corners, texels.barycentric[where])


def pad_charts(colour: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Continue the colours (H, W, 3) of the texels inside (H, W) bool to all others: each takes the nearest one's."""
    _, label = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(label.max() + 1, np.int64)
    of_label[label[inside]] = np.flatnonzero(inside)
    return colour.reshape(-1, colour.shape[-1])[of_label[label]]


def resample_texture(texture: Texture, layout: AtlasLayout) -> Texture:
    """Draw a texture in another layout; where that has fewer texels, each is a mean of several."""
    colour, source = np.zeros((*layout.size_hw, 3), np.uint8), np.zeros(layout.size_hw, np.uint8)
    covered = np.zeros(layout.size_hw, bool)
    for chart in range(1, NUM_CHARTS + 1):
        taken, window = texture.layout.window(chart), layout.window(chart)
        map_x, map_y, steps = _sampling_grid(texture.layout, layout, chart)
        blur = [max(0.5 * np.sqrt(max(step**2 - 1, 0)), 1e-3) for step in steps]
        soft = cv2.GaussianBlur(texture.colour[taken], (0, 0), blur[0], sigmaY=blur[1])
        colour[window] = cv2.remap(soft, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        source[window] = cv2.remap(
            texture.source[taken], map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        )
        covered[window] = True
    inside = chart_texels(layout).face >= 0
    source = pad_charts(source[..., None], source > 0)[..., 0] if source.any() else source
    source = np.where(inside, source, Source.NONE).astype(np.uint8)
    return Texture(colour if covered.all() else pad_charts(colour, covered), source, layout)


def _sampling_grid(
    old: AtlasLayout, new: AtlasLayout, chart: int
) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Where in the old window of a chart the pixels of its new one lie, x and y (h, w) float32, and the step between
    them in x and in y."""
    grid, steps = [], []
    for axis, part in enumerate(reversed(new.window(chart))):
        start, length = new.rect[chart, axis], new.rect[chart, 2 + axis]
        old_start, old_length = old.rect[chart, axis], old.rect[chart, 2 + axis]
        steps.append(old_length / length)
        share = np.clip((np.arange(part.start, part.stop) + 0.5 - start) / length, 0, 1)
        grid.append(old_start + share * old_length - 0.5 - old.window(chart)[1 - axis].start)
    map_x, map_y = np.meshgrid(*grid)
    return map_x.astype(np.float32), map_y.astype(np.float32), (steps[0], steps[1])


def texture_png(picture: np.ndarray) -> bytes:
    """Encode a texture's colour (H, W, 3) RGB or source (H, W) uint8 as a PNG file."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=6)
    return file.getvalue()
