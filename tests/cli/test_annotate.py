"""The verb `annotate`: a folder starts the tool; the subcommands do what their help says."""

import json
import re

import pytest
from tests.annotate.fakes import write_photos
from typer.testing import CliRunner

from opendensepose.annotate.server import serve
from opendensepose.annotate.work.store import open_store
from opendensepose.cli import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["annotate", *words])


def test_a_folder_is_served_with_and_without_the_subcommand(run, tmp_path, monkeypatch):
    served = []
    monkeypatch.setattr(serve, "run_server", lambda store, photos, **options: served.append((photos.name, options)))
    folder = write_photos(tmp_path / "photos")
    (folder / "broken.jpg").write_bytes(b"no photo")
    boxes = {
        "images": [{"id": 1, "file_name": "photo0.png"}],
        "annotations": [{"id": 1, "image_id": 1, "bbox": [0, 0, 9, 9]}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    result = run("photos", "--boxes", "boxes.json", "--no-browser", "--gold-rate", "0.1")
    assert result.exit_code == 0, result.output
    assert "3 new photos" in result.output and "broken.jpg" in result.output and "1 new people" in result.output
    assert run("serve", "photos", "--port", "9").exit_code == 0
    assert run("--db", "other.sqlite", "photos").exit_code == 0  # options may come first
    (_, first), (_, second), _ = served
    assert first["rules"].gold_rate == 0.1 and not first["browser"] and not first["search"]
    assert second["port"] == 9 and second["search"] and second["host"] == "127.0.0.1"


def test_what_is_wrong_is_one_sentence(run, tmp_path):
    (tmp_path / "empty").mkdir()
    open_store(tmp_path / "annotations.sqlite").close()
    for words in (["nowhere"], ["empty"], ["invite", "ann", "--role", "king"], ["revoke", "nobody"]):
        result = run(*words)
        assert result.exit_code == 2 and len(result.stderr.strip().splitlines()) == 1, result.output
    result = run("invite", "ann", "--db", "mysql://here")
    assert result.exit_code == 2 and "postgresql" in result.stderr


def test_a_link_is_printed_once_and_revoked(run):
    link = run("invite", "ann", "--url", "https://a.b").stdout.strip()
    assert re.fullmatch(r"https://a\.b/enter#[\w-]{43}", link)
    assert run("revoke", "ann").exit_code == 0


def test_export_and_import(run, tmp_path):
    write_photos(tmp_path / "photos")
    open_store(tmp_path / "annotations.sqlite").close()
    assert "0 people" in run("export", "out.json").stdout
    assert json.loads((tmp_path / "out.json").read_text())["annotations"] == []
    entry = {"id": 1, "image_id": 1, "bbox": [0, 0, 30, 30]}
    document = {"images": [{"id": 1, "file_name": "photo0.png"}], "annotations": [entry]}
    (tmp_path / "in.json").write_text(json.dumps(document))
    assert "1 new people" in run("import", "in.json", "--photos", "photos").stdout
    again = run("import", "in.json", "--photos", "photos", "--done", "--update").stdout
    assert "1 known already" in again or "1 updated" in again
    assert run("backup", "copy.sqlite").exit_code == 0
    assert "0 people" in run("export", "out.json", "--db", "copy.sqlite").stdout


def test_a_mistyped_database_is_not_made_where_there_must_be_one(run, tmp_path):
    for words in (["export", "out.json"], ["export", "gold", "--gold"], ["revoke", "ann"], ["backup", "copy"]):
        result = run(*words, "--db", "typo.sqlite")
        assert result.exit_code == 2 and "there is no database typo.sqlite" in result.stderr
        assert list(tmp_path.iterdir()) == []
    assert "it is made now" in run("invite", "ann", "--db", "new.sqlite").stderr  # where one may be made, it is said
    assert "it is made now" not in run("invite", "ann", "--db", "new.sqlite").stderr
