"""Pictures of I alone, each in the colours and the size that one tool expects: `viton`, `catvton`, `cvton`,
`magicanimate`, `controlnet-parula`, `controlnet-viridis`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from opendensepose.atomic_write import atomic_file
from opendensepose.data.photos import read_pixels
from opendensepose.formats.labelled_photo import FindPhoto, LabelledPhoto, one_person
from opendensepose.iuv import IUV
from opendensepose.surface import NUM_CHARTS

__all__ = ["STYLES", "PartMapStyle", "draw_part_map", "read_part_map", "write_part_map"]

CVTON_COLOURS = (
    (0, 0, 0), (105, 105, 105), (85, 107, 47), (139, 69, 19), (72, 61, 139), (0, 128, 0), (154, 205, 50), (0, 0, 139),
    (255, 69, 0), (255, 165, 0), (255, 255, 0), (0, 255, 0), (186, 85, 211), (0, 255, 127), (220, 20, 60),
    (0, 191, 255), (0, 0, 255), (216, 191, 216), (255, 0, 255), (30, 144, 255), (219, 112, 147), (240, 230, 140),
    (255, 20, 147), (255, 160, 122), (127, 255, 212),
)  # fmt: skip
JPEG_QUALITY = 95


@dataclass(frozen=True)
class PartMapStyle:
    """How a tool wants a part map.

    file: its path, of {stem}. colours: a colour map of OpenCV, of which I takes the entry 255 I / 24, cut off to a
    whole number; or 25 RGB triples; or None for I itself in one channel. background: instead of colour 0. size_wh: the
    picture's, into which the photo is fitted whole, the rest background; None: the photo's.
    """

    file: str
    colours: int | tuple[tuple[int, int, int], ...] | None
    background: tuple[int, int, int] | None = None
    size_wh: tuple[int, int] | None = None

    def palette(self) -> np.ndarray:
        """Return the colours of I: (25, 3) uint8 RGB, or (25,) uint8."""
        if self.colours is None:
            return np.arange(NUM_CHARTS + 1, dtype=np.uint8)
        if isinstance(self.colours, int):
            level = (np.arange(NUM_CHARTS + 1) * 255 / NUM_CHARTS).astype(np.uint8)
            palette = cv2.applyColorMap(level[:, None], self.colours)[:, 0, ::-1].copy()
        else:
            palette = np.array(self.colours, np.uint8)
        if self.background is not None:
            palette[0] = self.background
        return palette


BLACK = (0, 0, 0)
STYLES = {
    "viton": PartMapStyle("image-densepose/{stem}.jpg", cv2.COLORMAP_PARULA, BLACK, (768, 1024)),
    "catvton": PartMapStyle("catvton/{stem}.png", None),
    "cvton": PartMapStyle("cvton/{stem}.png", CVTON_COLOURS),
    "magicanimate": PartMapStyle("magicanimate/{stem}.png", cv2.COLORMAP_VIRIDIS, None, (512, 512)),
    "controlnet-parula": PartMapStyle("controlnet-parula/{stem}.png", cv2.COLORMAP_PARULA, BLACK),
    "controlnet-viridis": PartMapStyle("controlnet-viridis/{stem}.png", cv2.COLORMAP_VIRIDIS),
}


def draw_part_map(i: np.ndarray, style: PartMapStyle) -> np.ndarray:
    """Draw a map I (H, W) uint8 as the style says: (h, w, 3) uint8 RGB, or (h, w) uint8."""
    if style.size_wh is not None:
        i = fit_labels(i, style.size_wh)
    return style.palette()[i]


def fit_labels(i: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Fit I (H, W) into a picture of this size: all of it, in its proportions, in the middle; nearest neighbours."""
    width, height = size_wh
    scale = min(width / i.shape[1], height / i.shape[0])
    w, h = max(1, round(scale * i.shape[1])), max(1, round(scale * i.shape[0]))
    fitted = np.zeros((height, width), np.uint8)
    x, y = (width - w) // 2, (height - h) // 2
    fitted[y : y + h, x : x + w] = cv2.resize(i, (w, h), interpolation=cv2.INTER_NEAREST_EXACT)
    return fitted


def write_part_map(name: str, folder: Path, labelled: LabelledPhoto) -> list[Path]:
    """Write the part map of a style of STYLES, as PNG or, if its file is called so, as JPEG."""
    style = STYLES[name]
    path = folder / style.file.format(stem=labelled.stem)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(draw_part_map(labelled.merged().i, style))
    with atomic_file(path) as part:
        if path.suffix == ".jpg":
            picture.save(part, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        else:
            picture.save(part, "PNG")
    return [path]


def read_part_map(name: str, path: Path, find_photo: FindPhoto | None = None) -> Iterator[LabelledPhoto]:
    """Read I of a part map in the exact colours of a style; U and V are 0, people are not separated.

    ValueError, one sentence, if a pixel has another colour: the picture was stored as JPEG, or scaled smoothly.
    """
    palette = STYLES[name].palette()
    pixels = read_pixels(path, "L" if palette.ndim == 1 else "RGB").astype(np.int32)
    if palette.ndim == 2:
        weights = np.array([65536, 256, 1])
        codes, pixels = palette.astype(np.int32) @ weights, pixels @ weights
    else:
        codes = palette.astype(np.int32)
    order = np.argsort(codes)
    i = order[np.searchsorted(codes[order], pixels).clip(max=NUM_CHARTS)].astype(np.uint8)
    wrong = np.argwhere(codes[i] != pixels)
    if len(wrong):
        y, x = wrong[0]
        code = int(pixels[y, x])
        colour = code if palette.ndim == 1 else (code >> 16, code >> 8 & 255, code & 255)
        raise ValueError(f"{path}: the pixel in column {x}, row {y} is {colour}, which is no colour of {name}.")
    none = np.zeros(i.shape, np.float32)
    yield LabelledPhoto(path.stem, i.shape, [one_person(IUV(i, none, none))] if i.any() else [])
