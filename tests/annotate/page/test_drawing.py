"""Boxes and outlines in a real browser: handles, clearing, deleting, snapping, corners; the others in the photo."""

import numpy as np
import pytest
from tests.annotate.annotating import user
from tests.annotate.browser import BOX, DISC, Hands, expect, open_page, serving
from tests.annotate.fakes import square

from opendensepose.annotate.work.store import tasks
from opendensepose.annotate.work.tasks import create_task

WHOLE = [0.0, 0.0, 240.0, 320.0]  # the photo: while it is shown, cells of a box that is the photo are easily found


@pytest.fixture(scope="module")
def shared(browser, surface, tmp_path_factory):
    """A server and a page for all tests here: each adds a person of its own."""
    with serving(tmp_path_factory.mktemp("drawing") / "one", surface, disc=True) as server:
        with open_page(browser, server) as page:
            yield Hands(page, server)


def in_photo(hands, x, y):
    """Where a pixel of the photo is on the screen while the whole photo is shown."""
    return hands.cell(x / 240 * 256, y / 320 * 256, WHOLE)


def drag(hands, start, *others):
    hands.page.mouse.move(*start)
    hands.page.mouse.down()
    for place in others:
        hands.page.mouse.move(*place, steps=3)
    hands.page.mouse.up()


def box_becomes(hands, number, wanted):
    for _ in range(400):
        box = hands.task(number)["box_xyxy"]
        if np.abs(np.subtract(box, wanted)).max() < 1.5:  # a pixel of the screen
            return
        hands.page.wait_for_timeout(50)
    raise AssertionError(f"the box is {box}, wanted {wanted}")


def begin_box(hands):
    hands.press("Shift+W")
    hands.page.wait_for_selector("body[data-stage=box]")
    hands.page.wait_for_timeout(100)


def test_a_box_is_resized_by_its_handles_moved_and_undone(shared):
    number = shared.new_person()
    begin_box(shared)
    drag(shared, in_photo(shared, 40, 20), in_photo(shared, 60, 50))  # the upper left corner
    box_becomes(shared, number, [60, 50, 200, 300])
    drag(shared, in_photo(shared, 200, 175), in_photo(shared, 180, 100))  # the right side moves sideways only
    box_becomes(shared, number, [60, 50, 180, 300])
    drag(shared, in_photo(shared, 110, 180), in_photo(shared, 130, 300))  # the whole box, as far as the photo goes
    box_becomes(shared, number, [80, 70, 200, 320])
    shared.press("Control+z")
    box_becomes(shared, number, [60, 50, 180, 300])
    shared.press("Control+z", "Control+z")
    box_becomes(shared, number, BOX)
    shared.press("h", "Enter", "Shift+ArrowRight", "Enter")  # by keyboard: the first handle, 20 pixels to the right
    box_becomes(shared, number, [60, 20, 200, 300])
    shared.page.click("[data-action=box-done]")
    shared.page.wait_for_selector("body[data-stage=parts]")


def test_parts_are_drawn_only_over_a_saved_box(shared):
    number, page, held = shared.new_person(), shared.page, []
    begin_box(shared)
    page.route("**/box", lambda route: held.append(route))
    drag(shared, in_photo(shared, 40, 20), in_photo(shared, 60, 50))
    shared.press(",", "d")
    while not held:
        page.wait_for_timeout(20)
    assert page.get_attribute("body", "data-stage") == "box"
    held[0].continue_()
    page.unroute("**/box")
    page.wait_for_selector("body[data-stage=parts]")
    box_becomes(shared, number, [60, 50, 200, 300])


def test_all_parts_are_cleared_at_once_and_come_back(shared):
    number = shared.new_person()
    shared.press("m")
    shared.page.wait_for_selector("#notice:has-text('Taken from')")
    shared.wait_saved()
    before = shared.task(number)["parts"]
    shared.page.click("[data-action=clear-all]")
    shared.page.wait_for_selector("#notice:has-text('Undo brings them back')")
    shared.wait_saved()
    assert set(before) == {"1", "14"} and shared.task(number)["parts"] == {}
    begin_box(shared)  # nothing is in the way of another box now
    shared.press("Escape", "Control+z")
    shared.wait_saved()
    assert shared.task(number)["parts"] == before


def test_a_false_box_is_deleted_after_a_question(shared):
    number = shared.new_person()
    shared.page.click("[data-action=box-delete]")
    shared.page.wait_for_selector(f"dialog:has-text('person {number} of street.png')")
    shared.press("Escape")
    assert shared.task(number)["id"] == number
    shared.page.click("[data-action=box-delete]")
    shared.page.click("dialog button:has-text('Delete')")
    shared.page.wait_for_selector("#notice:has-text('Deleted: person')")
    assert number not in [one["person_id"] for one in shared.get("/api/people")["rows"]]


def test_a_box_is_drawn_in_the_open_photo(shared):
    shared.new_person()  # in the second photo of the list
    shared.press("Shift+D")
    shared.page.wait_for_selector("#task-name:has-text('New person · street.png')")
    shared.page.wait_for_timeout(100)
    drag(shared, in_photo(shared, 30, 40), in_photo(shared, 120, 200))
    shared.page.wait_for_selector("body[data-stage=parts]")
    number = int(shared.page.url.rsplit("/", 1)[1])
    task = shared.task(number)
    assert task["photo"] == "street.png" and np.abs(np.subtract(task["box_xyxy"], [30, 40, 120, 200])).max() < 1.5


def disc_mask():
    """(256, 256) bool over BOX: the disc."""
    rows, columns = np.mgrid[:256, :256] + 0.5
    x, y = BOX[0] + columns / 256 * (BOX[2] - BOX[0]), BOX[1] + rows / 256 * (BOX[3] - BOX[1])
    middle, radius = ((DISC[0] + DISC[2]) / 2, (DISC[1] + DISC[3]) / 2), (DISC[2] - DISC[0]) / 2
    return np.hypot(x - middle[0], y - middle[1]) < radius


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


def around_the_disc(hands, radius_px):
    angle = np.linspace(0, 2 * np.pi, 24)
    x, y = 120 + radius_px * np.cos(angle), 140 + radius_px * np.sin(angle)
    cells = np.stack([(x - BOX[0]) / (BOX[2] - BOX[0]), (y - BOX[1]) / (BOX[3] - BOX[1])], 1) * 256
    return [hands.cell(*cell) for cell in cells]


def test_a_dragged_line_snaps_and_its_corners_are_edited(shared):
    number = shared.new_person(photo="disc.png")
    shared.press("2", "s")
    drag(shared, *around_the_disc(shared, 46))  # 6 pixels outside of the border
    shared.page.wait_for_selector("#notice:has-text('Drag a corner')")
    shared.wait_saved()
    snapped = shared.masks(number)[2]
    assert overlap(snapped, disc_mask()) > 0.95
    top, far = (shared.cell(128, (y - BOX[1]) / (BOX[3] - BOX[1]) * 256) for y in (100, 70))
    drag(shared, top, far)  # a corner, or a new one on the side
    for _ in range(400):
        pulled = shared.masks(number)[2]
        if pulled.sum() != snapped.sum():
            break
        shared.page.wait_for_timeout(50)
    first_row = [int(np.nonzero(mask)[0].min()) for mask in (pulled, snapped)]
    assert (snapped & ~pulled).sum() < 0.03 * snapped.sum() and first_row[0] < first_row[1] - 20
    shared.press("Control+z")  # one change: the pulled outline and all
    shared.wait_saved()
    assert shared.task(number)["parts"] == {}
    shared.press("Control+y")
    shared.wait_saved()
    assert np.array_equal(shared.masks(number)[2], pulled)


def test_an_outlines_corners_stay_to_be_moved_and_removed(shared):
    number = shared.new_person()
    shared.press("3", "p")
    corners = [(60, 60), (160, 60), (160, 120), (60, 120)]
    for corner in corners:
        shared.page.mouse.click(*shared.cell(*corner))
    shared.press("c")
    shared.wait_saved()
    assert shared.masks(number)[3].sum() == pytest.approx(6000, rel=0.05)
    drag(shared, shared.cell(160, 120), shared.cell(160, 180))
    shared.wait_saved()
    expect(shared.page.locator("[data-action=undo]")).to_be_enabled()
    assert shared.masks(number)[3].sum() == pytest.approx(9000, rel=0.05)
    shared.page.keyboard.down("Shift")
    shared.page.mouse.click(*shared.cell(60, 120))
    shared.page.keyboard.up("Shift")
    shared.wait_saved()
    assert shared.masks(number)[3].sum() == pytest.approx(6000, rel=0.05)


PIXEL = """([x, y]) => { const canvas = document.getElementById("photo"), ratio = devicePixelRatio;
    const bounds = canvas.getBoundingClientRect();
    const context = canvas.getContext("2d");
    return [...context.getImageData((x - bounds.x) * ratio, (y - bounds.y) * ratio, 1, 1).data]; }"""


def test_the_others_of_a_photo_are_drawn_with_their_masks(shared):
    other, box = shared.add_person([10, 20, 110, 300]), [100, 20, 220, 300]
    number = shared.new_person(box)
    inside = list(shared.cell((104 - 100) / 120 * 256, 128, box))  # of both boxes
    shared.page.wait_for_timeout(200)
    bare = shared.page.evaluate(PIXEL, inside)
    version = shared.task(other)["version"]
    shared.send("PUT", f"/api/tasks/{other}/parts", {"version": version, "parts": {"1": square(0, 256)}})
    shared.page.reload()
    shared.page.wait_for_selector(f"#task-name:has-text('Person {number}')")
    shared.page.wait_for_timeout(200)
    assert {"1"} in [set(one["parts"]) for one in shared.task(number)["others"] if one["person_id"] == other]
    assert np.abs(np.subtract(shared.page.evaluate(PIXEL, inside), bare)).max() > 10


def test_what_a_lowered_brush_has_drawn_is_saved_on_going_on(shared):
    shared.add_person()
    number = shared.new_person()
    shared.press("Enter", "ArrowRight", "Shift+N")  # lowered, and not lifted
    expect(shared.page.locator("#task-name")).not_to_contain_text(f"Person {number} ")
    assert set(shared.masks(number)) == {1}
    expect(shared.page.locator("[data-action=undo]")).to_be_disabled()  # nothing of it is done to the next person
    shared.page.goto(f"{shared.server.url}/person/{number}")
    shared.page.wait_for_selector(f"body[data-stage=parts] #task-name:has-text('Person {number}')")
    before = shared.masks(number)[1].sum()
    shared.press("Enter", *["ArrowLeft"] * 9, ".")
    shared.page.wait_for_selector("body[data-stage=points]")
    assert shared.masks(number)[1].sum() > before


def test_an_outline_keeps_its_part_though_another_is_chosen_before_it_has_snapped(shared):
    number, page, held = shared.new_person(photo="disc.png"), shared.page, []
    page.route("**/snap", lambda route: held.append(route))
    shared.press("2", "s")
    drag(shared, *around_the_disc(shared, 46))
    shared.press("3")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    page.unroute("**/snap")
    expect(page.locator("[data-action=undo]")).to_be_enabled()
    shared.wait_saved()
    assert set(shared.masks(number)) == {2}


def test_changes_whose_answer_was_lost_are_put_on_top_by_the_next_visit(shared):
    number, page, saved = shared.new_person(), shared.page, []

    def lose_answer(route):
        saved.append(saved or route.fetch())
        route.abort()

    page.route("**/parts", lose_answer)
    shared.stroke((60, 60), (120, 60))
    shared.wait_state("offline")
    page.unroute("**/parts")
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.click("dialog button:has-text('Put them on top')")
    page.wait_for_selector("#notice:has-text('were saved')")
    assert set(shared.masks(number)) == {1}


def test_whoever_lost_the_lease_to_somebody_else_is_told_and_goes_on(shared):
    shared.add_person()
    number, page, store = shared.new_person(), shared.page, shared.server.store
    bob = user(store, "bob")  # whose task takes a number: of tests after this one, persons and tasks would differ
    with store.writing() as connection:
        connection.execute(tasks.update().where(tasks.c.id == number).values(lease_expires_at=0.0))
        create_task(connection, store, bob, shared.task(number)["person_id"], store.clock() + 900)
    shared.stroke((60, 60), (120, 60))
    page.wait_for_selector("dialog:has-text('somebody else has taken over')")
    assert page.locator("dialog button").all_text_contents() == ["Drop mine, take the newest"]
    page.click("dialog button")
    page.wait_for_selector("#read-only:has-text('somebody else')")
    shared.press("Shift+N")
    expect(page.locator("#task-name")).not_to_contain_text(f"Person {number} ")
