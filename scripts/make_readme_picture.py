"""Makes the README's first screen with the released weights: docs/images/astronaut.jpg and the script's output.

python scripts/make_readme_picture.py

Left the photo, right what `opendensepose predict` paints on it. The photo is NASA's portrait of Eileen Collins, public
domain.
"""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from opendensepose import Predictor, draw_overlay, example_photo

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "astronaut.jpg"
SCALE = 2  # drawn at twice the size and shrunk again, so that the lines are fine


def make_picture() -> None:
    photo = example_photo()
    size = [SCALE * side for side in photo.shape[1::-1]]
    large = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS))
    people = Predictor()(large)
    if not people:
        raise SystemExit("the model finds nobody in the example photo")
    pair = np.concatenate([large, np.full_like(large[:, : 16 * SCALE], 255), draw_overlay(large, people)], axis=1)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    small = Image.fromarray(pair).resize((pair.shape[1] // SCALE, pair.shape[0] // SCALE), Image.Resampling.LANCZOS)
    small.save(PICTURE, quality=92, subsampling=0)
    print(f"{len(people)} people, {PICTURE}")


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
