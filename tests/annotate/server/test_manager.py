"""The manager's quality: measured once in 30 seconds, with distances that are loaded once."""

from tests.annotate.fakes import FlatSurface, StraightDistances

from opendensepose.annotate.server.access import invite
from opendensepose.annotate.server.manager import QualityCache


def test_quality_is_measured_anew_after_half_a_minute_and_distances_are_loaded_once(store, clock):
    loaded = []

    def load_distances():
        loaded.append(1)
        return StraightDistances()

    cache = QualityCache(load_distances)
    assert not loaded
    assert cache.quality(store, FlatSurface())["annotators"] == []
    invite(store, "ann")
    clock.pass_seconds(30)
    assert cache.quality(store, FlatSurface())["annotators"] == []
    clock.pass_seconds(1)
    assert [one["name"] for one in cache.quality(store, FlatSurface())["annotators"]] == ["ann"]
    assert len(loaded) == 1


def test_an_unknown_plot_and_a_file_that_is_no_document(alone):
    assert "error_by_part" in alone.get("/api/manager/plots/nothing.svg").json()["error"]
    assert alone.get("/api/manager/plots/progress.svg").headers["content-type"].startswith("image/svg+xml")
    assert alone.post("/api/import", content=b"[]").status_code == 422
