"""The database: transactions, values that servers share, databases that cannot be opened."""

import pytest
import sqlalchemy as sql

from opendensepose.annotate.work.store import open_store, photos, settings

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
    with pytest.raises(ValueError, match="version 1, got version 0"):
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
