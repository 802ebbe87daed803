"""Makes the gallery's pictures of the example photo: labels and formats, docs/images/pictures/*.jpg; its texture,
docs/images/texture.jpg; an atlas painted on it, docs/images/transfer.jpg.

python scripts/make_gallery_pictures.py

The photo is NASA's portrait of Eileen Collins, public domain; its labels are the released weights'.
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose import Predictor, example_photo
from opendensepose.data import read_photo
from opendensepose.formats import FORMATS, LabelledPhoto
from opendensepose.instance import Instance
from opendensepose.texture.photos import LabelledPhotos, make_texture, transfer_texture
from opendensepose.visualize import (
    Caption,
    compose_figure,
    confidence_ramp,
    draw_charts,
    draw_confidence,
    draw_contours,
    draw_points,
    draw_triple,
)
from opendensepose.visualize.surface import save_surface_pictures

IMAGES = Path(__file__).parents[1] / "docs" / "images"
FOLDER = IMAGES / "pictures"
SHOWN = (
    "iuv-png", "iuv-legacy", "viton", "catvton", "cvton", "magicanimate", "controlnet-parula", "controlnet-viridis",
    "atlas", "cutout",
)  # fmt: skip
PANEL_WH = (340, 400)
GREY_STEP = 10  # CatVTON's greys, 0 to 24, are all but black


def save(picture: np.ndarray, path: Path, width: int) -> None:
    image = Image.fromarray(picture)
    small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    small.save(path, quality=90)
    print(path, small.size)


def kinds(photo: np.ndarray, people: list[Instance]) -> np.ndarray:
    panels = {"charts": draw_charts, "contours": draw_contours, "points": draw_points, "confidence": draw_confidence}
    ramp = confidence_ramp().astype(np.float32)
    captions = [Caption(name, ramp=ramp if name == "confidence" else None) for name in panels]
    return compose_figure([draw(photo, people) for draw in panels.values()], captions, columns=4)


def panel(path: Path, name: str) -> np.ndarray:
    """A file of a format, fitted into a panel; on light grey where it is transparent."""
    with Image.open(path) as image:
        if image.mode == "L":
            image = image.point(lambda value: value * GREY_STEP)
        if image.mode == "RGBA":
            paper = Image.new("RGBA", image.size, (226, 228, 234, 255))
            image = Image.alpha_composite(paper, image)
        image = image.convert("RGB")
    image.thumbnail(PANEL_WH, Image.Resampling.NEAREST if "iuv" in name else Image.Resampling.LANCZOS)
    whole = Image.new("RGB", PANEL_WH, (246, 247, 249))
    whole.paste(image, ((PANEL_WH[0] - image.width) // 2, (PANEL_WH[1] - image.height) // 2))
    return np.asarray(whole)


def formats(labelled: LabelledPhoto) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        panels = [panel(FORMATS[name].write(Path(folder), labelled)[0], name) for name in SHOWN]
    captions = [Caption(f"{name}, x {GREY_STEP}" if name == "catvton" else name) for name in SHOWN]
    return compose_figure(panels, captions, columns=5)


def textures(photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The preview of `texture`; the atlas of `surface`, the photo, and the photo painted with it by `transfer`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray(photo).save(folder / "photo.png")
        photos = LabelledPhotos([folder / "photo.png"], Predictor())
        make_texture(photos, folder)
        save_surface_pictures(folder / "surface")
        transfer_texture(folder / "surface" / "atlas.png", photos, folder, shading=1)
        names = ("preview.jpg", "surface/atlas.png", "photo.png", "photo.transfer.jpg")
        preview, atlas, plain, painted = (read_photo(folder / name) for name in names)
    height = photo.shape[0]
    atlas = np.asarray(Image.fromarray(atlas).resize((height * atlas.shape[1] // atlas.shape[0], height)))
    paper = np.full((height, 12, 3), 255, np.uint8)
    return preview, np.concatenate([atlas, paper, plain, paper, painted], axis=1)


def main() -> None:
    photo = example_photo()
    people = Predictor()(photo)
    if not people:
        raise SystemExit("the model finds nobody in the example photo")
    FOLDER.mkdir(parents=True, exist_ok=True)
    save(draw_triple(photo, people), FOLDER / "triple.jpg", 1500)
    save(kinds(photo, people), FOLDER / "kinds.jpg", 1600)
    save(formats(LabelledPhoto("astronaut.webp", photo.shape[:2], people, photo)), FOLDER / "formats.jpg", 1500)
    preview, painted = textures(photo)
    save(preview, IMAGES / "texture.jpg", 1600)
    save(painted, IMAGES / "transfer.jpg", 1300)


if __name__ == "__main__":
    main()
