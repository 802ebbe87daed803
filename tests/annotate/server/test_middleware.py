"""What every request passes: sign-in, CSRF tokens, security headers, the limit of failed sign-ins."""

import pytest
import sqlalchemy as sql
from tests.annotate.fakes import sign_in

from opendensepose.annotate.server import access
from opendensepose.annotate.server.middleware import AuthMiddleware, RateLimiter
from opendensepose.annotate.work import tasks
from opendensepose.annotate.work.errors import RequestError
from opendensepose.annotate.work.store import open_store

ALONE = "http://127.0.0.1:8765"


def test_a_link_signs_in_with_a_cookie_that_scripts_and_other_sites_do_not_have(team, store):
    token = access.invite(store, "ann")
    cookie = team.post("/api/enter", json={"token": token}).headers["set-cookie"]
    for word in ("__Host-annotate-", "HttpOnly", "SameSite=strict", "Secure", "Path=/"):
        assert word in cookie
    assert token not in cookie
    assert team.get("/api/session").json()["annotator"] == "ann"
    assert team.get("/static/main.js").status_code == 200


def test_guessing_links_is_slowed_down(team, clock):
    codes = [team.post("/api/enter", json={"token": str(k)}).status_code for k in range(12)]
    assert codes == [401] * 10 + [429] * 2
    clock.pass_seconds(61)
    assert team.post("/api/enter", json={"token": "again"}).status_code == 401


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


def test_safe_headers_are_on_every_answer(alone):
    for path in ("/api/session", "/nothing", "/api/photos/1/image", "/api/tasks/99"):
        headers = alone.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert alone.get("/api/session").headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in alone.get("/api/session", headers={"Origin": "https://a.b"}).headers


def test_the_limit_counts_failures_of_one_address_within_its_time(clock):
    limiter = RateLimiter(clock, most=2, seconds=60)
    for _ in range(2):
        limiter.check("a")
        limiter.count("a")
        clock.pass_seconds(30)
    limiter.check("a")  # the first failure is a minute old
    limiter.count("a")
    with pytest.raises(RequestError) as error:
        limiter.check("a")
    assert error.value.status == 429
    limiter.check("b")


def test_two_servers_on_one_host_have_cookies_of_their_own(store, tmp_path, clock):
    with open_store(tmp_path / "other.sqlite", clock) as other:
        names = {AuthMiddleware(None, one, None, True, False).cookie for one in (store, store, other)}
    assert len(names) == 2


@pytest.mark.parametrize("host", ["[", "]", "a b", "[::1", "a/b", "a@b", "x" * 9 + ":123456"])
def test_malformed_host_headers_are_refused_with_safe_headers(team, host):
    for path in ("/", "/api/session", "/nothing/", "/static/"):
        answer = team.get(path, headers={"Host": host})
        assert answer.status_code == 400 and "content-security-policy" in answer.headers


def test_what_nobody_foresaw_is_json_with_safe_headers(alone, store, monkeypatch):
    for error, status in (
        (KeyError("secret"), 500),
        (sql.exc.OperationalError("select", {}, Exception("secret")), 503),
    ):

        def fail(*_, error=error):
            raise error

        monkeypatch.setattr(tasks, "next_task", fail)
        answer = alone.post("/api/tasks/next")
        assert answer.status_code == status and "secret" not in answer.text
        assert answer.json()["error"] and "content-security-policy" in answer.headers


def test_a_link_is_not_used_by_other_sites_or_by_looking_at_it(team, store):
    token = access.invite(store, "ann")
    for _ in range(2):
        assert team.get("/enter").status_code == 200  # as a chat's preview does
    evil = team.post("/api/enter", json={"token": token}, headers={"Origin": "https://evil.example"})
    assert evil.status_code == 403 and "set-cookie" not in evil.headers
    assert team.post("/api/enter", json={"token": token}).status_code == 200
    team.cookies.clear()
    assert team.post("/api/enter", json={"token": token}).status_code == 401  # it serves once
