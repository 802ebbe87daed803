"""What every request passes: sign-in, CSRF tokens, security headers, the limit of failed sign-ins."""

import pytest
from tests.annotate.fakes import sign_in

from opendensepose.annotate.server import access
from opendensepose.annotate.server.middleware import RateLimiter
from opendensepose.annotate.work.errors import RequestError

ALONE = "http://127.0.0.1:8765"


def test_a_link_signs_in_with_a_cookie_that_scripts_and_other_sites_do_not_have(team, store):
    token = access.invite(store, "ann")
    cookie = team.get(f"/enter/{token}").headers["set-cookie"]
    for word in ("__Host-annotate=", "HttpOnly", "SameSite=strict", "Secure", "Path=/"):
        assert word in cookie
    assert token not in cookie
    assert team.get("/api/session").json()["annotator"] == "ann"
    assert team.get("/static/main.js").status_code == 200


def test_guessing_links_is_slowed_down(team, clock):
    codes = [team.get(f"/enter/{k}").status_code for k in range(12)]
    assert codes == [401] * 10 + [429] * 2
    clock.pass_seconds(61)
    assert team.get("/enter/again").status_code == 401


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
