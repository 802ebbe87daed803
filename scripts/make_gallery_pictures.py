"""Makes the gallery's pictures of labels and formats, docs/images/pictures/*.jpg, of the example photo.

python scripts/make_gallery_pictures.py

The photo is NASA's portrait of Eileen Collins, public domain; its labels are the released weights'.
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose import Predictor, example_photo
from opendensepose.formats import FORMATS, LabelledPhoto
from opendensepose.instance import Instance
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

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "pictures"
SHOWN = (
    "iuv-png", "iuv-legacy", "viton", "catvton", "cvton", "magicanimate", "controlnet-parula", "controlnet-viridis",
    "atlas", "cutout",
)  # fmt: skip
PANEL_WH = (340, 400)
GREY_STEP = 10  # CatVTON's greys, 0 to 24, are all but black


def save(picture: np.ndarray, name: str, width: int) -> None:
    image = Image.fromarray(picture)
    small = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    small.save(FOLDER / name, quality=90)
    print(FOLDER / name, small.size)


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


def main() -> None:
    photo = example_photo()
    people = Predictor()(photo)
    if not people:
        raise SystemExit("the model finds nobody in the example photo")
    FOLDER.mkdir(parents=True, exist_ok=True)
    save(draw_triple(photo, people), "triple.jpg", 1500)
    save(kinds(photo, people), "kinds.jpg", 1600)
    save(formats(LabelledPhoto("astronaut.webp", photo.shape[:2], people, photo)), "formats.jpg", 1500)


if __name__ == "__main__":
    main()
