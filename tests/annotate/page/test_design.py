"""One design, from signing in to the plots: each page at three sizes, axe-core, nothing covered, nothing cut off."""

import re

import pytest
from tests.annotate.annotating import user
from tests.annotate.browser import BOX, Hands, open_page, serving
from tests.annotate.page.team_work import submit
from tests.axe import assert_axe_is_content

from opendensepose.annotate.server.access import invite
from opendensepose.annotate.work.store import people

SIZES = {"laptop": (1366, 768), "desk": (1920, 1080), "laptop at 200 %": (683, 384)}
JARGON = re.compile(r"\b(cells?|fill between|IUV|chart \d|task)\b", re.I)


@pytest.fixture(scope="module")
def team(browser, surface, tmp_path_factory):
    """A manager's page, of a team whose annotator ann has submitted person 1; persons 2 and 3 are waiting."""
    with serving(tmp_path_factory.mktemp("design") / "team", surface, team=True) as server:
        with server.store.writing() as connection:
            for _ in range(3):
                box = dict(zip(("x0", "y0", "x1", "y1"), BOX, strict=True))
                connection.execute(people.insert().values(photo_id=1, is_gold=False, times_submitted=0, **box))
        submit(server.store, surface, user(server.store, "ann"))
        with open_page(browser, server, path=f"/enter#{invite(server.store, 'max', 'manager')}") as page:
            page.wait_for_selector("#user:has-text('max')")
            yield Hands(page, server)


def opened(hands, person: int, stage: str):
    page = hands.page
    page.goto(f"{hands.server.url}/person/{person}")
    page.wait_for_selector(f"#task-name:has-text('Person {person}')")
    if stage != "parts" and not hands.task(_task_of(hands, person))["points"]:
        hands.press("m")
        page.wait_for_selector("#notice:has-text('Taken from')")
        hands.wait_saved()
    hands.press("," if stage == "parts" else ".")
    page.wait_for_selector(f"body[data-stage={stage}]")
    page.click("#notice button") if page.is_visible("#notice button") else None


def _task_of(hands, person: int) -> int:
    (row,) = [row for row in hands.get("/api/people")["rows"] if row["person_id"] == person]
    return row["task_id"]


def show_parts(hands):
    opened(hands, 2, "parts")


def show_points(hands):
    opened(hands, 2, "points")


def show_box(hands):
    opened(hands, 3, "parts")
    hands.press("Shift+W")
    hands.page.wait_for_selector("body[data-stage=box]")


def show_review(hands):
    hands.page.goto(f"{hands.server.url}/?review")
    hands.page.wait_for_selector("#review-bar:not([hidden])")


def show_dialogs(hands):
    opened(hands, 2, "parts")
    hands.press("?")
    hands.page.wait_for_selector("dialog .keys")


def show_instructions(hands):
    opened(hands, 2, "parts")
    hands.press("F1")
    hands.page.wait_for_selector("dialog .instructions")


def show_people(hands):
    hands.page.goto(f"{hands.server.url}/people")
    hands.page.wait_for_selector("#people .actions")


def show_team(hands):
    hands.page.goto(f"{hands.server.url}/manager")
    hands.page.wait_for_selector("#plots img")


def show_enter(hands):
    hands.page.goto(f"{hands.server.url}/enter")
    hands.page.wait_for_selector("#more:not([hidden])")


def show_error(hands):
    hands.page.goto(f"{hands.server.url}/person/99999999999")
    hands.page.wait_for_selector("main h1")


PAGES = [show_parts, show_points, show_box, show_review, show_dialogs, show_instructions, show_people, show_team,
         show_enter, show_error]  # fmt: skip


@pytest.mark.parametrize("show", PAGES, ids=lambda show: show.__name__.removeprefix("show_"))
def test_axe_is_content_and_nothing_is_wider_than_the_window(team, show):
    page = team.page
    show(team)
    for name, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if name != "desk":  # which is laid out as the laptop
            assert_axe_is_content(page)
    page.set_viewport_size({"width": 1366, "height": 768})
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(19, 21, 23)"  # dark, as all others
    assert not JARGON.findall(page.inner_text("body"))
    cut = page.evaluate(
        "[...document.querySelectorAll('button, .tab, h1, h2')].filter((one) => one.checkVisibility()"
        " && one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"
    )
    assert not cut


COVERED = """() => { const notice = document.getElementById("notice").getBoundingClientRect();
    const others = ".bar, .task-bar, .review-bar, h1, h2, #photo, .view, .views-actions button, #point-strip button";
    return [...document.querySelectorAll(others)].filter((one) => one.checkVisibility()).filter((one) => {
        const box = one.getBoundingClientRect();
        return box.bottom > notice.top + 1 && box.top < notice.bottom && box.left < notice.right;
    }).map((one) => one.outerHTML.slice(0, 80)); }"""


def test_a_notice_covers_nothing(team):
    show_points(team)
    team.press("Control+Enter")  # not all points are answered
    team.page.wait_for_selector("#notice:has-text('points have neither')")
    assert team.page.evaluate(COVERED) == []
    show_parts(team)
    team.press("Shift+W")
    team.page.wait_for_selector("#notice:has-text('painted on a grid')")
    assert team.page.evaluate(COVERED) == []


def test_a_long_word_about_saving_moves_nothing(team):
    page = team.page
    show_parts(team)
    places = """[...document.querySelectorAll(".bar > *, .tab, .task-bar button")].map((one) =>
        one.getBoundingClientRect().x)"""
    before = page.evaluate(places)
    words = "The server made an error: 12 changes are kept, and tried again soon"
    page.evaluate("(words) => { document.querySelector('#save-state span').textContent = words; }", words)
    after = page.evaluate(places)
    assert after[-4:] == before[-4:]
    last = page.locator(".tab:has-text('Team')").bounding_box()
    assert last["x"] + last["width"] < 1366 and page.evaluate("document.documentElement.scrollWidth") == 1366


def test_what_is_read_only_has_no_tools(team):
    page = team.page
    page.goto(f"{team.server.url}/people?annotator=1&state=submitted")
    page.click("#people .actions a:has-text('Open')")
    page.wait_for_selector("#read-only:has-text('Read only · submitted')")
    for stage in (",", "."):
        team.press(stage)
        page.wait_for_timeout(200)
        live = page.eval_on_selector_all(".for-editing", "all => all.filter((one) => one.checkVisibility()).length")
        assert live == 0 and page.evaluate("getComputedStyle(document.getElementById('photo')).cursor") == "default"
    page.mouse.click(*team.view_place(1, 0, 200, 200))
    page.wait_for_selector("#notice:has-text('cannot be changed')")


def test_limbs_stand_side_by_side_and_say_their_sides(team):
    show_points(team)
    views = team.get("/api/views/9")["views"]
    team.page.evaluate("async () => { window.views = await import('/static/js/views.js'); }")
    team.page.evaluate(
        """(views) => { const grid = document.getElementById("views");
            new window.views.ViewsPanel(grid, () => {}).load(views); }""",
        views,
    )
    boxes = [team.page.locator(".view").nth(k).bounding_box() for k in range(6)]
    assert len({box["y"] for box in boxes}) == 1 and all(box["height"] > 2.5 * box["width"] for box in boxes)
    assert team.page.locator(".view").nth(0).locator(".edge").all_inner_texts() == ["inner", "outer", "foot"]
    show_points(team)  # the torso
    marks = team.page.locator(".view").nth(0).locator(".edge.side")
    assert marks.all_inner_texts() == ["R", "L"]
    left, right = (marks.nth(k).evaluate("(one) => getComputedStyle(one).backgroundColor") for k in range(2))
    assert left != right
