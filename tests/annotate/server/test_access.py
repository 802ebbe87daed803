"""Links and sessions: forged, replayed, revoked and expired ones."""

import pytest
from tests.annotate.fakes import sign_in

from opendensepose.annotate.server import access


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


@pytest.mark.parametrize("name, role", [("", "annotator"), ("me", "annotator"), ("a\nb", "annotator"), ("ann", "king")])
def test_unsuitable_names_and_roles(store, name, role):
    with pytest.raises(ValueError, match="name|role"):
        access.invite(store, name, role)


def test_revoking_nobody_is_said(store):
    with pytest.raises(ValueError, match="nobody"):
        access.revoke(store, "nobody")
