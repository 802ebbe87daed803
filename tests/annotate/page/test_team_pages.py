"""From person to person, lists and teams in a real browser: addresses, review in turn, people page, team page."""

import random
import re
import time

import numpy as np
import sqlalchemy as sql
from tests.annotate.annotating import user
from tests.annotate.browser import Hands, expect, open_page, serving
from tests.annotate.fakes import Clock, FlatSurface, StraightDistances, flat_picture
from tests.annotate.page.team_work import submit

from opendensepose.annotate.server.access import invite
from opendensepose.annotate.work import edits, tasks
from opendensepose.annotate.work.edits import Answer, Click
from opendensepose.annotate.work.gold import add_gold
from opendensepose.annotate.work.store import people, photos, points
from opendensepose.annotate.work.store import tasks as task_table
from opendensepose.data.masks import encode_mask

RULES = tasks.Rules()


def add_people(store, count: int) -> None:
    with store.writing() as connection:
        for k in range(count):
            box = {"x0": 10.0 + k % 50, "y0": 20.0, "x1": 120.0 + k % 50, "y1": 300.0}
            connection.execute(people.insert().values(photo_id=1, is_gold=False, times_submitted=0, **box))


def wait_person(page, number: int) -> None:
    page.wait_for_selector(f"#task-name:has-text('Person {number}')")
    page.wait_for_url(re.compile(rf"/person/{number}(\?|$)"))


TWICE = """(key) => { for (const _ of [1, 2]) document.body.dispatchEvent(
    new KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true })); }"""


def leases(store) -> dict[int, bool]:
    with store.reading() as connection:
        rows = connection.execute(sql.select(task_table.c.person_id, task_table.c.lease_expires_at))
        return {person: until is not None for person, until in rows}


def test_each_person_has_an_address_and_next_goes_on(browser, surface, tmp_path):
    with serving(tmp_path / "one", surface) as server:
        add_people(server.store, 4)
        with open_page(browser, server) as page:
            hands = Hands(page, server)
            wait_person(page, 1)
            assert len(hands.task(1)["others"]) == 3
            page.evaluate(TWICE, "N")
            wait_person(page, 2)
            page.wait_for_timeout(300)
            assert leases(server.store) == {1: False, 2: True}  # what one leaves is given back
            page.reload()
            wait_person(page, 2)
            page.goto(server.url)  # a new visit goes on where one was
            wait_person(page, 2)
            hands.press("Shift+P")
            wait_person(page, 1)
            page.go_back()
            wait_person(page, 2)
            hands.press("Shift+S")
            page.click("dialog .choices button")
            wait_person(page, 3)
            hands.press("Shift+N")
            wait_person(page, 4)
            hands.press("Shift+N")
            wait_person(page, 1)  # nobody new is left: round again
            page.goto(f"{server.url}/person/2")  # skipped: brought back
            wait_person(page, 2)
            hands.press("Shift+E")
            page.wait_for_selector("body[data-editable=true]")
            assert hands.task(2)["status"] == "open" and leases(server.store)[2]
            page.goto(f"{server.url}/person/99")
            page.wait_for_selector("#empty-text:has-text('no person 99')")


def test_review_goes_in_turn_and_keeps_unsent_comments(browser, surface, tmp_path):
    with serving(tmp_path / "team", surface, team=True) as server:
        add_people(server.store, 3)
        ann = user(server.store, "ann")
        first = submit(server.store, surface, ann)
        second = submit(server.store, surface, ann, first)
        with open_page(browser, server, path=f"/enter#{invite(server.store, 'rita', 'reviewer')}") as page:
            page.wait_for_selector("#user:has-text('rita')")
            hands = Hands(page, server)
            wait_person(page, 1)
            hands.press("Shift+C")
            page.fill("dialog textarea", "too high")
            page.click("dialog .primary")
            hands.press("Shift+N")
            wait_person(page, 2)
            page.wait_for_selector("#review-comments:has-text('no comments')")
            hands.press("Shift+N")
            wait_person(page, 1)  # in turn: not "nothing to review"
            page.wait_for_selector("#review-comments:has-text('1 comment')")  # kept, not lost
            page.reload()
            page.wait_for_selector("#review-comments:has-text('1 comment')")
            hands.press("Shift+B")
            wait_person(page, 2)
            assert hands.get(f"/api/tasks/{first}")["comments"][0]["text"] == "too high"
            page.goto(f"{server.url}/people?state=submitted")
            expect(page.locator("#people .actions")).to_have_count(1)
            page.click("#people .actions a")
            wait_person(page, 2)
            hands.press("Shift+A")
            page.wait_for_selector("#empty-title:has-text('Nothing to review')")
            assert hands.get(f"/api/tasks/{second}")["status"] == "accepted"


def test_the_people_page_filters_pages_assigns_and_brings_back(browser, surface, tmp_path):
    with serving(tmp_path / "team", surface, team=True) as server:
        add_people(server.store, 130)
        ann = user(server.store, "ann")
        skipped = tasks.next_task(server.store, RULES, ann)
        tasks.skip(server.store, RULES, ann, skipped, "too dark <b>here</b>")
        path = f"/enter#{invite(server.store, 'max', 'manager')}"
        with open_page(browser, server, path=path) as page:
            page.wait_for_selector("#user:has-text('max')")
            page.wait_for_selector("body[data-ready]")
            page.goto(f"{server.url}/people")
            page.wait_for_selector("#range:has-text('1 to 50 of 131')")  # max was given whom ann skipped
            expect(page.locator("#people img").first).not_to_have_js_property("naturalWidth", 0)
            page.click("#last")
            page.wait_for_selector("#range:has-text('101 to 131')")
            page.go_back()
            page.wait_for_selector("#range:has-text('1 to 50')")
            page.fill("[name=search]", "dark")
            page.wait_for_selector("#range:has-text('1 to 1 of 1')")
            assert "too dark <b>here</b>" in page.inner_text("#people")
            page.click("#people .actions button")  # reopen
            page.wait_for_selector("#people td:has-text('Nobody fits')")
            page.fill("[name=search]", "")
            page.wait_for_selector("#range:has-text('of 131')")
            page.select_option("[name=state]", "waiting")
            page.wait_for_selector("#range:has-text('of 129')")
            page.check("#people th input")
            page.select_option("#assign-to", label="ann")
            page.click("#assign")
            page.wait_for_selector("#notice:has-text('50 people assigned')")
            page.wait_for_selector("#range:has-text('of 79')")
            page.goto(f"{server.url}/people?annotator={ann.id}&sort=photo")
            page.wait_for_selector("#range:has-text('of 51')")
            page.click("#people .actions a >> nth=1")  # ann's work, read by the manager, walked by the list
            wait_person(page, 2)
            page.wait_for_selector("body[data-editable=false]")
            page.keyboard.press("Shift+N")
            wait_person(page, 3)
            assert "list=annotator" in page.url


def test_the_team_page_invites_revokes_and_forecasts(browser, surface, tmp_path):
    with serving(tmp_path / "team", surface, team=True) as server:
        add_people(server.store, 4)
        ann = user(server.store, "ann")
        submit(server.store, surface, ann)
        with open_page(browser, server, path=f"/enter#{invite(server.store, 'max', 'manager')}") as page:
            page.wait_for_selector("#task-name:has-text('Person')")
            page.goto(f"{server.url}/manager")
            for _ in range(200):  # max leaves whom they were given when they came
                if not any(leases(server.store).values()):
                    break
                page.wait_for_timeout(50)
            page.reload()
            page.wait_for_selector("#annotators td:has-text('ann')")

            def texts(selector):
                return page.eval_on_selector_all(selector, "all => all.map((one) => one.textContent)")

            assert texts("#progress dd") == ["4", "0", "1", "0", "3", "0", "3"]
            assert "3 annotations are left: 3 days" in page.inner_text("#forecast")
            page.fill("[name=name]", "<b>bob</b>")
            page.click("#invite .primary")
            page.wait_for_selector("#made:not([hidden])")
            link = page.input_value("#made-link")
            assert link.startswith(f"{server.url}/enter#")
            with open_page(browser, server, path=link.removeprefix(server.url)) as other:
                other.wait_for_selector("#user:has-text('bob')")
                with open_page(browser, server, path=link.removeprefix(server.url)) as third:
                    third.wait_for_selector("#state:has-text('used before')")
                page.reload()
                page.click("tr:has-text('bob') >> text=Revoke")
                page.click("dialog .primary")
                page.wait_for_selector("tr:has-text('bob') >> text=revoked")
                other.reload()
                other.wait_for_selector("text=Sign in with your personal link")
            page.wait_for_selector("#plots img")
            page.click("#user")
            page.click("dialog >> text=Sign out")
            page.wait_for_selector("#state:has-text('not signed in')")
            page.goto(server.url)
            assert "Sign in" in page.inner_text("main")


def work(server, clock, who, seconds: float, error_m: float) -> None:
    """Annotates the next person, a gold one if one is left: so many seconds a point, so far from the truth."""
    store, rules = server.store, tasks.Rules(gold_rate=0.99, rng=random.Random(0))
    task_id = tasks.next_task(store, rules, who, after=0)
    grid = np.zeros((256, 256), bool)
    grid[100:150, 100:150] = True
    edits.set_parts(store, rules, who, task_id, {1: encode_mask(grid)["counts"]}, version=1)
    edits.resample_points(store, rules, who, task_id, server.surface.sample_points, version=2)
    with store.reading() as connection:
        asked = connection.execute(sql.select(points).where(points.c.task_id == task_id)).all()
    for k, point in enumerate(asked):
        clock.pass_seconds(seconds)
        u, v = (np.floor(at) / 640 * 0.5 for at in (point.x, point.y))  # the truth of `flat_picture`
        answer = Answer(Click(view=0, x=100 * (u + error_m), y=100 * v))
        edits.answer_point(store, rules, who, task_id, point.id, answer, server.surface.point_at, version=3 + k)
    tasks.submit(store, rules, who, task_id)


def test_the_team_page_tells_speed_and_error_of_each_annotator(browser, tmp_path):
    options = {"team": True, "load_distances": StraightDistances}
    with serving(tmp_path / "team", FlatSurface(), **options) as server:
        clock = server.store.clock = Clock(time.time())
        add_people(server.store, 5)
        add_gold(server.store, 1, seed=3, render=flat_picture)
        ann, bob = (user(server.store, name) for name in ("ann", "bob"))
        for who, seconds, error_m, count in ((ann, 4, 0.03, 3), (bob, 10, 0.05, 1)):
            for _ in range(count):
                work(server, clock, who, seconds, error_m)
        skipped = tasks.next_task(server.store, RULES, bob, after=0)
        tasks.skip(server.store, RULES, bob, skipped, "dark")
        with open_page(browser, server, path=f"/enter#{invite(server.store, 'max', 'manager')}") as page:
            page.wait_for_selector("#task-name:has-text('Person')")
            hands = Hands(page, server)
            hands.press("Shift+L")  # max gives back whom they were given
            page.wait_for_selector("body[data-ready] #people")
            page.goto(f"{server.url}/manager")
            page.wait_for_selector("#plots img")
            heads, *rows = page.eval_on_selector_all(
                "#annotators tr", "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
            )
            of_name = {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
            counts, measures = ("Submitted", "Skipped", "This week"), ("Error, cm", "with proposals", "without")
            told = {
                name: [line[head] for head in (*counts, "Seconds per point", *measures)]
                for name, line in of_name.items()
            }
            assert told["ann"] == ["3", "0", "3", "4.0", "3.0", "–", "3.0"]
            assert told["bob"] == ["1", "1", "1", "10.0", "5.0", "–", "5.0"]
            names, shown = (page.locator(f"#progress {tag}").all_text_contents() for tag in ("dt", "dd"))
            left = dict(zip(names, shown, strict=True))
            assert [left[name] for name in ("People", "Submitted", "Skipped", "Annotations left")] == [
                "5",
                "2",
                "1",
                "2",
            ]
            assert "2 annotations are left: 1 day at the pace" in page.inner_text("#forecast")
            assert "2 a day" in page.inner_text("#forecast")  # ann's; the gold people are not among what is left


def test_the_search_for_people_is_told_on_every_page(browser, surface, tmp_path):
    with serving(tmp_path / "one", surface, search=True, disc=True) as server:
        add_people(server.store, 1)
        with open_page(browser, server) as page:
            wait_person(page, 1)  # work goes on meanwhile
            page.wait_for_selector("#search-state:has-text('Finding people: 1 of 2 photos')")
            page.goto(f"{server.url}/people")
            page.wait_for_selector("#search-state:has-text('Finding people: 1 of 2 photos')")
            with server.store.writing() as connection:
                connection.execute(photos.update().values(searched=True))
            expect(page.locator("#search-state")).to_have_text("")


def test_false_boxes_are_deleted_from_the_list(browser, surface, tmp_path):
    with serving(tmp_path / "one", surface) as server:
        add_people(server.store, 3)
        with open_page(browser, server, path="/people") as page:
            page.wait_for_selector("#range:has-text('1 to 3 of 3')")
            for person in (1, 3):
                page.check(f"[aria-label='Choose person {person}']")
            page.click("#delete")
            page.click("dialog:has-text('Delete 2 people?') button:has-text('Delete')")
            page.wait_for_selector("#notice:has-text('2 people deleted.')")
            page.wait_for_selector("#range:has-text('1 to 1 of 1')")
