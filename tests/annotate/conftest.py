"""Stores of both kinds: each test that takes `store` runs on SQLite and on PostgreSQL."""

import pytest
from tests.annotate.annotating import user
from tests.annotate.fakes import Clock, write_photos
from tests.annotate.postgres import PrivatePostgres, missing_postgres

from opendensepose.annotate.work.photos import add_photos
from opendensepose.annotate.work.store import open_store, people


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL of our own, in a temporary folder, reached by a socket in it."""
    reason = missing_postgres()
    if reason:
        pytest.skip(reason)
    with PrivatePostgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return str(tmp_path / "annotations.sqlite")
    return request.getfixturevalue("postgres").empty_database()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(url, clock):
    store = open_store(url, clock)
    yield store
    store.close()


@pytest.fixture
def crowd(store, tmp_path):
    """Three annotators, a reviewer, a manager, and two people, one on each of two photos."""
    add_photos(store, write_photos(tmp_path / "photos", 2))
    with store.writing() as connection:
        for photo_id in (1, 2):
            box = {"x0": 0.0, "y0": 0.0, "x1": 64.0, "y1": 48.0}
            connection.execute(people.insert().values(photo_id=photo_id, is_gold=False, times_submitted=0, **box))
    names = {"ann": "annotator", "bob": "annotator", "cem": "annotator", "rita": "reviewer", "max": "manager"}
    return {name: user(store, name, role) for name, role in names.items()}
