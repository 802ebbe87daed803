"""Makes the README's first screen with the released weights: docs/images/astronaut.jpg and the script's output.

python scripts/make_readme_picture.py

A photo, what `opendensepose predict` paints on it, the body in the colours that `opendensepose texture` takes from it,
and frames of a rendered clip as `opendensepose predict CLIP.mp4` labels them. The photo is NASA's portrait of Eileen
Collins, public domain.
"""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from opendensepose import Predictor, bake_texture, draw_overlay, example_photo
from opendensepose.synth.clip import render_clip
from opendensepose.texture.draw import draw_body
from opendensepose.video.labeller import VideoLabeller
from opendensepose.visualize import Caption, compose_figure

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "astronaut.jpg"
WIDTH = 1800
PANEL_WH = (880, 1024)
CLIP = {"seed": 3, "action": "walk", "num_frames": 25, "size_hw": (320, 275)}
SHOWN_FRAMES = (2, 9, 16, 23)


def twice(picture: np.ndarray) -> np.ndarray:
    """A picture to draw on at twice its size, so that lines are fine when it is shrunk again."""
    height, width = picture.shape[:2]
    return np.asarray(Image.fromarray(picture).resize((2 * width, 2 * height), Image.Resampling.LANCZOS))


def fitted(picture: np.ndarray) -> np.ndarray:
    """A picture that fills a panel, cut at its longer side."""
    return np.asarray(ImageOps.fit(Image.fromarray(picture), PANEL_WH, Image.Resampling.LANCZOS))


def make_picture() -> None:
    photo = example_photo()
    large = twice(photo)
    people = Predictor()(large)
    if not people:
        raise SystemExit("the model finds nobody in the example photo")
    left = large[:, : PANEL_WH[0]]
    panels = {
        "photo": left,
        "I, U, V": draw_overlay(large, people, boxes=False)[:, : PANEL_WH[0]],
        "its colours on the body": body(photo, Predictor()(photo)),
        "a clip": clip(),
    }
    figure = Image.fromarray(compose_figure(list(panels.values()), [Caption(name) for name in panels], columns=4))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    small = figure.resize((WIDTH, round(figure.height * WIDTH / figure.width)), Image.Resampling.LANCZOS)
    small.save(PICTURE, quality=90)
    print(f"{len(people)} people, {PICTURE}")


def body(photo: np.ndarray, people: list) -> np.ndarray:
    """The body in the photo's colours, as far down as the photo shows it."""
    whole = draw_body(bake_texture([(photo, people[:1])]), ["front"])
    front = whole[: round(0.53 * len(whole))]
    return np.asarray(ImageOps.pad(Image.fromarray(front), PANEL_WH, Image.Resampling.LANCZOS, color="white"))


def clip() -> np.ndarray:
    """Labelled frames of a rendered clip, two by two."""
    label = VideoLabeller()
    frames = [frame.image_rgb for frame in render_clip(**CLIP)]
    drawn = []
    for frame in frames:
        large = twice(frame)
        drawn.append(draw_overlay(large, [person.instance for person in label(large)], boxes=False))
    rows = [np.concatenate([drawn[k] for k in pair], axis=1) for pair in (SHOWN_FRAMES[:2], SHOWN_FRAMES[2:])]
    return fitted(np.concatenate(rows))


def write_output() -> None:
    """Runs the README's script and puts what it prints below it."""
    path = ROOT / "README.md"
    text = path.read_text()
    script = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(script, "README.md", "exec"), {})
    between = r"(<!-- output:start -->\n```text\n).*?(```\n<!-- output:end -->)"
    path.write_text(re.sub(between, lambda m: m.group(1) + printed.getvalue() + m.group(2), text, flags=re.DOTALL))
    print(printed.getvalue(), end="")


if __name__ == "__main__":
    make_picture()
    write_output()
