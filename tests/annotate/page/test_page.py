"""The annotation page in a real browser: a whole person by mouse and by keyboard, undo, offline, conflicts, review."""

import json

import numpy as np
import pytest
from tests.annotate.browser import BOX, Hands, expect, open_page, serving

from opendensepose.annotate.server.access import invite


def test_a_whole_person_by_mouse_and_by_keyboard(browser, hands, server, surface, tmp_path):
    page, rng = hands.page, np.random.default_rng(0)
    hands.new_person()
    # The torso with the brush, closed by filling; the head as an outline set by keyboard.
    hands.press("1")
    hands.stroke((70, 100), (180, 100), (180, 190), (70, 190), (70, 100))
    hands.press("f")
    page.mouse.click(*hands.cell(125, 150))
    hands.press("r", "p", *["Shift+ArrowUp"] * 10, "Enter", *["Shift+ArrowLeft"] * 3, *["Shift+ArrowUp"] * 2, "Enter")
    hands.press(*["Shift+ArrowRight"] * 6, "Enter", "c")
    hands.wait_saved()
    masks = hands.masks()
    assert set(masks) == {1, 14} and masks[1][150, 125] and masks[1][100, 125] and not masks[1][60, 125]
    assert 100 < masks[14].sum() < 1000  # half of a 60 x 20 box, cells on its border aside
    points = hands.to_points()
    wished = {}
    for k, point in enumerate(points):
        part, view = point["part"], k % 3
        if k == len(points) - 1:
            hands.press("v", "2")  # cannot tell
        elif k % 2:
            wished[point["id"]] = _answer_by_keyboard(hands, surface, part, view, rng)
        else:
            x, y = surface.place_on(part, view, rng)
            page.mouse.click(*hands.view_place(part, view, x, y))
            wished[point["id"]] = view, x, y
        expect(page.locator(".point-strip [data-state=open]")).to_have_count(len(points) - k - 1)
        hands.press("n")
    hands.wait_saved()
    for point in hands.task()["points"][:-1]:
        view, x, y = wished[point["id"]]
        assert point["answer"]["view"] == view
        got = np.array([point["answer"]["x"], point["answer"]["y"]])
        assert np.abs(got - (x, y)).max() < 2  # a pixel of the screen, in pixels of the picture
    assert hands.task()["points"][-1]["reason"] == "can't tell"
    assert [bool(point["warning"]) for point in hands.task()["points"][:3]] == [True, True, False]
    expect(page.locator(".point-strip [data-state=warning]")).to_have_count(2)
    hands.press("Control+Enter")
    page.click("dialog:has-text('contradict') button:has-text('Submit')")
    page.wait_for_selector("body[data-stage=none]")
    assert hands.task()["status"] == "submitted"
    _exported_and_taken_in_again(browser, hands, surface, tmp_path)


def _answer_by_keyboard(hands, surface, part, view, rng):
    """Chooses the view by its digit, walks the crosshair from the middle to a place on the part, answers with Enter."""
    x, y = surface.place_on(part, view, rng)
    one = surface.views_of(part)[view]
    hands.press(str(view + 1))
    for distance, positive, negative in (
        (round(x - one.width / 2), "ArrowRight", "ArrowLeft"),
        (round(y - one.height / 2), "ArrowDown", "ArrowUp"),
    ):
        key = positive if distance > 0 else negative
        hands.press(*[f"Shift+{key}"] * (abs(distance) // 10), *[key] * (abs(distance) % 10))
    hands.press("Enter")
    return view, x, y


def _exported_and_taken_in_again(browser, hands, surface, tmp_path):
    page = hands.page
    hands.press("Shift+L")
    page.wait_for_selector("body[data-ready] #people")
    with page.expect_download() as download:
        page.click("text=Export JSON")
    file = tmp_path / "densepose.json"
    download.value.save_as(file)
    (exported,) = json.loads(file.read_text())["annotations"]
    answered = [point for point in hands.task()["points"] if point["answer"]]
    assert exported["dp_I"] == [point["answer"]["i"] for point in answered]
    with serving(tmp_path / "two", surface) as second, open_page(browser, second) as other:
        there = Hands(other, second)
        other.wait_for_selector("#empty-title:has-text('No person')")
        there.press("Shift+L")
        other.set_input_files("input[type=file]", file)
        other.wait_for_selector("text=1 new person")
        other.click("#people .actions a")
        other.wait_for_selector("body[data-stage]:not([data-stage=none])")
        again = there.task()
        assert {part: mask.tolist() for part, mask in there.masks().items()} == {
            part: mask.tolist() for part, mask in hands.masks().items()
        }
        before, after = ({_place(point): point for point in task["points"]} for task in (hands.task(), again))
        assert before.keys() == after.keys()
        for place, point in before.items():
            assert after[place]["reason"] == point["reason"]
            if point["answer"]:
                uv = [[one["answer"][name] for name in "iuv"] for one in (point, after[place])]
                np.testing.assert_allclose(*uv, atol=1e-3)


def _place(point):
    return point["part"], point["x"], point["y"]


def test_undo_and_redo_without_limit(hands, surface):
    hands.new_person()
    steps = [{}]
    for k in range(6):
        hands.press(str(1 + k % 3))
        hands.stroke((40 + 20 * k, 60), (60 + 20 * k, 160))
        hands.wait_saved()
        steps.append(hands.task()["parts"])
    for wanted in steps[-2::-1]:
        hands.press("Control+z")
        hands.wait_saved()
        assert hands.task()["parts"] == wanted
    for wanted in steps[1:]:
        hands.press("Control+Shift+z")
        hands.wait_saved()
        assert hands.task()["parts"] == wanted
    points = hands.to_points()
    rng, first = np.random.default_rng(1), points[0]
    answers = [None]
    for view in (0, 1, 2):
        place = surface.place_on(first["part"], view, rng)
        hands.page.mouse.click(*hands.view_place(first["part"], view, *place))
        hands.wait_saved()
        answers.append(hands.task()["points"][0]["answer"])
    assert [answer and answer["view"] for answer in answers] == [None, 0, 1, 2]
    for wanted in answers[-2::-1]:
        hands.press("Control+z")
        hands.wait_saved()
        assert hands.task()["points"][0]["answer"] == wanted
    for wanted in answers[1:]:
        hands.press("Control+y")
        hands.wait_saved()
        assert hands.task()["points"][0]["answer"] == wanted


def test_an_answer_is_dragged_and_seen_in_other_views(hands, surface):
    hands.new_person()
    hands.press("m")
    hands.page.wait_for_selector("#notice:has-text('guess')")
    point = hands.to_points()[0]
    rng = np.random.default_rng(2)
    start, end = (surface.place_on(point["part"], 0, rng) for _ in range(2))
    hands.page.mouse.move(*hands.view_place(point["part"], 0, *start))
    hands.page.mouse.down()
    hands.page.mouse.move(*hands.view_place(point["part"], 0, *end), steps=3)
    hands.page.mouse.up()
    hands.wait_saved()
    answer = hands.task()["points"][0]
    assert abs(answer["answer"]["x"] - end[0]) < 2 and abs(answer["answer"]["y"] - end[1]) < 2
    shown = {place["view"] for place in answer["shown"]}
    seen = hands.page.eval_on_selector_all(
        ".view", "cells => cells.map(c => c.querySelectorAll('.mark.current').length)"
    )
    assert seen == [int(view in shown) for view in range(6)] and len(shown) > 0
    # A click beside the part is refused with a hint and leaves the answer as it was.
    corner = hands.view_place(point["part"], 0, 3, 3)
    hands.page.mouse.click(*corner)
    hands.page.wait_for_selector("#notice:has-text('beside')")
    assert hands.task()["points"][0]["answer"] == answer["answer"]
    # The asked place is moved by keyboard, a pixel to the right.
    hands.press("m", "ArrowRight", "Enter")
    hands.wait_saved()
    moved = hands.task()["points"][0]
    assert (moved["x"], moved["y"]) == (point["x"] + 1, point["y"]) and moved["answer"] == answer["answer"]
    # Let go beside the picture, the answer is where the drag was seen last.
    hands.page.mouse.move(*hands.view_place(point["part"], 0, *end))
    hands.page.mouse.down()
    hands.page.mouse.move(*hands.view_place(point["part"], 0, *start), steps=3)
    hands.page.mouse.move(*hands.cell(128, 128))
    hands.page.mouse.up()
    expect(hands.page.locator("#point-note")).not_to_have_text("Saving …")
    last = hands.task()["points"][0]["answer"]
    assert abs(last["x"] - start[0]) < 2 and abs(last["y"] - start[1]) < 2


def test_offline_changes_are_kept_and_sent_later(hands):
    hands.new_person()
    hands.press("1")
    hands.page.route("**/parts", lambda route: route.abort())
    hands.stroke((60, 60), (120, 60))
    hands.wait_state("offline")
    hands.press("2")
    hands.stroke((60, 160), (120, 160))
    assert "kept" in hands.page.inner_text("#save-state") and hands.task()["parts"] == {}
    # Even a page that is closed and opened again has them.
    hands.page.once("dialog", lambda dialog: dialog.accept())
    hands.page.reload()
    hands.page.wait_for_selector("body[data-stage=parts]")
    hands.wait_state("offline")
    hands.page.unroute("**/parts")
    hands.wait_saved()
    masks = hands.masks()
    assert set(masks) == {1, 2} and masks[1][60, 90] and masks[2][160, 90]
    assert hands.page.evaluate("localStorage.getItem('unsaved.1')") is None


def test_a_lost_answer_is_no_conflict_and_not_done_twice(hands):
    hands.new_person()
    losses = []

    def lose_answer(route):
        if losses:
            return route.continue_()
        losses.append(route.fetch().status)
        return route.abort()

    hands.page.route("**/parts", lose_answer)
    version = hands.task()["version"]
    hands.stroke((60, 60), (120, 60))
    hands.wait_saved()
    assert losses == [200] and hands.task()["version"] == version + 1


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_conflict_is_told_and_nothing_is_overwritten(hands, choice):
    hands.new_person()
    hands.stroke((60, 60), (120, 60))
    hands.wait_saved()
    theirs = hands.task()["parts"]["1"]["counts"]
    hands.send("PUT", "/api/tasks/1/parts", {"version": hands.task()["version"], "parts": {"3": theirs}})
    hands.press("2")
    hands.stroke((60, 160), (120, 160))
    hands.wait_state("conflict")
    hands.page.wait_for_selector("dialog:has-text('Nothing was overwritten')")
    assert set(hands.task()["parts"]) == {"1", "3"}
    hands.press("Escape")  # no way round the question
    hands.page.wait_for_selector("dialog:has-text('right hand')")
    hands.page.click(f"dialog button:has-text('{'Put mine' if choice == 'mine' else 'Drop mine'}')")
    hands.wait_saved()
    assert set(hands.task()["parts"]) == ({"1", "2", "3"} if choice == "mine" else {"1", "3"})


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
def test_photo_and_six_views_are_in_sight_at_once(browser, server, size):
    with open_page(browser, server, size) as page:
        hands = Hands(page, server)
        hands.new_person()
        hands.press("m")
        page.wait_for_selector("#notice:has-text('guess')")
        assert _scroll_size(page) == size
        hands.to_points()
        assert _scroll_size(page) == size
        cells = [page.locator("#photo").bounding_box()]
        cells += [page.locator(".view").nth(k).bounding_box() for k in range(6)]
        for cell in cells:
            assert cell["x"] >= 0 and cell["y"] >= 0 and cell["width"] > 200 and cell["height"] > 200
            assert cell["x"] + cell["width"] <= size[0] and cell["y"] + cell["height"] <= size[1]


def test_zoomed_to_200_percent_nothing_is_cut_off(browser, server):
    with open_page(browser, server, (683, 384)) as page:  # 1366 x 768 at 200 %
        hands = Hands(page, server)
        hands.new_person()
        assert _scroll_size(page)[0] == 683
        hands.press("m")
        page.wait_for_selector("#notice:has-text('guess')")
        hands.to_points()
        assert _scroll_size(page)[0] == 683


def _scroll_size(page):
    return tuple(page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"))


def test_tab_reaches_everything_with_a_visible_focus(hands):
    hands.new_person()
    reached = set()
    for _ in range(60):
        hands.press("Tab")
        here = hands.page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.dataset.action || e.dataset.part || e.id,
                        e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent,
                        s.outlineStyle != 'none' && parseFloat(s.outlineWidth) >= 2]; }"""
        )
        if here[0] in ("", None):  # the end of the page
            continue
        assert here[1] and here[2], f"{here[0]} has no name or no visible focus"
        reached.add(here[0])
    buttons = hands.page.eval_on_selector_all(
        "[data-action]", "all => all.filter(b => b.checkVisibility() && !b.disabled).map(b => b.dataset.action)"
    )
    assert reached >= set(buttons) | {"photo", "1", "14", "brush-size", "opacity", "keep-others"}


def test_keys_are_listed_and_can_be_changed(hands):
    hands.new_person()
    hands.press("?")
    hands.page.wait_for_selector("dialog:has-text('Undo, without limit')")
    hands.page.click("[aria-label='Change the key of: Erase']")
    hands.press("b")
    hands.page.wait_for_selector("dialog:has-text('B is taken: Brush')")
    hands.page.click("[aria-label='Change the key of: Erase']")
    hands.press("d", "Escape", "d")
    hands.page.wait_for_selector("[data-action=tool-erase][aria-pressed=true]")


QUICK_SEND_BACK = """async () => {
    document.querySelector("dialog .primary").click();
    for (let n = 0; n < 50; n++) await null;  // no later than the very next key can come
    const how = { key: "B", code: "KeyB", shiftKey: true, bubbles: true };
    document.body.dispatchEvent(new KeyboardEvent("keydown", how));
}"""


def test_a_reviewer_sends_back_with_comments_that_stay_text(browser, surface, tmp_path):
    with serving(tmp_path / "team", surface, team=True) as server:
        links = {role: f"/enter#{invite(server.store, role, role)}" for role in ("manager", "reviewer")}
        with open_page(browser, server, path=links["manager"]) as page:
            hands = Hands(page, server)
            hands.new_person()
            hands.press("m")
            page.wait_for_selector("#notice:has-text('guess')")
            for point in hands.to_points():  # past the page, which is faster
                reason = {"version": hands.task()["version"], "reason": "not visible"}
                hands.send("PUT", f"/api/tasks/1/points/{point['id']}", reason)
            assert hands.send("POST", "/api/tasks/1/submit", {})["status"] == "submitted"
        with open_page(browser, server, path=links["reviewer"]) as page:
            hands = Hands(page, server)
            page.wait_for_selector("#review-bar:not([hidden])")
            hands.press("Shift+C")
            page.fill("dialog textarea", "<img src=x onerror=alert(1)><b>wrong</b>")
            page.evaluate(QUICK_SEND_BACK)
            page.wait_for_selector("body[data-stage=none]")
        with open_page(browser, server, path=f"/enter#{invite(server.store, 'manager', 'manager')}") as page:
            hands = Hands(page, server)
            page.wait_for_selector("#notice:has-text('<b>wrong</b>')")
            page.wait_for_selector("#point-strip [data-state=comment]")
            assert page.locator("b:has-text('wrong')").count() == 0
            page.goto(server.url + "/manager")
            page.wait_for_selector("#annotators td:has-text('reviewer')")


def test_a_box_is_drawn_by_hand(hands):
    hands.press("Shift+D")
    hands.page.wait_for_selector("dialog select")
    hands.page.click("dialog .primary")
    hands.page.wait_for_selector("body[data-stage=box]")
    hands.page.wait_for_timeout(100)
    hands.press(*["Shift+ArrowLeft"] * 3, *["Shift+ArrowUp"] * 5, "Enter")
    hands.press(*["Shift+ArrowRight"] * 6, *["Shift+ArrowDown"] * 10, "Enter")
    hands.page.wait_for_selector("body[data-stage=parts]")
    assert hands.task()["box_xyxy"] == [60, 60, 180, 260] and BOX != hands.task()["box_xyxy"]


def test_the_box_is_drawn_anew_until_something_is_painted(hands):
    number = hands.new_person()
    hands.press("Shift+W")
    hands.page.wait_for_selector("body[data-stage=box]")
    hands.press("Escape")
    hands.page.wait_for_selector("body[data-stage=parts]")
    assert hands.task(number)["box_xyxy"] == BOX
    hands.press("Shift+W")
    hands.page.wait_for_selector("body[data-stage=box]")
    hands.press("Enter", *["Shift+ArrowRight"] * 2, *["Shift+ArrowDown"] * 3, "Enter")
    hands.page.wait_for_selector("body[data-stage=parts]")
    x0, y0, x1, y1 = hands.task(number)["box_xyxy"]
    assert (x1 - x0, y1 - y0) == (40, 60)
    hands.press("Enter", "ArrowRight", "Enter")  # a stroke of the brush
    hands.wait_saved()
    hands.press("Shift+W")
    hands.page.wait_for_selector("#notice:has-text('painted on a grid over the box')")
    assert hands.page.get_attribute("body", "data-stage") == "parts"
