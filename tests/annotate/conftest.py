"""Stores of both kinds: each test that takes `store` runs on SQLite and on PostgreSQL."""

import pytest
from tests.annotate.fakes import Clock
from tests.annotate.postgres import PrivatePostgres, missing_postgres

from opendensepose.annotate.work.store import open_store


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
