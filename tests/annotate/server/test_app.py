"""The server over HTTP: one person annotated from box to submission, and the answers to what does not fit."""

import pytest
from starlette.testclient import TestClient
from tests.annotate.fakes import FlatSurface, square, write_photos

from opendensepose.annotate.server.app import create_app
from opendensepose.annotate.work.photos import PhotoFolder, add_photos

LOOPBACK = "http://127.0.0.1:8765"


@pytest.fixture
def client(store, tmp_path):
    folder = write_photos(tmp_path / "photos")
    add_photos(store, folder)
    with TestClient(create_app(store, FlatSurface(), PhotoFolder(store, folder)), base_url=LOOPBACK) as client:
        client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
        yield client


@pytest.fixture
def task(client):
    return client.post("/api/tasks", json={"photo_id": 1, "box_xyxy": [8, 4, 40, 44]}).json()


def painted(client, task) -> dict:
    """The task with a torso and a head painted and its points asked for."""
    path = f"/api/tasks/{task['id']}"
    saved = client.put(f"{path}/parts", json={"version": 1, "parts": {"1": square(100, 200), "14": square(0, 90)}})
    assert saved.json() == {"version": 2}
    return client.post(f"{path}/points", json={"version": 2}).json()


def test_a_person_from_box_to_submission(client, task):
    assert task["box_xyxy"] == [8, 4, 40, 44] and task["stage"] == "parts" and task["editable"]
    asked = painted(client, task)
    assert asked["stage"] == "points" and [point["part"] for point in asked["points"]] == [1, 1, 14, 14]
    path = f"/api/tasks/{task['id']}"
    assert client.post(f"{path}/submit").status_code == 422  # nothing is answered
    version = asked["version"]
    for k, point in enumerate(asked["points"]):
        answer = {"reason": "not visible"} if k == 3 else {"click": {"view": 2, "x": 10.0 * k + 5, "y": 20}}
        saved = client.put(f"{path}/points/{point['id']}", json={"version": version, **answer})
        assert saved.status_code == 200, saved.text
        version = saved.json()["version"]
    first = client.get(path).json()["points"][0]
    assert first["answer"] == pytest.approx({"i": 1, "u": 0.05, "v": 0.2, "view": 2, "x": 5, "y": 20})
    assert [place["view"] for place in first["shown"]] == [0, 1]
    assert client.get(path).json()["points"][3]["reason"] == "not visible"
    assert client.post(f"{path}/submit").json()["status"] == "submitted"
    late = client.put(f"{path}/points/{first['id']}", json={"version": version + 1, "clear": True})
    assert late.status_code == 409  # submitted work is read-only


def test_answers_to_what_does_not_fit(client, task):
    path = f"/api/tasks/{task['id']}"
    assert client.post(f"{path}/points", json={"version": 1}).status_code == 422  # nothing is painted
    asked = painted(client, task)
    point, version = f"{path}/points/{asked['points'][0]['id']}", asked["version"]
    beside = client.put(point, json={"version": version, "click": {"view": 0, "x": 90, "y": 90}})
    assert beside.status_code == 422 and "beside" in beside.json()["error"]
    stale = client.put(point, json={"version": version - 1, "click": {"view": 0, "x": 9, "y": 9}})
    assert stale.status_code == 409 and stale.json()["version"] == version
    for wrong in (
        {},
        {"click": {"view": 6, "x": 1, "y": 1}},
        {"click": 3},
        {"reason": ""},
        {"clear": True, "reason": "x"},
    ):
        assert client.put(point, json={"version": version, **wrong}).status_code == 400
    assert client.put(f"{path}/points/999", json={"version": version, "clear": True}).status_code == 404
    assert client.put(f"{path}/parts", json={"version": version, "parts": {"15": ""}}).status_code == 400
    assert client.put(f"{path}/parts", json={"version": version, "parts": {"1": "garbage"}}).status_code == 400
    assert client.put(point, content=b"[1]").status_code == 400
    assert client.get("/api/tasks/99").status_code == 404
    assert client.get("/api/views/15").status_code == 404 and client.get("/api/views/1/6.png").status_code == 404
    assert client.get(path).json()["version"] == version  # nothing of all that changed anything


def test_a_repeated_save_is_not_doubled(client, task):
    asked = painted(client, task)
    point = f"/api/tasks/{task['id']}/points/{asked['points'][0]['id']}"
    click = {"version": asked["version"], "click": {"view": 0, "x": 9, "y": 9}}
    first = client.put(point, json=click, headers={"X-Request-Id": "one"})
    again = client.put(point, json=click, headers={"X-Request-Id": "one"})
    assert again.status_code == 200 and again.json() == first.json()
    assert client.get(f"/api/tasks/{task['id']}").json()["version"] == first.json()["version"]
    other = client.put(f"{point}/place", json=click | {"x": 1, "y": 1}, headers={"X-Request-Id": "one"})
    assert other.status_code == 422


def test_points_of_parts_still_painted_keep_their_answers(client, task):
    asked = painted(client, task)
    path, first, head = f"/api/tasks/{task['id']}", asked["points"][0], asked["points"][2]
    version = asked["version"]
    for point in (first, head):
        click = {"version": version, "click": {"view": 0, "x": 9, "y": 9}}
        version = client.put(f"{path}/points/{point['id']}", json=click).json()["version"]
    version = client.put(f"{path}/parts", json={"version": version, "parts": {"14": ""}}).json()["version"]
    points = client.post(f"{path}/points", json={"version": version}).json()["points"]
    assert [point["part"] for point in points] == [1, 1]
    assert points[0]["id"] == first["id"] and points[0]["answer"] and not points[1]["answer"]


def test_a_point_moves_within_its_part_only(client, task):
    asked = painted(client, task)
    path = f"/api/tasks/{task['id']}/points/{asked['points'][0]['id']}/place"
    moved = client.put(path, json={"version": asked["version"], "x": 20.2, "y": 30.9})
    assert (moved.json()["point"]["x"], moved.json()["point"]["y"]) == (20.5, 30.5)
    off = client.put(path, json={"version": moved.json()["version"], "x": 20.2, "y": 6})
    assert off.status_code == 422


def test_pictures(client, task):
    photo = client.get(f"/api/photos/{task['photo_id']}/image")
    assert photo.headers["content-type"] == "image/png" and "immutable" in photo.headers["cache-control"]
    painted(client, task)
    assert client.get(f"/api/tasks/{task['id']}/iuv.png?fill=1").content.startswith(b"\x89PNG")
    assert client.get("/api/views/1/0.png").headers["content-type"] == "image/png"
    assert len(client.get("/api/views/14").json()["views"]) == 6
