"""Links and sessions: forged, replayed, revoked and expired ones."""

import pytest
from tests.annotate.fakes import sign_in

from opendensepose.annotate.server import access


def enter(team, token: str) -> int:
    return team.post("/api/enter", json={"token": token}).status_code


def cookie_name(team) -> str:
    return next(iter(team.cookies))


def test_forged_replayed_and_revoked_tokens(team, store, clock):
    for forged in ("x" * 43, "", "a/../b", "\0", "'; DROP TABLE sessions; --"):
        assert enter(team, forged) == 401
    token = sign_in(team, store, "ann")
    name = cookie_name(team)
    cookie = team.cookies[name]
    access.revoke(store, "ann")
    assert team.get("/api/session").status_code == 401  # the session has ended
    clock.pass_seconds(100)
    assert enter(team, token) == 401  # the link too
    newer = sign_in(team, store, "ann")
    assert newer != token
    for dead in (cookie, "forged" * 8):
        team.cookies.clear()
        team.cookies.set(name, dead)
        assert team.get("/api/session").status_code == 401  # an old cookie does not come back to life
    assert enter(team, newer) == 401  # it was opened


def test_links_expire_and_sessions_last_while_they_are_used(team, store, clock):
    token = access.invite(store, "ann")
    clock.pass_seconds(access.LINK_SECONDS + 1)
    assert enter(team, token) == 401
    sign_in(team, store, "bob")
    for _ in range(3):
        clock.pass_seconds(access.SESSION_SECONDS - 10)
        assert team.get("/api/session").status_code == 200


def test_a_user_makes_their_own_link_for_another_browser(team, store):
    sign_in(team, store, "ann")
    path = team.post("/api/link").json()["path"]
    assert team.get("/api/session").status_code == 200  # this session goes on
    first = dict(team.cookies)
    team.cookies.clear()
    assert enter(team, path.split("#")[1]) == 200
    assert team.get("/api/session").json()["annotator"] == "ann" and dict(team.cookies) != first


def test_everybody_revoked_is_still_a_team(store):
    assert not access.has_invitations(store)
    access.invite(store, "ann")
    access.revoke(store, "ann")
    assert access.has_invitations(store)  # the next start must not let everybody in


def test_signing_out_and_time_end_a_session(team, store, clock):
    sign_in(team, store, "ann")
    name = cookie_name(team)
    cookie = team.cookies[name]
    assert team.post("/api/logout").status_code == 200
    team.cookies.set(name, cookie)
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


@pytest.mark.parametrize("name, role", [("", "annotator"), ("me", "annotator"), ("a\nb", "annotator"), ("ann", "king")])
def test_unsuitable_names_and_roles(store, name, role):
    with pytest.raises(ValueError, match="name|role"):
        access.invite(store, name, role)


def test_revoking_nobody_is_said(store):
    with pytest.raises(ValueError, match="nobody"):
        access.revoke(store, "nobody")
