"""What the app serves to whom: nothing without a session, nothing for other hosts, no file outside its folder."""

from tests.annotate.fakes import sign_in

from opendensepose.annotate.server.handlers import ENDPOINTS
from opendensepose.annotate.server.middleware import PUBLIC_PATHS


def test_nothing_is_reached_without_a_session(team):
    paths = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS] + [
        ("GET", "/static/main.js"),
        ("GET", "/nothing"),
    ]
    for method, path in paths:
        for kind in ("task_id:int", "person_id:int", "point_id:int", "photo_id:int", "part:int", "view:int", "name"):
            path = path.replace("{" + kind + "}", "1")
        answer = team.request(method, path, headers={"X-CSRF-Token": "guess"})
        assert answer.status_code == 401, path
        assert "data-page" not in answer.text
    assert "sign in" in team.get("/").text.lower()
    for path in PUBLIC_PATHS:
        assert team.get(path).status_code in (200, 404), path  # 404: this test has no such file


def test_a_name_that_points_here_is_not_served(alone):
    """DNS rebinding: evil.example resolves to 127.0.0.1."""
    for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", ""):
        assert alone.get("/api/session", headers={"Host": host}).status_code == 400
    for host in ("localhost:8765", "127.0.0.1", "[::1]:8765"):
        assert alone.get("/api/session", headers={"Host": host}).status_code == 200


def test_annotators_reach_neither_the_managers_nor_each_others_things(team, store):
    sign_in(team, store, "max", "manager")
    theirs = team.post("/api/tasks", json={"photo_id": 1, "box_xyxy": [0, 0, 40, 40]}).json()
    sign_in(team, store, "ann")
    for path in (
        "/manager",
        "/api/team",
        "/api/manager/quality",
        "/api/manager/plots/time.svg",
        "/api/export.json",
        "/api/review/next",
    ):
        assert team.get(path).status_code == 403, path
    assert team.post("/api/import", content=b"{}").status_code == 403
    assert team.post("/api/tasks", json={"photo_id": 1, "box_xyxy": [0, 0, 9, 9]}).status_code == 403
    path = f"/api/tasks/{theirs['id']}"
    for method, end, body in (
        ("GET", "", None), ("GET", "/iuv.png", None), ("GET", "/guess", None),
        ("POST", "/lease", {}), ("POST", "/submit", {}), ("POST", "/skip", {"reason": "x"}),
        ("POST", "/release", {}), ("POST", "/reopen", {}), ("PUT", "/parts", {"version": 1, "parts": {}}),
        ("PUT", "/box", {"version": 1, "box_xyxy": [0, 0, 9, 9]}), ("PUT", "/points/1", {"version": 1, "clear": True}),
        ("POST", "/points", {"version": 1}),
    ):  # fmt: skip
        answer = team.request(method, path + end, **({"json": body} if body is not None else {}))
        assert answer.status_code == 404, end
    for end in ("/accept", "/fix", "/send_back"):
        assert team.post(path + end, json={"comments": [{"point_id": None, "text": "x"}]}).status_code == 403
    assert team.get("/api/photos").json() == [] and team.get("/api/photos/1/image").status_code == 404
    assert team.get("/api/people").json()["rows"] == []
    assert team.post("/api/people/1/open").status_code == team.get("/api/people/1/thumbnail.jpg").status_code == 404
    assert team.post("/api/people/assign", json={"person_ids": [1], "annotator_id": 1}).status_code == 403
    assert team.post("/api/team/invite", json={"name": "eve", "role": "manager"}).status_code == 403


def test_static_files_do_not_lead_out_either(team, store):
    sign_in(team, store, "ann")
    for path in (
        "/static/../annotations.sqlite",
        "/static/%2e%2e/photos/photo0.png",
        "/static/..%2fphotos%2fphoto0.png",
    ):
        assert team.get(path).status_code == 404
