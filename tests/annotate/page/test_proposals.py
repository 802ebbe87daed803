"""Answering in the browser: the model's proposals, going on by itself, a guess that comes late, submitting."""

import numpy as np
import pytest
from tests.annotate.browser import BlankPictures, Hands, expect, open_page, serving

from opendensepose.annotate.work.tasks import Rules


@pytest.fixture(scope="module")
def surface():
    quiet = BlankPictures()
    quiet.find_contradictions = lambda *answers: []
    return quiet


@pytest.fixture
def hands(browser, surface, tmp_path):
    with serving(tmp_path / "one", surface, rules=Rules(proposal_rate=1.0)) as server:
        with open_page(browser, server, auto_next=True) as page:
            page.wait_for_selector("#empty-title:has-text('No person')")
            yield Hands(page, server)


def at_points(hands) -> list[dict]:
    """Takes the model's parts, goes to the points and waits for the proposals; a torso and a head."""
    hands.new_person()
    hands.press("m")
    hands.page.wait_for_selector("#notice:has-text('Taken from')")
    hands.to_points()
    hands.page.wait_for_selector("body[data-proposals=true]")
    return hands.task()["points"]


def current(hands) -> int:
    return int(hands.page.inner_text("#point-strip [aria-current=true]"))


def test_proposals_are_accepted_with_one_key_or_corrected_by_a_click(hands, surface):
    page, points = hands.page, at_points(hands)
    torso = [k for k, point in enumerate(points) if point["part"] == 1]
    assert all(bool(point["proposal"]) == (point["part"] == 1) for point in points)
    page.click(f"#point-strip li:nth-child({torso[0] + 1}) button")
    page.wait_for_selector(".mark.current.proposed")  # shown as such
    expect(page.locator(".mark.current.proposed text").first).to_have_text("1?")
    assert "proposes" in page.inner_text("#point-note")
    hands.press("Enter")
    expect(page.locator("#point-strip [aria-current=true]")).to_have_text(str(torso[0] + 2))
    place = surface.place_on(1, 2, np.random.default_rng(8))
    page.mouse.click(*hands.view_place(1, 2, *place))
    expect(page.locator("#point-strip [aria-current=true]")).to_have_text(str(torso[0] + 3))
    hands.press("Shift+Enter")
    hands.wait_saved()
    expect(page.locator("#point-strip [data-state=proposed]")).to_have_count(0)
    first, second, *others = [hands.task()["points"][k] for k in torso]
    assert first["accepted"] and all(point["accepted"] for point in others)
    assert first["answer"]["u"] == pytest.approx(first["proposal"]["u"])
    assert not second["accepted"] and second["answer"]["view"] == 2
    assert points[current(hands) - 1]["part"] == 14  # on to what is open
    hands.press(*["Control+z"] * len(others))
    hands.wait_saved()
    expect(page.locator("#point-strip [data-state=proposed]")).to_have_count(len(others))
    assert not hands.task()["points"][torso[2]]["answer"] and hands.task()["points"][torso[0]]["accepted"]


def test_an_answer_goes_on_but_a_drag_and_undo_stay(hands, surface):
    page, points = hands.page, at_points(hands)
    rng, start = np.random.default_rng(2), current(hands)
    part = points[start - 1]["part"]
    places = [hands.view_place(part, 0, *surface.place_on(part, 0, rng)) for _ in range(2)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=3)
    page.wait_for_timeout(600)  # longer than it takes to go on
    assert current(hands) == start
    page.mouse.up()
    expect(page.locator("#point-strip [aria-current=true]")).to_have_text(str(start + 1))
    hands.press("Control+z", "Control+z")  # the drag, and the press that began it
    hands.wait_saved()
    page.wait_for_timeout(600)
    assert current(hands) == start and not hands.task()["points"][start - 1]["answer"]
    hands.press("a")
    page.mouse.click(*places[0])
    hands.wait_saved()
    page.wait_for_timeout(600)
    assert current(hands) == start
    page.reload()
    page.wait_for_selector("#auto-next:not(:checked)", state="attached")


def test_a_submitted_person_is_confirmed_and_the_next_one_opened(hands):
    points = at_points(hands)
    for point in points:
        body = {"version": hands.task()["version"], "reason": "not visible"}
        hands.send("PUT", f"/api/tasks/1/points/{point['id']}", body)
    hands.send("POST", "/api/tasks", {"photo": "street.png", "box_xyxy": [10, 10, 100, 200]})
    hands.page.reload()
    hands.page.wait_for_selector("body[data-stage=points]")
    hands.page.click("#auto-next")  # which keeps the focus, and none of the keys
    hands.press("Control+Enter")
    hands.page.wait_for_selector("#notice:has-text('Submitted: person 1 of street.png'):has-text('Now: person 2.')")
    assert "Person 2" in hands.page.inner_text("#task-name")


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_late_guess_keeps_what_was_painted_meanwhile(hands, goes_on):
    hands.new_person()
    page, held = hands.page, []
    page.route("**/guess", lambda route: held.append(route))
    hands.press("m", "2")
    hands.stroke((100, 120), (140, 120))
    hands.wait_saved()
    painted = hands.masks()[2]
    if goes_on:
        hands.press(".")
        page.wait_for_selector("body[data-stage=points]")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    if goes_on:
        page.wait_for_selector("#notice:has-text('was not used')")
        assert set(hands.masks()) == {2}
        return
    page.wait_for_selector("#notice:has-text('meanwhile is kept')")
    hands.wait_saved()
    masks = hands.masks()
    assert set(masks) == {1, 2, 14} and np.array_equal(masks[2], painted)
    hands.press("Control+z")
    hands.wait_saved()
    assert set(hands.masks()) == {2}
