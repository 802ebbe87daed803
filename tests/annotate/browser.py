"""A real browser on the annotation page: the server in a thread, Chromium from Debian's packages, and hands for both.

The surface is the body's own, so that clicks are exact; only the views' pictures are left blank, which saves their
rendering. Every page that is opened must load from the server alone and must not break its content security policy.
"""

import io
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import uvicorn
from PIL import Image, ImageDraw
from tests.annotate.fakes import Clash

from opendensepose.annotate.checks.model_labels import ModelAnswers
from opendensepose.annotate.server.app import create_app
from opendensepose.annotate.surface.service import SurfaceService
from opendensepose.annotate.work.photos import PhotoFolder, add_photos
from opendensepose.annotate.work.store import open_store
from opendensepose.data.masks import decode_mask
from opendensepose.surface import SurfacePoints

__all__ = ["BlankPictures", "Hands", "PageServer", "chromium_path", "expect", "launched", "open_page", "serving"]


BOX = [40.0, 20.0, 200.0, 300.0]
DISC = [80, 100, 160, 180]  # in the photo disc.png


def chromium_path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def launched():
    """Chromium, or a skipped test where there is none."""
    playwright_api = pytest.importorskip("playwright.sync_api", reason="the tests of the page need playwright")
    if chromium_path() is None:
        pytest.skip("no Chromium: `apt-get install chromium`")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


def expect(locator):
    """Playwright's assertions on a locator, which wait."""
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=40_000)
    return playwright_expect(locator)


@cache
def _blank_png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height), 200).save(file, "PNG")
    return file.getvalue()


class BlankPictures(SurfaceService):
    """The body's own views, without their pictures; the guess is a torso and a head, the first two answers
    always contradict each other."""

    def __init__(self):
        super().__init__()
        self.picture_png = self._blank
        self.label_person = self._label
        self.find_contradictions = self._first_two_contradict

    def _blank(self, part, view):
        one = self.views_of(part)[view]
        return _blank_png(one.width, one.height)

    def _label(self, predictor, image_rgb, box_xyxy):
        grid = np.zeros((256, 256), np.uint8)
        grid[90:180, 60:200], grid[10:80, 90:170] = 1, 14
        return BlankLabels(grid, self)

    def _first_two_contradict(self, part, xy, points, witness=None):
        return [Clash((0, 1), "these two contradict each other")]  # only asked about two answers and more

    def place_on(self, part: int, view: int, rng: np.random.Generator) -> tuple[float, float]:
        """A place of the view's picture where the part is."""
        one = self.views_of(part)[view]
        while True:
            x, y = rng.uniform(0.2, 0.8, 2) * (one.width, one.height)
            try:
                self.point_at(part, view, x, y)
            except ValueError:
                continue
            return float(x), float(y)


@dataclass(frozen=True)
class BlankLabels:
    """What the model says: parts, and on each point somewhere on its part, the head aside."""

    grid: np.ndarray
    surface: BlankPictures

    def parts(self, box_xyxy):
        return self.grid

    def answers(self, part, xy, box_xyxy):
        rng, known = np.random.default_rng(3), np.asarray(part) != 14
        found = [self.surface.point_at(int(k), 0, *self.surface.place_on(int(k), 0, rng)) for k in part[known]]
        face = np.concatenate([np.zeros(0, np.int32), *(one.face for one in found)])
        weights = np.concatenate([np.zeros((0, 3)), *(one.barycentric for one in found)])
        return ModelAnswers(known, SurfacePoints(face, weights), np.full(len(found), 0.9))


class PageServer:
    """A store with photos, served at `url`: a smooth one, and if asked another with a disc, whose border is an edge."""

    def __init__(self, folder, surface, team=False, rules=None, disc=False, search=False, load_distances=None):
        photos = folder / "photos"
        photos.mkdir()
        ramp = np.linspace(40, 200, 240 * 320).reshape(320, 240)
        photo = Image.fromarray(np.stack([ramp, ramp[::-1], ramp[:, ::-1]], 2).astype(np.uint8))
        photo.save(photos / "street.png")
        if disc:
            ImageDraw.Draw(photo).ellipse(DISC, fill=(250, 240, 30))
            photo.save(photos / "disc.png")
        self.store = open_store(str(folder / "annotations.sqlite"))
        self.surface = surface
        add_photos(self.store, photos)
        options = {"rules": rules, "team": team, "search": search, "load_distances": load_distances}
        options["predictor"] = lambda *image: None
        self.app = create_app(self.store, surface, PhotoFolder(self.store, photos), **options)
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(self.app, log_level="error", ws="none", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert self._thread.is_alive() and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)

    def stop(self):
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self.store.close()


@contextmanager
def serving(folder, surface, **options):
    folder.mkdir(exist_ok=True)
    server = PageServer(folder, surface, **options)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def open_page(browser, server, size=(1366, 768), path="/", expect_errors=False, auto_next=False):
    """A page of its own, whose storage begins empty but for having seen the instructions and, unless auto_next, having
    switched off that an answer goes on to the next point."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, accept_downloads=True)
    context.add_init_script("localStorage.setItem('instructed', 'yes')")
    if not auto_next:
        context.add_init_script("localStorage.getItem('auto-next') || localStorage.setItem('auto-next', 'no')")
    page = context.new_page()
    page.set_default_timeout(120_000)
    troubles, foreign = [], []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if "Security Policy" in message.text else None)
    page.on("request", lambda request: None if request.url.startswith(server.url) else foreign.append(request.url))
    page.goto(server.url + path)
    try:
        yield page
    finally:
        context.close()
    assert not foreign, f"the page asked for {foreign}"
    assert expect_errors or not troubles, troubles


class Hands:
    """What an annotator does on a page, and what they look at."""

    def __init__(self, page, server):
        self.page, self.server = page, server
        page.wait_for_selector("body[data-ready]")
        self.csrf = self.get("/api/session")["csrf"]

    def get(self, path):
        return self.page.request.get(self.server.url + path).json()

    def send(self, method, path, body):
        """A change from elsewhere, past the page."""
        headers = {"X-CSRF-Token": self.csrf, "Origin": self.server.url}
        answer = self.page.request.fetch(self.server.url + path, method=method, data=body, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    def new_person(self, box=BOX, photo="street.png") -> int:
        """Adds a person past the page, and opens them there."""
        number = self.add_person(box, photo)
        self.page.goto(f"{self.server.url}/person/{number}")
        self.page.wait_for_selector(f"body[data-stage=parts] #task-name:has-text('Person {number}')")
        return number

    def add_person(self, box=BOX, photo="street.png") -> int:
        """Adds a person past the page, whose task has the same number."""
        task = self.send("POST", "/api/tasks", {"photo": photo, "box_xyxy": box})
        self.send("POST", f"/api/tasks/{task['id']}/release", {})
        return task["id"]

    def task(self, number=1) -> dict:
        return self.get(f"/api/tasks/{number}")

    def masks(self, number=1) -> dict:
        """(256, 256) bool by part, as the server has them."""
        return {int(part): decode_mask(code) for part, code in self.task(number)["parts"].items()}

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def wait_saved(self):
        self.page.wait_for_selector("#save-state[data-state=saved]")

    def wait_state(self, state):
        self.page.wait_for_selector(f"#save-state[data-state={state}]")

    def cell(self, x, y, box=BOX):
        """Where a cell place of the grid is on the screen while the whole box is shown."""
        bounds = self.page.locator("#photo").bounding_box()
        scale = min(bounds["width"] / (box[2] - box[0]), bounds["height"] / (box[3] - box[1])) / 1.08
        return (
            bounds["x"] + bounds["width"] / 2 + (x / 256 - 0.5) * (box[2] - box[0]) * scale,
            bounds["y"] + bounds["height"] / 2 + (y / 256 - 0.5) * (box[3] - box[1]) * scale,
        )

    def stroke(self, *cells):
        first, *others = [self.cell(*cell) for cell in cells]
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in others:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()

    def view_place(self, part, view, x, y):
        """Where a pixel of a view's picture is on the screen."""
        one = self.server.surface.views_of(part)[view]
        bounds = self.page.locator(".view").nth(view).bounding_box()
        scale = min((bounds["width"] - 2) / one.width, (bounds["height"] - 2) / one.height)
        middle = bounds["x"] + bounds["width"] / 2, bounds["y"] + bounds["height"] / 2
        return middle[0] + (x - one.width / 2) * scale, middle[1] + (y - one.height / 2) * scale

    def to_points(self, number=1) -> list[dict]:
        """From the parts to the points; returns them."""
        self.press(".")
        self.page.wait_for_selector("body[data-stage=points]")
        self.page.wait_for_selector(".view")
        return self.task(number)["points"]
