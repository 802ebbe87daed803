"""The endpoints over HTTP: one person annotated from box to submission, and requests that do not fit."""

import json

import pytest
from tests.annotate.fakes import sign_in, square

from opendensepose.annotate.server import access
from opendensepose.annotate.surface.part_colours import TOOL_COLOURS
from opendensepose.surface import css_colour


def painted(alone, task) -> dict:
    """The task with a torso and a head painted and its points asked for."""
    path = f"/api/tasks/{task['id']}"
    saved = alone.put(f"{path}/parts", json={"version": 1, "parts": {"1": square(100, 200), "14": square(0, 90)}})
    assert saved.json() == {"version": 2}
    return alone.post(f"{path}/points", json={"version": 2}).json()


def test_a_person_from_box_to_submission(alone, task):
    assert task["box_xyxy"] == [8, 4, 40, 44] and task["stage"] == "parts" and task["editable"]
    asked = painted(alone, task)
    assert asked["stage"] == "points" and [point["part"] for point in asked["points"]] == [1, 1, 14, 14]
    path = f"/api/tasks/{task['id']}"
    assert alone.post(f"{path}/submit").status_code == 422  # nothing is answered
    version = asked["version"]
    for k, point in enumerate(asked["points"]):
        answer = {"reason": "not visible"} if k == 3 else {"click": {"view": 2, "x": 10.0 * k + 5, "y": 20}}
        saved = alone.put(f"{path}/points/{point['id']}", json={"version": version, **answer})
        assert saved.status_code == 200, saved.text
        version = saved.json()["version"]
    first = alone.get(path).json()["points"][0]
    assert first["answer"] == pytest.approx({"i": 1, "u": 0.05, "v": 0.2, "view": 2, "x": 5, "y": 20})
    assert [place["view"] for place in first["shown"]] == [0, 1]
    assert alone.get(path).json()["points"][3]["reason"] == "not visible"
    assert alone.post(f"{path}/submit").json()["status"] == "submitted"
    late = alone.put(f"{path}/points/{first['id']}", json={"version": version + 1, "clear": True})
    assert late.status_code == 409  # submitted work is read-only


def test_answers_to_what_does_not_fit(alone, task):
    path = f"/api/tasks/{task['id']}"
    assert alone.post(f"{path}/points", json={"version": 1}).status_code == 422  # nothing is painted
    asked = painted(alone, task)
    point, version = f"{path}/points/{asked['points'][0]['id']}", asked["version"]
    beside = alone.put(point, json={"version": version, "click": {"view": 0, "x": 90, "y": 90}})
    assert beside.status_code == 422 and "beside" in beside.json()["error"]
    stale = alone.put(point, json={"version": version - 1, "click": {"view": 0, "x": 9, "y": 9}})
    assert stale.status_code == 409 and stale.json()["version"] == version
    for wrong in (
        {},
        {"click": {"view": 6, "x": 1, "y": 1}},
        {"click": 3},
        {"reason": ""},
        {"clear": True, "reason": "x"},
    ):
        assert alone.put(point, json={"version": version, **wrong}).status_code == 400
    assert alone.put(f"{path}/points/999", json={"version": version, "clear": True}).status_code == 404
    assert alone.put(f"{path}/parts", json={"version": version, "parts": {"15": ""}}).status_code == 400
    assert alone.put(f"{path}/parts", json={"version": version, "parts": {"1": "garbage"}}).status_code == 400
    assert alone.put(point, content=b"[1]").status_code == 400
    assert alone.get("/api/tasks/99").status_code == 404
    assert alone.get("/api/views/15").status_code == 404 and alone.get("/api/views/1/6.png").status_code == 404
    assert alone.get(path).json()["version"] == version  # nothing of all that changed anything


def test_a_repeated_save_is_not_doubled(alone, task):
    asked = painted(alone, task)
    point = f"/api/tasks/{task['id']}/points/{asked['points'][0]['id']}"
    click = {"version": asked["version"], "click": {"view": 0, "x": 9, "y": 9}}
    first = alone.put(point, json=click, headers={"X-Request-Id": "one"})
    again = alone.put(point, json=click, headers={"X-Request-Id": "one"})
    assert again.status_code == 200 and again.json() == first.json()
    assert alone.get(f"/api/tasks/{task['id']}").json()["version"] == first.json()["version"]
    other = alone.put(f"{point}/place", json=click | {"x": 1, "y": 1}, headers={"X-Request-Id": "one"})
    assert other.status_code == 422


def test_points_of_parts_still_painted_keep_their_answers(alone, task):
    asked = painted(alone, task)
    path, first, head = f"/api/tasks/{task['id']}", asked["points"][0], asked["points"][2]
    version = asked["version"]
    for point in (first, head):
        click = {"version": version, "click": {"view": 0, "x": 9, "y": 9}}
        version = alone.put(f"{path}/points/{point['id']}", json=click).json()["version"]
    version = alone.put(f"{path}/parts", json={"version": version, "parts": {"14": ""}}).json()["version"]
    points = alone.post(f"{path}/points", json={"version": version}).json()["points"]
    assert [point["part"] for point in points] == [1, 1]
    assert points[0]["id"] == first["id"] and points[0]["answer"] and not points[1]["answer"]


def test_a_point_moves_within_its_part_only(alone, task):
    asked = painted(alone, task)
    path = f"/api/tasks/{task['id']}/points/{asked['points'][0]['id']}/place"
    moved = alone.put(path, json={"version": asked["version"], "x": 20.2, "y": 30.9})
    assert (moved.json()["point"]["x"], moved.json()["point"]["y"]) == (20.5, 30.5)
    off = alone.put(path, json={"version": moved.json()["version"], "x": 20.2, "y": 6})
    assert off.status_code == 422


def test_pictures(alone, task):
    photo = alone.get(f"/api/photos/{task['photo_id']}/image")
    assert photo.headers["content-type"] == "image/png" and "immutable" in photo.headers["cache-control"]
    painted(alone, task)
    assert alone.get(f"/api/tasks/{task['id']}/iuv.png?fill=1").content.startswith(b"\x89PNG")
    assert alone.get("/api/views/1/0.png").headers["content-type"] == "image/png"
    assert len(alone.get("/api/views/14").json()["views"]) == 6


def test_a_script_in_a_comment_stays_text(team, store):
    script = "<script>alert(1)</script>"
    sign_in(team, store, "max", "manager")
    task = team.post("/api/tasks", json={"photo_id": 1, "box_xyxy": [0, 0, 60, 40]}).json()
    path = f"/api/tasks/{task['id']}"
    team.put(f"{path}/parts", json={"version": 1, "parts": {"1": square(0, 200)}})
    points = team.post(f"{path}/points", json={"version": 2}).json()["points"]
    for k, point in enumerate(points):
        team.put(f"{path}/points/{point['id']}", json={"version": 3 + k, "reason": script})
    assert team.post(f"{path}/submit").json()["status"] == "submitted"
    sign_in(team, store, "rita", "reviewer")
    sent = team.post(f"{path}/send_back", json={"comments": [{"point_id": None, "text": script}]})
    assert sent.headers["content-type"] == "application/json"
    assert sent.json()["comments"][0]["text"] == script
    unknown = team.get(f"/{script}")
    assert script not in unknown.text
    access.invite(store, script)
    sign_in(team, store, "max", "manager")
    plot = team.get("/api/manager/plots/time.svg")
    assert script not in plot.text and plot.headers["content-type"].startswith("image/svg+xml")


def test_a_photo_that_breaks_later_is_a_sentence(alone, folder):
    (folder.folder / "photo0.png").write_bytes(b"broken")
    assert "error" in json.loads(alone.get("/api/photos/1/image").text)
    (folder.folder / "photo1.png").unlink()
    assert alone.get("/api/photos/2/image").status_code == 404


def test_an_outline_is_snapped_and_nothing_is_stored(alone, task):
    path = f"/api/tasks/{task['id']}"
    outline = [[10, 10], [30, 10], [500, 40]]
    answer = alone.post(f"{path}/snap", json={"outline_xy": outline, "reach_px": 5})
    assert answer.json() == {"outline_xy": [[11, 11], [31, 11], [65, 41]]}  # first moved into the photo
    assert alone.get(path).json()["version"] == task["version"]
    for wrong in ({"outline_xy": outline[:2]}, {"outline_xy": [[1, 2, 3]] * 3}, {"outline_xy": outline, "reach_px": 0}):
        assert alone.post(f"{path}/snap", json={"reach_px": 5, **wrong}).status_code == 400
    assert alone.post("/api/tasks/99/snap", json={"outline_xy": outline, "reach_px": 5}).status_code == 404


def test_people_are_deleted_over_http(alone, task):
    assert alone.post("/api/people/delete", json={"person_ids": []}).status_code == 400
    answer = alone.post("/api/people/delete", json={"person_ids": [task["person_id"]]})
    assert answer.json() == {"deleted": 1, "refused": []}
    assert alone.get(f"/api/tasks/{task['id']}").status_code == 404


def test_parts_have_the_colours_of_the_picture_so_far(alone):
    colours = [part["colour"] for part in alone.get("/api/session").json()["parts"]]
    assert colours == [css_colour(rgb) for rgb in TOOL_COLOURS[1:]]
