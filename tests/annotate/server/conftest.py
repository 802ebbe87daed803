"""A server for a team, and one for a single user."""

import pytest
from starlette.testclient import TestClient
from tests.annotate.fakes import FlatSurface, write_photos

from opendensepose.annotate.server.app import create_app
from opendensepose.annotate.work.photos import PhotoFolder, add_photos

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
    options = {"team": True, "hosts": ("*",), "is_https": True, "static": tmp_path / "static"}
    with TestClient(create_app(store, FlatSurface(), folder, **options), base_url=TEAM) as client:
        yield client


@pytest.fixture
def alone(store, folder):
    with TestClient(create_app(store, FlatSurface(), folder), base_url=ALONE) as client:
        client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
        yield client


@pytest.fixture
def task(alone):
    return alone.post("/api/tasks", json={"photo_id": 1, "box_xyxy": [8, 4, 40, 44]}).json()
