"""What the server refuses: everybody without a session, other sites' pages, large bodies, names that lead elsewhere.

The hostile input of the requirements: path traversal in photo names, an upload of 1 GB, a broken JPEG, a script in a
comment, forged, replayed and revoked tokens.
"""

import asyncio
import json

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from tests.annotate.fakes import FlatSurface, square, write_photos

from opendensepose.annotate.server import access
from opendensepose.annotate.server.app import create_app
from opendensepose.annotate.server.handlers import ENDPOINTS
from opendensepose.annotate.server.requests import IMPORT_BYTES, JSON_BYTES, read_body
from opendensepose.annotate.server.serve import allowed_hosts
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.exchange import import_document
from opendensepose.annotate.work.photos import PhotoFolder, add_boxes, add_photos

TEAM = "https://annotate.example.org"
ALONE = "http://127.0.0.1:8765"


@pytest.fixture
def folder(store, tmp_path):
    folder = write_photos(tmp_path / "photos")
    add_photos(store, folder)
    return PhotoFolder(store, folder)


@pytest.fixture
def team(store, folder, tmp_path):
    """A client of a team's server, not signed in."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "main.js").write_text("// the page")
    (tmp_path / "static" / "index.html").write_text("<title>page</title>")
    options = {"team": True, "hosts": ("*",), "is_https": True, "static": tmp_path / "static"}
    with TestClient(create_app(store, FlatSurface(), folder, **options), base_url=TEAM) as client:
        yield client


@pytest.fixture
def alone(store, folder):
    with TestClient(create_app(store, FlatSurface(), folder), base_url=ALONE) as client:
        client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
        yield client


def sign_in(client, store, name: str, role: str = "annotator") -> str:
    """Opens a new link; returns its token."""
    token = access.invite(store, name, role)
    client.cookies.clear()
    assert client.get(f"/enter/{token}").status_code == 200
    client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
    return token


# --- sessions --------------------------------------------------------------------------------------------------------


def test_nothing_is_reached_without_a_session(team):
    paths = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS] + [
        ("GET", "/static/main.js"),
        ("GET", "/nothing"),
    ]
    for method, path in paths:
        for kind in ("task_id:int", "point_id:int", "photo_id:int", "part:int", "view:int", "name"):
            path = path.replace("{" + kind + "}", "1")
        answer = team.request(method, path, headers={"X-CSRF-Token": "guess"})
        assert answer.status_code == 401, path
        assert "page" not in answer.text
    assert "sign in" in team.get("/").text.lower()


def test_a_link_signs_in_with_a_cookie_that_scripts_and_other_sites_do_not_have(team, store):
    token = access.invite(store, "ann")
    cookie = team.get(f"/enter/{token}").headers["set-cookie"]
    for word in ("__Host-annotate=", "HttpOnly", "SameSite=strict", "Secure", "Path=/"):
        assert word in cookie
    assert token not in cookie
    assert team.get("/api/session").json()["annotator"] == "ann"
    assert team.get("/static/main.js").status_code == 200


def test_forged_replayed_and_revoked_tokens(team, store, clock):
    for forged in ("x" * 43, "", "a/../b", "%00", "'; DROP TABLE sessions; --"):
        assert team.get(f"/enter/{forged}").status_code in (401, 404)
    team.cookies.set("__Host-annotate", "forged" * 8)
    assert team.get("/api/session").status_code == 401
    token = sign_in(team, store, "ann")
    cookie = team.cookies["__Host-annotate"]
    access.revoke(store, "ann")
    assert team.get("/api/session").status_code == 401  # the session has ended
    clock.pass_seconds(100)
    assert team.get(f"/enter/{token}").status_code == 401  # the link too
    newer = sign_in(team, store, "ann")
    assert newer != token
    team.cookies.clear()
    team.cookies.set("__Host-annotate", cookie)
    assert team.get("/api/session").status_code == 401  # an old cookie does not come back to life
    assert team.get(f"/enter/{token}").status_code == 401


def test_signing_out_and_time_end_a_session(team, store, clock):
    sign_in(team, store, "ann")
    cookie = team.cookies["__Host-annotate"]
    assert team.post("/api/logout").status_code == 200
    team.cookies.set("__Host-annotate", cookie)
    assert team.get("/api/session").status_code == 401
    sign_in(team, store, "bob")
    clock.pass_seconds(access.SESSION_SECONDS + 1)
    assert team.get("/api/session").status_code == 401


def test_secrets_are_kept_as_hashes_only(store):
    token = access.invite(store, "ann")
    key = access.sign_in(store, token)
    with store.reading() as connection:
        for table in ("annotators", "sessions", "events"):
            text = str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())
            assert token not in text and key not in text


def test_guessing_links_is_slowed_down(team, clock):
    codes = [team.get(f"/enter/{k}").status_code for k in range(12)]
    assert codes == [401] * 10 + [429] * 2
    clock.pass_seconds(61)
    assert team.get("/enter/again").status_code == 401


@pytest.mark.parametrize("name, role", [("", "annotator"), ("me", "annotator"), ("a\nb", "annotator"), ("ann", "king")])
def test_unsuitable_names_and_roles(store, name, role):
    with pytest.raises(ValueError, match="name|role"):
        access.invite(store, name, role)


def test_revoking_nobody_is_said(store):
    with pytest.raises(ValueError, match="nobody"):
        access.revoke(store, "nobody")


# --- other sites' pages ----------------------------------------------------------------------------------------------


def test_changes_come_from_our_own_page_only(alone):
    good = {"Origin": ALONE}
    assert alone.post("/api/tasks/next", headers=good).status_code == 204
    for bad in (
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "wrong"},
        {"X-CSRF-Token": "ümlaut".encode()},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert alone.post("/api/tasks/next", headers=bad).status_code == 403, bad


def test_one_session_s_value_does_not_serve_another(team, store):
    sign_in(team, store, "ann")
    first = team.headers["X-CSRF-Token"]
    sign_in(team, store, "bob")
    assert team.post("/api/tasks/next", headers={"X-CSRF-Token": first}).status_code == 403


def test_a_name_that_points_here_is_not_served(alone):
    """DNS rebinding: evil.example resolves to 127.0.0.1."""
    for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", ""):
        assert alone.get("/api/session", headers={"Host": host}).status_code == 400
    for host in ("localhost:8765", "127.0.0.1", "[::1]:8765"):
        assert alone.get("/api/session", headers={"Host": host}).status_code == 200
    assert allowed_hosts("0.0.0.0", None) == ("*",)
    assert "annotate.example.org" in allowed_hosts("0.0.0.0", TEAM)


def test_safe_headers_are_on_every_answer(alone):
    for path in ("/api/session", "/nothing", "/api/photos/1/image", "/api/tasks/99"):
        headers = alone.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert alone.get("/api/session").headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in alone.get("/api/session", headers={"Origin": "https://a.b"}).headers


# --- roles -----------------------------------------------------------------------------------------------------------


def test_annotators_reach_neither_the_managers_nor_each_others_things(team, store):
    sign_in(team, store, "max", "manager")
    theirs = team.post("/api/tasks", json={"photo_id": 1, "box_xyxy": [0, 0, 40, 40]}).json()
    sign_in(team, store, "ann")
    for path in (
        "/manager",
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
        ("POST", "/release", {}), ("PUT", "/parts", {"version": 1, "parts": {}}),
        ("PUT", "/box", {"version": 1, "box_xyxy": [0, 0, 9, 9]}), ("PUT", "/points/1", {"version": 1, "clear": True}),
        ("POST", "/points", {"version": 1}),
    ):  # fmt: skip
        answer = team.request(method, path + end, **({"json": body} if body is not None else {}))
        assert answer.status_code == 404, end
    for end in ("/accept", "/fix", "/send_back"):
        assert team.post(path + end, json={"comments": [{"point_id": None, "text": "x"}]}).status_code == 403
    assert team.get("/api/photos").json() == [] and team.get("/api/photos/1/image").status_code == 404
    assert team.get("/api/tasks").json() == []


# --- bodies ----------------------------------------------------------------------------------------------------------


def test_large_bodies_are_refused_unread(alone):
    said = alone.put("/api/tasks/1/parts", content=b"x" * (JSON_BYTES + 1))
    assert said.status_code == 413
    assert alone.post("/api/import", content=b"", headers={"Content-Length": str(IMPORT_BYTES + 1)}).status_code == 413
    assert alone.put("/api/tasks/1/parts", content=b"{}", headers={"Content-Length": "-5"}).status_code in (400, 413)


@pytest.mark.parametrize("said, most_read", [({"content-length": "1000000000"}, 0), ({}, 11)])
def test_a_gigabyte_is_not_waited_for(said, most_read):
    """RequestError at its head, or, where that does not say how long it is, when the limit is passed."""
    read = []

    async def receive():
        read.append(100_000)
        return {"type": "http.request", "body": b"x" * 100_000, "more_body": True}

    headers = [(name.encode(), value.encode()) for name, value in said.items()]
    request = Request({"type": "http", "method": "PUT", "headers": headers}, receive)
    with pytest.raises(RequestError) as refusal:
        asyncio.run(read_body(request, JSON_BYTES))
    assert refusal.value.status == 413 and len(read) <= most_read


def test_bodies_that_are_no_json_objects(alone):
    for body in (b"[1, 2]", b"\xff\xfe", b"{", b'"text"', b"[" * 100_000, b'{"version": 1e999}'):
        answer = alone.put("/api/tasks/1/parts", content=body)
        assert answer.status_code in (400, 404), body[:20]
        assert "error" in answer.json()
    for body in (b"[" * 100_000, b"{", b"\xff"):
        assert alone.post("/api/import", content=body).status_code == 422


@pytest.mark.parametrize("number", ["-1", "99999999999999999999", "1.5", "x", "%2e%2e", "1;DROP"])
def test_odd_numbers_in_paths(alone, number):
    assert alone.get(f"/api/tasks/{number}").status_code in (404, 405)
    assert alone.get(f"/api/photos/{number}/image").status_code in (404, 405)


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


# --- photos ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "a/../../secret.png", "..\\secret.png", "a\0.png", ""]
)
def test_names_do_not_lead_out_of_the_folder(store, folder, tmp_path, name):
    (tmp_path / "secret.png").write_bytes(b"secret")
    with pytest.raises(RequestError):
        folder.path(name)
    entry = {"id": 1, "image_id": 1, "bbox": [0, 0, 30, 30]}
    document = {"images": [{"id": 1, "file_name": name}], "annotations": [entry]}
    assert add_boxes(store, document)[0] == 0
    assert import_document(store, document, FlatSurface().to_points)["people"] == 0


def test_static_files_do_not_lead_out_either(team, store):
    sign_in(team, store, "ann")
    for path in (
        "/static/../annotations.sqlite",
        "/static/%2e%2e/photos/photo0.png",
        "/static/..%2fphotos%2fphoto0.png",
    ):
        assert team.get(path).status_code == 404


def test_broken_photos_are_listed_and_skipped(store, tmp_path):
    folder = write_photos(tmp_path / "more", 1)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (folder / "empty.png").write_bytes(b"")
    (folder / "page.jpg").write_text("<script>alert(1)</script>")
    added = add_photos(store, folder)
    assert added.count == 1 and len(added.problems) == 3
    for name, sentence in zip(("broken.jpg", "empty.png", "page.jpg"), added.problems, strict=True):
        assert name in sentence and sentence.endswith(".")


def test_a_photo_that_breaks_later_is_a_sentence(alone, folder):
    (folder.folder / "photo0.png").write_bytes(b"broken")
    assert "error" in json.loads(alone.get("/api/photos/1/image").text)
    (folder.folder / "photo1.png").unlink()
    assert alone.get("/api/photos/2/image").status_code == 404
