"""Textures from photos on disk, and onto them: what the verbs `texture`, `transfer` and `view` do."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from opendensepose.atomic_write import atomic_write
from opendensepose.data.photos import find_photos, read_photo
from opendensepose.data.predictions import load_prediction
from opendensepose.formats.labelled_photo import select_people
from opendensepose.instance import Instance
from opendensepose.surface.atlas import layout_of_size, tile_layout
from opendensepose.texture.bake import bake_texture
from opendensepose.texture.draw import draw_body, draw_texture
from opendensepose.texture.gltf import body_glb
from opendensepose.texture.page import correspondence_page
from opendensepose.texture.texture import Texture, resample_texture, texture_png

__all__ = ["LabelledPhotos", "make_texture", "make_view", "transfer_texture", "write_all"]

PAPER = 255


@dataclass
class LabelledPhotos:
    """Photos with the people in them, read one after the other.

    label: finds the people in a photo (H, W, 3) uint8; a `Predictor`. predictions: the folder of `predict`'s files,
    <photo's stem>.npz; None: beside each photo. Photos that have such a file are not labelled. person: "largest" by
    pixels, "all", or a number as in these files, 1 the first. on_photo(path, number of people) is called for each.
    Photos that cannot be read, or whose file of predictions is damaged or of another photo, are left out, and
    `failures` says why; of a single photo that is a ValueError, as is another person.
    """

    photos: Sequence[str | Path]
    label: Callable[[np.ndarray], list[Instance]]
    person: str = "largest"
    predictions: Path | None = None
    on_photo: Callable[[Path, int], None] | None = None
    failures: dict[Path, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        select_people([], self.person)
        if self.predictions is not None and not self.predictions.is_dir():
            raise ValueError(f"there is no folder {self.predictions} of predictions.")
        self.paths = find_photos(list(self.photos))

    def __iter__(self) -> Iterator[tuple[Path, np.ndarray, list[Instance]]]:
        for path in self.paths:
            try:
                image_rgb = read_photo(path)
                found = self._predicted(path, image_rgb)
            except (ValueError, OSError) as error:
                if len(self.paths) == 1:
                    raise
                self.failures[path] = str(error)
                continue
            chosen = select_people(self.label(image_rgb) if found is None else found, self.person)
            people = [one for one in chosen if one.iuv.i.any()]
            if self.on_photo:
                self.on_photo(path, len(people))
            yield path, image_rgb, people

    def _predicted(self, path: Path, image_rgb: np.ndarray) -> list[Instance] | None:
        """The people in the photo's file of predictions; None if it has none."""
        file = (self.predictions or path.parent) / f"{path.stem}.npz"
        if not file.is_file():
            return None
        prediction = load_prediction(file)
        if prediction.iuv.size_hw != image_rgb.shape[:2]:
            (height, width), (rows, columns) = prediction.iuv.size_hw, image_rgb.shape[:2]
            raise ValueError(f"{file} is of a photo of {width} x {height} pixels, but {path} is {columns} x {rows}.")
        return prediction.people()


def make_texture(photos: LabelledPhotos, out_dir: str | Path) -> list[Path]:
    """Bake one texture of the person in the photos; write it as map and as atlas, with what each texel's source is,
    the body with it, and a picture of all. Return the files' paths.

    ValueError if no photo shows a person; then nothing is written.
    """
    first: list[np.ndarray] = []

    def views() -> Iterator[tuple[np.ndarray, list[Instance]]]:
        for _, image_rgb, people in photos:
            if people and not first:
                first.append(_person_window(image_rgb, people[0]))
            yield image_rgb, people

    texture = bake_texture(views())
    atlas = resample_texture(texture, tile_layout())
    contents = {
        "map.png": texture_png(texture.colour),
        "map_source.png": texture_png(texture.source),
        "atlas.png": texture_png(atlas.colour),
        "atlas_source.png": texture_png(atlas.source),
        "body.glb": body_glb(texture),
        "preview.jpg": _jpeg(_beside(first[0], draw_body(texture))),
    }
    return write_all(Path(out_dir), contents)


def transfer_texture(
    texture_file: str | Path, photos: LabelledPhotos, out_dir: str | Path, shading: float
) -> list[Path]:
    """Paint a texture, an atlas or a map, on the people in photos; write <stem>.transfer.jpg each. Return the paths.

    ValueError if the file is no such texture or no photo can be read.
    """
    colour = read_photo(texture_file)
    try:
        layout_of_size(colour.shape[:2])
    except ValueError as error:
        raise ValueError(f"{texture_file}: {error}") from None
    texture = Texture.from_picture(colour)
    written = []
    for path, image_rgb, people in photos:
        picture = draw_texture(image_rgb, people, texture, shading=shading)
        written += write_all(Path(out_dir), {f"{path.stem}.transfer.jpg": _jpeg(picture)})
    if not written:
        raise ValueError("no photo can be read.")
    return written


def make_view(photos: LabelledPhotos, out: str | Path) -> Path:
    """Write a page of one photo and the body beside it, linked point by point.

    ValueError if nobody is in the photo, or `out` is a folder.
    """
    out = Path(out)
    if out.is_dir():
        raise ValueError(f"{out} is a folder: name the page to write, {out / 'page.html'}.")
    if len(photos.paths) != 1:
        raise ValueError(f"a page shows one photo, got {len(photos.paths)}.")
    ((path, image_rgb, people),) = photos
    if not people:
        raise ValueError(f"there is nobody in {path}: a page needs a person.")
    page = correspondence_page(image_rgb, people, title=path.stem)
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(out, page.encode())
    return out


def _person_window(image_rgb: np.ndarray, person: Instance) -> np.ndarray:
    x, y, width, height = cv2.boundingRect((person.iuv.i > 0).astype(np.uint8))
    margin = round(0.06 * max(width, height))
    return image_rgb[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]


def _beside(photo: np.ndarray, bodies: np.ndarray) -> np.ndarray:
    """The photo at the bodies' height, or less if it is wide, left of them on white."""
    height = bodies.shape[0]
    scale = min(height / photo.shape[0], height / photo.shape[1])
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=filter_)
    paper = np.full((height, photo.shape[1], 3), PAPER, np.uint8)
    top = (height - photo.shape[0]) // 2
    paper[top : top + photo.shape[0]] = photo
    return np.concatenate([paper, bodies], axis=1)


def _jpeg(picture: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=93, subsampling=0)
    return file.getvalue()


def write_all(out_dir: Path, contents: dict[str, bytes]) -> list[Path]:
    """Write files (name -> content), each whole or not at all; return their paths. ValueError if one fails."""
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            atomic_write(out_dir / name, content)
    except OSError as error:
        raise ValueError(f"the output folder {out_dir} cannot be written: {error.strerror or error}.") from error
    return [out_dir / name for name in contents]
