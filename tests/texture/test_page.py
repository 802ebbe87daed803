"""The linked page in Chromium: a pixel leads to its point of the body and the body's point back to the pixel, and
nothing is loaded from elsewhere."""

import re

import numpy as np
import pytest
from tests.annotate.browser import chromium_path
from tests.texture.people import seen_from

from opendensepose.surface import load_charts, load_surface
from opendensepose.texture.page import MOST_PX, PAGE, correspondence_page

sync_api = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def photo():
    return seen_from("front", 4)


@pytest.fixture(scope="module")
def html(photo):
    image, person = photo
    return correspondence_page(image, [person], "a <person>")


@pytest.fixture(scope="module")
def page(html, tmp_path_factory):
    if chromium_path() is None:
        pytest.skip("chromium is not installed")
    file = tmp_path_factory.mktemp("page") / "view.html"
    file.write_text(html)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--enable-unsafe-swiftshader"]
        )
        page = browser.new_page(viewport={"width": 1100, "height": 700})
        page.set_default_timeout(60_000)
        page.troubles = []
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("request", lambda one: one.url.startswith(("file:", "data:", "blob:")) or page.troubles.append(one.url))
        page.goto(file.as_uri())
        page.wait_for_selector("body[data-ready]")
        yield page
        assert not page.troubles
        browser.close()


def pixel_on_screen(page, person, x, y):
    box = page.locator("#photo canvas").bounding_box()
    scale = box["width"] / person.iuv.i.shape[1]
    return box["x"] + (x + 0.5) * scale, box["y"] + (y + 0.5) * scale


def said(page) -> dict:
    return page.evaluate("({...document.getElementById('said').dataset})")


def test_a_pixel_leads_to_its_point_and_the_point_back(page, photo):
    _, person = photo
    row, column = np.nonzero(person.iuv.i)
    rng = np.random.default_rng(0)
    checked = 0
    for k in rng.integers(len(row), size=6):
        x, y = column[k], row[k]
        page.mouse.move(*pixel_on_screen(page, person, x, y))
        page.wait_for_function("(n) => document.querySelector('#photo .marker')?.dataset.pixel == n",
                               arg=str(y * person.iuv.i.shape[1] + x))  # fmt: skip
        got = said(page)
        assert int(got["chart"]) == person.iuv.i[y, x]
        assert float(got["u"]) == pytest.approx(person.iuv.u[y, x], abs=0.01)
        assert float(got["v"]) == pytest.approx(person.iuv.v[y, x], abs=0.01)
        points = load_charts().to_points(person.iuv.i[[y], [x]], person.iuv.u[[y], [x]], person.iuv.v[[y], [x]])
        surface = load_surface()
        vertex = int(got["vertex"])
        distance = np.linalg.norm(surface.vertices[vertex] - points.xyz(surface.vertices, surface.faces)[0])
        assert distance < 0.03
        page.wait_for_timeout(500)  # the body may turn
        marker = page.locator("#body-marker").bounding_box()
        page.mouse.move(marker["x"] + marker["width"] / 2, marker["y"] + marker["height"] / 2)
        page.wait_for_timeout(200)
        back = page.locator("#photo .marker")
        if back.count():  # else another part of the body hides the point
            pixel = int(back.first.get_attribute("data-pixel"))
            apart = np.hypot(pixel % person.iuv.i.shape[1] - x, pixel // person.iuv.i.shape[1] - y)
            checked += apart < 5
    assert checked >= 4


def test_beside_the_person_nothing_is_marked(page, photo):
    _, person = photo
    page.mouse.move(*pixel_on_screen(page, person, 1, 1))
    page.wait_for_function("!document.querySelector('#photo .marker')")
    assert page.locator("#body-marker").is_hidden()


def test_the_buttons_change_both_pictures(page):
    for side in ("photo", "body"):
        before = page.locator(f"#{side} canvas").screenshot()
        page.click(f"[data-{side}=charts]")
        page.wait_for_timeout(200)
        assert page.locator(f"#{side} canvas").screenshot() != before
        assert page.locator(f"[data-{side}=charts]").get_attribute("aria-pressed") == "true"


def test_the_page_is_one_file_with_three_js_and_its_licence(html):
    assert "<title>a &lt;person&gt;</title>" in html
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", html)
    assert html.count("</script>") == 2
    assert (PAGE / "three.min.js").stat().st_size < 1_500_000
    assert "The MIT License" in (PAGE / "three.LICENSE.txt").read_text()
    assert "three.js Authors" in html or "Three.js Authors" in html


def test_large_photos_are_reduced_and_nobody_is_refused(photo):
    image, person = photo
    with pytest.raises(ValueError, match="needs a person, got none"):
        correspondence_page(image, [])
    assert max(image.shape) < MOST_PX
