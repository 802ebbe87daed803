"""Makes docs/images/view.jpg: the page of `opendensepose view --example`, with a point marked in photo and body.

python scripts/make_view_picture.py

Needs Chromium and playwright, as the tests of the pages do. The photo is NASA's portrait of Eileen Collins, public
domain; its labels are the released weights'.
"""

import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from opendensepose import Predictor, example_photo
from opendensepose.texture.page import correspondence_page

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "view.jpg"
SIZE = {"width": 1366, "height": 768}
POINT_XY = (171, 386)  # of the photo: the badge on the chest
OPTIONS = ["--no-sandbox", "--enable-unsafe-swiftshader"]


def main() -> None:
    photo = example_photo()
    page_html = correspondence_page(photo, Predictor()(photo), "astronaut")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "view.html"
        file.write_text(page_html)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        page = browser.new_page(viewport=SIZE)
        page.goto(file.as_uri())
        page.wait_for_selector("body[data-ready]")
        box = page.locator("#photo canvas").bounding_box()
        scale = box["width"] / photo.shape[1]
        page.mouse.move(*(box[side] + scale * (at + 0.5) for side, at in zip("xy", POINT_XY, strict=True)))
        page.wait_for_selector("#body-marker")
        page.wait_for_timeout(1500)  # the body turns
        picture = Image.open(BytesIO(page.screenshot()))
        browser.close()
    picture.convert("RGB").save(PICTURE, quality=90)
    print(PICTURE, picture.size)


if __name__ == "__main__":
    main()
