"""The page in Chromium: a photo chosen, dropped, pasted or taken; layers; the point under the pointer, by mouse and by
keyboard; downloads; two sizes of window; nothing from elsewhere; axe-core finds nothing serious.
"""

import base64
from contextlib import contextmanager

import numpy as np
import pytest
from tests.annotate.browser import chromium_path
from tests.axe import assert_axe_is_content
from tests.serve.serving import INFO, encoded, serving_at
from tests.texture.people import seen_from

from opendensepose.formats.npz import read_npz
from opendensepose.serve.answers import answer_jobs
from opendensepose.serve.app import create_app

sync_api = pytest.importorskip("playwright.sync_api", reason="the tests of the page need playwright")
pytestmark = pytest.mark.skipif(chromium_path() is None, reason="no Chromium: `apt-get install chromium`")
OPTIONS = ["--no-sandbox", "--enable-unsafe-swiftshader"]
OPTIONS += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera
KEY = "a key of the tests"
SIZES = {"phone": (360, 740), "desk": (1920, 1080)}


@pytest.fixture(scope="module")
def person():
    return seen_from("front", 4)


@contextmanager
def serving(person, **options):
    """The service at an address; its network knows one photo, and finds nobody in others."""
    image, one = person

    def label(images_rgb):
        return [[one] if photo.shape == image.shape else [] for photo in images_rgb]

    async def runner(jobs):
        return answer_jobs(jobs, label, 10_000_000)

    with serving_at(create_app([runner], INFO, **options)) as url:
        yield url


@pytest.fixture(scope="module")
def url(person):
    with serving(person) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=OPTIONS)
        yield browser
        browser.close()


@contextmanager
def opened(browser, url, size="desk"):
    """A page of its own, which asks for nothing elsewhere and breaks no rule of its own."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(90_000)
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if "Security Policy" in message.text else None)
    page.on("request", lambda one: one.url.startswith((url, "data:", "blob:")) or troubles.append(one.url))
    page.goto(url)
    page.wait_for_selector("body[data-ready]")
    try:
        yield page
    finally:
        context.close()
    assert not troubles


@pytest.fixture(scope="module")
def page(browser, url, person):
    """A page with the labelled photo."""
    with opened(browser, url) as page:
        choose(page, encoded(person[0]))
        yield page


def choose(page, content, name="photo.png"):
    page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})
    page.wait_for_selector("body[data-stage=ready]")


def said(page) -> dict:
    return page.evaluate("({...document.getElementById('said').dataset})")


def to_screen(page, person, x, y):
    box = page.locator("#photo canvas").bounding_box()
    scale = box["width"] / person[0].shape[1]
    return box["x"] + (x + 0.5) * scale, box["y"] + (y + 0.5) * scale


def assert_is_said(page, person, x, y):
    iuv, got = person[1].iuv, said(page)
    assert int(got["chart"]) == iuv.i[y, x]
    assert float(got["u"]) == pytest.approx(iuv.u[y, x], abs=0.01)
    assert float(got["v"]) == pytest.approx(iuv.v[y, x], abs=0.01)


def marked(page, person, x, y):
    page.wait_for_selector(f"#photo .marker[data-pixel='{y * person[0].shape[1] + x}']")


def test_a_photo_is_labelled_and_hovering_tells_chart_u_and_v(page, person):
    assert page.locator("#status").inner_text().startswith("1 person, score 1.00")
    row, column = np.nonzero(person[1].iuv.i)
    for k in np.random.default_rng(0).integers(len(row), size=4):
        page.mouse.move(*to_screen(page, person, column[k], row[k]))
        marked(page, person, column[k], row[k])
        assert_is_said(page, person, column[k], row[k])
        assert page.locator("#body-marker").is_visible()
    page.mouse.move(*to_screen(page, person, 1, 1))
    page.wait_for_selector("#photo .marker", state="detached")


def test_the_keyboard_moves_the_point_and_turns_the_body(page, person):
    page.focus("#photo")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#photo .marker")
    width = person[0].shape[1]
    pixel = int(page.locator("#photo .marker").get_attribute("data-pixel"))
    page.keyboard.press("ArrowDown")
    step = int(page.locator("#photo .marker").get_attribute("data-pixel")) - pixel
    assert step % width == 0 and step > 0
    pixel += step
    assert_is_said(page, person, pixel % width, pixel // width)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "body"
    before = page.locator("#body canvas").screenshot()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    page.wait_for_timeout(300)
    assert page.locator("#body canvas").screenshot() != before


def test_each_switch_shows_another_picture(page):
    pictures = set()
    for layer in ("overlay", "parts", "u", "v", "confidence", "plain"):
        page.check(f"input[value={layer}]", force=True)
        pictures.add(page.evaluate("document.querySelector('#photo canvas').toDataURL()"))
    assert len(pictures) == 6
    page.check("input[value=overlay]", force=True)
    skins = set()
    for skin in ("charts", "photo"):
        page.check(f"input[value={skin}]", force=True)
        page.wait_for_timeout(200)
        skins.add(page.locator("#body canvas").screenshot())
    assert len(skins) == 2


def test_an_earlier_photos_answer_does_not_take_a_later_ones_place(page, person):
    held = []
    page.route("**/v1/predict*", lambda route: route.continue_() if held else held.append(route))
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": encoded(person[0][:90, :70])})
    while not held:
        page.wait_for_timeout(20)
    choose(page, encoded(person[0]))
    page.wait_for_selector("#status:has-text('1 person')")
    with page.expect_response("**/v1/predict*"):
        held[0].continue_()
    page.unroute("**/v1/predict*")
    page.wait_for_timeout(300)
    assert "1 person" in page.inner_text("#status") and page.get_attribute("body", "data-stage") == "ready"
    assert page.evaluate("document.querySelector('#photo canvas').width") == person[0].shape[1]


def test_downloads_are_the_services_answers(page, person, tmp_path):
    page.select_option("#format", "npz")
    with page.expect_download() as download:
        page.click("#downloads button")
    assert download.value.suggested_filename == "photo.npz"
    file = tmp_path / "photo.npz"
    download.value.save_as(file)
    (labelled,) = read_npz(file, None)
    np.testing.assert_array_equal(labelled.people[0].iuv.i, person[1].iuv.i)
    assert page.locator("#format option").count() == 17


def test_a_photo_is_dropped_and_pasted(page, person):
    make = """(base64) => { const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
        window.parcel = new DataTransfer();
        parcel.items.add(new File([bytes], "a.png", {type: "image/png"})); }"""
    for send in ("new DragEvent('drop', {dataTransfer: parcel, bubbles: true, cancelable: true})",
                 "new ClipboardEvent('paste', {clipboardData: parcel, bubbles: true})"):  # fmt: skip
        page.evaluate("document.getElementById('status').textContent = ''")
        page.evaluate(make, base64.b64encode(encoded(person[0])).decode())
        page.evaluate(f"document.body.dispatchEvent({send})")
        page.wait_for_selector("#status:has-text('1 person')")


def test_the_camera_takes_a_photo_with_nobody_in_it(page):
    page.click("#camera")
    page.wait_for_selector("dialog[data-live]")
    page.click("#take")
    page.wait_for_selector("#status:has-text('Nobody was found')")
    assert page.locator("dialog").is_hidden()


def test_what_is_no_photo_is_a_sentence(page, person):
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": b"no photo"})
    page.wait_for_selector("#status.wrong")
    assert page.locator("#status").inner_text() == "The photo is not an image that can be read."
    choose(page, encoded(person[0]))
    page.wait_for_selector("#status:has-text('1 person')")
    assert page.locator("#status.wrong").count() == 0


@pytest.mark.parametrize("size", SIZES)
def test_with_a_photo_it_fits_and_axe_finds_nothing_serious(page, size):
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    assert_fits(page, SIZES[size][0])
    assert_axe_is_content(page)


def test_a_key_is_asked_for_where_it_is_needed(browser, person):
    with serving(person, keys=[KEY]) as url, opened(browser, url, "phone") as page:
        assert_fits(page, SIZES["phone"][0])
        assert_axe_is_content(page)
        page.fill("#key", KEY)
        page.keyboard.press("Enter")
        page.wait_for_selector("#format option", state="attached")
        choose(page, encoded(person[0]))


def assert_fits(page, width):
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("#camera", "#format", "#photo", "#body", "#said", "input[value=confidence] + span"):
        page.locator(name).scroll_into_view_if_needed()
        box = page.locator(name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] > 15, name
