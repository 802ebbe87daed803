"""The page's own code: masks coded as pycocotools does, shapes on the grid, keys that do not collide, small modules."""

import re
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from opendensepose import annotate
from opendensepose.annotate.server.markup import render

STATIC = Path(annotate.__path__[0]) / "page"


@pytest.fixture(scope="module")
def page(browser):
    """A page without a server: the modules are given to the browser from the folder."""
    page = browser.new_page()
    page.route(
        "http://page.test/static/**",
        lambda route: route.fulfill(path=STATIC / route.request.url.split("/static/")[1]),
    )
    page.route("http://page.test/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto("http://page.test/")
    return page


def masks_to_code():
    rng = np.random.default_rng(5)
    yield np.zeros((256, 256), bool)
    yield np.ones((256, 256), bool)
    first = np.zeros((256, 256), bool)
    first[0, 0] = first[255, 255] = True
    yield first
    for share in (0.02, 0.5, 0.98):
        yield rng.random((256, 256)) < share
    rows, columns = np.mgrid[:256, :256]
    yield (rows - 100) ** 2 + (columns - 120) ** 2 < 70**2


@pytest.mark.parametrize("mask", list(masks_to_code()))
def test_masks_are_coded_as_pycocotools_does(page, mask):
    expected = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    run = """async ([cells, counts]) => { const rle = await import("/static/js/rle.js");
        const encoded = rle.encodeMask(Uint8Array.from(cells, Number), 256, 256);
        return [encoded, rle.decodeMask(counts, 256, 256).join("")]; }"""
    text = "".join(map(str, mask.astype(int).ravel()))
    assert page.evaluate(run, [text, expected]) == [expected, text]


@pytest.mark.parametrize("counts", ["0", "!!", "~", "P" * 400])
def test_a_broken_code_is_refused_or_fits_the_grid(page, counts):
    run = """async (counts) => { const rle = await import("/static/js/rle.js");
        try { return rle.decodeMask(counts, 256, 256).length } catch (error) { return error.name } }"""
    assert page.evaluate(run, counts) in ("RangeError", 256 * 256)


def shape(page, expression: str) -> set[tuple[int, int]] | None:
    """Cells (x, y) of an expression of the module shapes.js; `grid(...)` makes labels of rectangles x0, y0, x1, y1."""
    cells = page.evaluate(
        f"""async () => {{ const shapes = await import("/static/js/shapes.js");
        const grid = (...boxes) => {{ const cells = new Uint8Array(65536);
            for (const [x0, y0, x1, y1, label] of boxes)
                for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) cells[y * 256 + x] = label;
            return cells; }};
        const found = {expression}; return found && [...found]; }}"""
    )
    return None if cells is None else {(cell % 256, cell // 256) for cell in cells}


def rectangle(x0, y0, x1, y1):
    return {(x, y) for x in range(x0, x1) for y in range(y0, y1)}


def test_shapes_by_hand(page):
    assert shape(page, "shapes.strokeCells([5.5, 7.5], [5.5, 7.5], [0.4, 0.4])") == {(5, 7)}
    assert shape(page, "shapes.strokeCells([5.5, 7.5], [9.5, 7.5], [0.6, 0.6])") == rectangle(5, 7, 10, 8)
    wide = shape(page, "shapes.strokeCells([50.5, 50.5], [50.5, 50.5], [8, 2])")  # an ellipse: 8 cells by 2
    assert {y for _, y in wide} == {48, 49, 50, 51, 52} and {x for x, _ in wide} == set(range(42, 59))
    assert shape(page, "shapes.polygonCells([[10, 20], [14, 20], [14, 23], [10, 23]])") == rectangle(10, 20, 14, 23)
    ring = "grid([10, 10, 20, 20, 3], [12, 12, 18, 18, 0])"
    assert shape(page, f"shapes.enclosedCells({ring}, 15 * 256 + 15)") == rectangle(12, 12, 18, 18)
    assert shape(page, f"shapes.enclosedCells({ring}, 0)") is None  # the outside is open
    assert shape(page, f"shapes.gapCells({ring}, 3, 1)") == rectangle(12, 12, 18, 18)
    # Two bars of a part with a gap of 3 cells: a brush of radius 2 closes it, one of radius 1 does not.
    bars = "grid([10, 10, 40, 30, 3], [43, 10, 70, 30, 3])"
    assert shape(page, f"shapes.gapCells({bars}, 3, 2)") >= rectangle(40, 12, 43, 28)
    assert shape(page, f"shapes.gapCells({bars}, 3, 1)") == set()


def test_no_two_requests_carry_one_version(page):
    """What is changed while the server chooses points or takes a submission waits for the answer's version."""
    run = """async () => { const { SaveQueue } = await import("/static/js/save.js");
        const sent = [];
        let version = 1;
        window.fetch = async (path, { body }) => {
            sent.push(JSON.parse(body).version);
            await new Promise((resolve) => setTimeout(resolve, 5));
            return new Response(JSON.stringify({ version: ++version })); };
        const queue = new SaveQueue({ id: 1, version }, () => {});
        const calls = [queue.direct("POST", "/points"), queue.direct("POST", "/submit")];
        queue.add({ method: "PUT", path: "/parts", body: {} });
        await Promise.all(calls);
        await queue.flush();
        return sent; }"""
    assert page.evaluate(run) == [1, 2, 3]


@pytest.mark.parametrize("user", [7, 8])
def test_a_change_passes_with_a_session_begun_in_another_tab_unless_it_is_anothers(page, user):
    run = """async (user) => { const { call, setSession } = await import("/static/js/api.js");
        setSession({ id: 7, csrf: "old" });
        window.fetch = async (path, { headers }) => {
            const isNew = path === "/api/session" || headers["X-CSRF-Token"] === "new";
            const answer = { id: user, csrf: "new", annotator: "bob", saved: isNew };
            return new Response(JSON.stringify(answer), { status: isNew ? 200 : 403 }); };
        try { return (await call("PUT", "/parts", {})).saved; } catch (error) { return error.status; } }"""
    assert page.evaluate(run, user) == (True if user == 7 else 401)


def test_no_key_has_two_meanings(page):
    actions = page.evaluate('async () => (await import("/static/js/keys.js")).ACTIONS')
    parts = [{"id": f"part-{k}", "stage": "parts", "keys": [key]} for k, key in enumerate("1234567890qwer")]
    for stage in ("parts", "points", "box"):
        keys = [key for one in [*actions, *parts] if one["stage"] in (stage, "any", "review") for key in one["keys"]]
        assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)


def test_every_button_has_an_action_and_every_action_a_handler():
    keys, handlers = ((STATIC / "js" / name).read_text() for name in ("keys.js", "handlers.js"))
    listed = set(re.findall(r'action\("([\w-]+)"', keys))
    assert set(re.findall(r'data-action="([\w-]+)"', render("annotate.html", page="annotate"))) <= listed
    directions = {f"{name}-{way}" for name in ("cursor", "box", "cross") for way in ("left", "right", "up", "down")}
    handled = set(re.findall(r'^    "?([\w-]+)"?: (?:moving)?\(', handlers, re.M)) | directions
    assert listed == handled


def test_modules_are_small():
    lines = {path.name: len(path.read_text().splitlines()) for path in STATIC.rglob("*.js")}
    assert lines and not {name: count for name, count in lines.items() if count >= 150}


def test_modules_make_no_markup_from_text():
    from_text = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
    found = {path.name: re.findall(from_text, path.read_text()) for path in STATIC.rglob("*.js")}
    assert found and not {name: what for name, what in found.items() if what}


def test_pages_have_nothing_inline_and_load_from_the_server_only():
    inline = r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:"
    elsewhere = r'(?:src|href)="[^/"][^"]*"'
    pages = {page: render(f"{page}.html", page=page) for page in ("annotate", "people", "team", "enter")}
    found = {page: re.findall(f"{inline}|{elsewhere}", html) for page, html in pages.items()}
    assert not {name: what for name, what in found.items() if what}
