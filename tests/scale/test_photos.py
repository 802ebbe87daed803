"""Photos in shards: every photo in one row or one error, whatever is cut short, and the same rows wherever it runs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.red_people import RedPeople, photo_with_red
from tests.scale.test_shards import assert_same

from opendensepose.predict import Predictor
from opendensepose.scale import photos as module
from opendensepose.scale import predict_shards, read_rows
from opendensepose.scale.photos import PhotoJob
from opendensepose.scale.rows import Choice
from opendensepose.scale.tasks import Task

pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow: pip install 'opendensepose[scale]'")

NUM_PHOTOS = 11


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    for k in range(NUM_PHOTOS):
        Image.fromarray(photo_with_red((20, 30), (0, 0, 3 + k, 5))).save(place / f"{k:02d}.png")
    (place / "05.png").write_bytes(b"no photo")
    return place


def names_of(out):
    rows = [row["photo"].rsplit("/")[-1] for row in read_rows(out)]
    errors = [
        one["photo"].rsplit("/")[-1]
        for path in sorted((Path(out) / "errors").glob("*"))
        for one in pq.read_table(path).to_pylist()
    ]
    return rows, errors


@pytest.mark.parametrize("kind", ["parquet", "webdataset"])
def test_every_photo_is_in_one_row_or_one_error_and_done_shards_are_kept(folder, tmp_path, kind):
    out, calls = str(tmp_path / "out"), []
    network = RedPeople()
    options = {"kind": kind, "shard_size": 4, "on_photo": lambda *one: calls.append(one)}
    summary = predict_shards([str(folder)], out, network, **options)
    assert (summary.num_photos, summary.num_errors, summary.num_people, summary.exit_code) == (11, 1, 10, 1)
    assert calls == [(4, 11), (8, 11), (11, 11)]
    rows, errors = names_of(out)
    assert sorted(rows + errors) == [f"{k:02d}.png" for k in range(NUM_PHOTOS)] and errors == ["05.png"]
    before = {path: path.read_bytes() for path in Path(out).rglob("*") if path.is_file()}
    network.calls.clear()
    (Path(out) / "photos" / f"00001.{'tar' if kind == 'webdataset' else kind}").unlink()
    again = predict_shards([str(folder)], out, network, **options)
    assert (again.num_skipped, again.num_photos, again.num_errors) == (7, 4, 1)
    assert sum(count for count, _ in network.calls) == 3
    if kind == "parquet":  # a .npz has the time in it
        assert {path: path.read_bytes() for path in before} == before
    assert sorted(sum(names_of(out), [])) == sorted(rows + errors)
    assert predict_shards([str(folder)], out, network, **options).exit_code == 0


def test_new_photos_get_shards_of_their_own_and_changed_ones_are_named(folder, tmp_path):
    out = str(tmp_path / "out")
    predict_shards([str(folder)], out, RedPeople(), shard_size=4)
    Image.fromarray(photo_with_red((21, 30), (0, 0, 3, 5))).save(folder / "new.png")
    Image.fromarray(photo_with_red((400, 30), (0, 0, 3, 5))).save(folder / "00.png")
    summary = predict_shards([str(folder)], out, RedPeople(), shard_size=4)
    assert (summary.num_photos, summary.num_skipped) == (1, 11)
    assert [photo for photo, _ in summary.changed] == [str(folder / "00.png")] and summary.exit_code == 1
    rows, errors = names_of(out)
    assert len(rows + errors) == len(set(rows + errors)) == NUM_PHOTOS + 1


def test_the_rows_do_not_depend_on_who_made_them(folder, tmp_path):
    """The default model, in this process and in two others, in shards of other sizes, of files in memory."""
    few = sorted(str(path) for path in folder.iterdir())[:3]
    predict_shards(few, str(tmp_path / "here"), shard_size=9)
    predict_shards(few, str(tmp_path / "there"), shard_size=2, workers=2)
    assert_same(list(read_rows(str(tmp_path / "there"))), list(read_rows(str(tmp_path / "here"))))


def test_a_photo_that_workers_die_of_is_an_error(folder, tmp_path):
    files = [(str(path), 1) for path in sorted(folder.iterdir())[:3]]
    job = PhotoJob(str(tmp_path / "out"), "parquet", lambda: Predictor(RedPeople()), Choice())
    said = list(job.start()(Task(0, files, is_careful=True, skipped=frozenset({1}))))
    assert said[:2] == [0, 2] and (said[2].num_items, said[2].num_errors) == (3, 1)
    assert names_of(str(tmp_path / "out")) == (["00.png", "02.png"], ["01.png"])


def test_a_server_that_is_away_costs_its_shard_for_now(folder, tmp_path, monkeypatch):
    out = str(tmp_path / "out")
    with monkeypatch.context() as patch:
        real = module.label_photos

        def away(photos, *others):
            if photos[0][0].endswith("04.png"):
                raise TimeoutError("the server is away")
            return real(photos, *others)

        patch.setattr(module, "label_photos", away)
        summary = predict_shards([str(folder)], out, RedPeople(), shard_size=4)
    assert summary.failures == ["shard 1 of 4 photos: the server is away"] and summary.exit_code == 1
    assert predict_shards([str(folder)], out, RedPeople(), shard_size=4).num_photos == 4
    assert len(sum(names_of(out), [])) == NUM_PHOTOS


def test_what_cannot_be_is_one_sentence_and_nothing_is_written(folder, tmp_path):
    out = str(tmp_path / "out")
    for options, said in (
        ({"kind": "csv"}, "shards must be parquet or webdataset, got 'csv'"),
        ({"shard_size": 0}, "at least 1 photo"),
        ({"person": "nobody"}, "a person must be"),
        ({"model": "nothing"}, "nothing"),
    ):
        with pytest.raises(ValueError, match=said):
            predict_shards([str(folder)], out, **options)
    with pytest.raises(ValueError, match="there is no file or folder"):
        predict_shards([str(tmp_path / "nowhere")], out)
    assert not Path(out).exists()


def test_labels_of_a_row_are_those_of_the_file(folder, tmp_path):
    predict_shards([str(folder / "03.png")], str(tmp_path / "out"), RedPeople())
    (row,) = read_rows(str(tmp_path / "out"))
    assert row["corners_xy"].tolist() == [[0, 0]] and row["labels_0"].shape == (4, 5, 6)
    assert np.unique(row["labels_0"][0]).tolist() == [2] and np.unique(row["labels_0"][1]).tolist() == [64]
