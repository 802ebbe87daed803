"""The manager's endpoints: the team, and quality, measured with distances that are loaded once."""

from tests.annotate.fakes import FlatSurface, StraightDistances, sign_in

from opendensepose.annotate.server.access import invite
from opendensepose.annotate.server.manager import QualityCache


def test_quality_is_told_anew_after_seconds_and_distances_are_loaded_once(store, clock):
    loaded = []

    def load_distances():
        loaded.append(1)
        return StraightDistances()

    cache = QualityCache(load_distances)
    assert not loaded
    assert cache.quality(store, FlatSurface())["annotators"] == []
    invite(store, "ann")
    clock.pass_seconds(5)
    assert cache.quality(store, FlatSurface())["annotators"] == []
    clock.pass_seconds(1)
    assert [one["name"] for one in cache.quality(store, FlatSurface())["annotators"]] == ["ann"]
    assert len(loaded) == 1


def test_a_manager_invites_and_revokes(team, store):
    sign_in(team, store, "max", "manager")
    path = team.post("/api/team/invite", json={"name": "Ann", "role": "reviewer"}).json()["path"]
    lines = {one["name"]: one for one in team.get("/api/team").json()["members"]}
    assert lines["Ann"]["link"] == "waiting" and lines["Ann"]["active"] and lines["max"]["link"] is None
    assert team.post("/api/team/revoke", json={"name": "max"}).status_code == 409  # not themselves
    assert team.post("/api/team/revoke", json={"name": "nobody"}).status_code == 404
    assert team.post("/api/team/revoke", json={"name": "Ann"}).status_code == 200
    lines = {one["name"]: one for one in team.get("/api/team").json()["members"]}
    assert not lines["Ann"]["active"] and lines["Ann"]["link"] is None
    team.cookies.clear()
    assert team.post("/api/enter", json={"token": path.split("#")[1]}).status_code == 401
    for bad in ({"name": ""}, {"name": "me"}, {"name": "a\nb"}, {"name": "ann", "role": "king"}):
        sign_in(team, store, "max", "manager")
        assert team.post("/api/team/invite", json=bad).status_code in (400, 422)


def test_who_works_alone_invites_nobody_from_the_page(alone):
    assert "annotate invite" in alone.post("/api/team/invite", json={"name": "ann"}).json()["error"]


def test_an_unknown_plot_and_a_file_that_is_no_document(alone):
    assert "error_by_part" in alone.get("/api/manager/plots/nothing.svg").json()["error"]
    assert alone.get("/api/manager/plots/progress.svg").headers["content-type"].startswith("image/svg+xml")
    assert alone.post("/api/import", content=b"[]").status_code == 422
