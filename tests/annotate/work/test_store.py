"""The database: transactions, values that servers share, databases that cannot be opened."""

import pytest
import sqlalchemy as sql

from opendensepose.annotate.work.store import (
    SCHEMA_VERSION,
    annotators,
    open_store,
    photos,
    predictions,
    settings,
    tasks,
)

PHOTO = {"name": "a.png", "width": 4, "height": 3, "searched": False}


def test_a_transaction_that_raises_leaves_nothing(store):
    with pytest.raises(KeyError), store.writing() as connection:
        connection.execute(photos.insert().values(**PHOTO))
        raise KeyError
    with store.reading() as connection:
        assert connection.execute(sql.select(photos)).all() == []


def test_a_setting_is_kept_for_all_servers(url):
    with open_store(url) as first, open_store(url) as second:
        assert first.setting("colour", "red") == "red"
        assert second.setting("colour", "blue") == "red"


def test_what_is_written_is_there_when_it_is_opened_again(url):
    with open_store(url) as store, store.writing() as connection:
        connection.execute(photos.insert().values(**PHOTO))
    with open_store(url) as store, store.reading() as connection:
        (row,) = connection.execute(sql.select(photos))
    assert (row.name, row.width, row.height) == ("a.png", 4, 3)


def test_another_versions_tables_are_refused(url):
    with open_store(url) as store, store.writing() as connection:
        connection.execute(settings.update().where(settings.c.name == "schema_version").values(value="0"))
    with pytest.raises(ValueError, match="version 2, got version 0"):
        open_store(url)


@pytest.mark.parametrize("url", ["mysql://user:secret@host/name", "nowhere/a.sqlite", "."])
def test_an_unsuitable_database_is_one_sentence_without_the_password(url):
    with pytest.raises(ValueError, match="the database") as error:
        open_store(url)
    assert "secret" not in str(error.value)


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "text.sqlite").write_text("no database at all " * 100)
    with pytest.raises(ValueError, match="cannot be opened"):
        open_store(tmp_path / "text.sqlite")


OLD_TABLES = (
    "CREATE TABLE settings (name VARCHAR(40) PRIMARY KEY, value TEXT NOT NULL)",
    "INSERT INTO settings VALUES ('schema_version', '1')",
    "CREATE TABLE annotators (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE, role VARCHAR(20) NOT NULL,"
    " token_hash VARCHAR(64) UNIQUE, made_at FLOAT NOT NULL)",
    "INSERT INTO annotators VALUES (1, 'ann', 'annotator', 'x', 0), (2, 'gone', 'annotator', NULL, 0)",
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, status VARCHAR(12) NOT NULL, annotator_id INTEGER)",
    "INSERT INTO tasks VALUES (1, 'open', 1)",
)


def test_an_older_versions_tables_are_brought_up_to_date(url):
    """Both annotators keep their work; whose link was revoked stays out, an old link does not serve."""
    engine = open_store(url).engine
    with engine.execution_options(writing=True).begin() as connection:
        metadata = sql.MetaData()
        metadata.reflect(connection)
        metadata.drop_all(connection)
        for statement in OLD_TABLES:
            connection.execute(sql.text(statement))
    engine.dispose()
    for _ in range(2):
        with open_store(url) as store, store.reading() as connection:
            rows = connection.execute(sql.select(annotators).order_by(annotators.c.id)).all()
            assert [(row.active, row.link_expires_at) for row in rows] == [(True, 0), (False, 0)]
            assert connection.execute(sql.select(tasks.c.assigned_at, tasks.c.reviewer_id)).all() == [(None, None)]
            assert connection.execute(sql.select(predictions)).all() == []
    assert SCHEMA_VERSION == 2


def test_a_database_that_must_exist_is_not_made(url, tmp_path):
    missing = str(tmp_path / "typo.sqlite") if "://" not in url else url
    with pytest.raises(ValueError, match=r"no (database|annotations)|has no annotations"):
        open_store(missing, create=False)
    assert not (tmp_path / "typo.sqlite").exists()
    open_store(url).close()
    open_store(url, create=False).close()
