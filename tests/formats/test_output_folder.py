"""Which photos an output folder takes for done, and that no photo takes another's place unseen."""

import json
import os

import numpy as np
import pytest
from PIL import Image
from tests.formats.people import two_people

from opendensepose.formats.output_folder import OutputFolder

LABELLED = two_people()


def photo(folder, name="two.png", value=0):
    folder.mkdir(exist_ok=True)
    Image.fromarray(np.full((40, 60, 3), value, np.uint8)).save(folder / name)
    return folder / name


def write(output, path):
    return output.write(path, LABELLED.image_rgb, LABELLED.people, output.missing(path))


def test_a_photo_is_done_when_it_and_the_settings_are_the_same(tmp_path):
    path = photo(tmp_path / "a")
    output = OutputFolder(tmp_path / "out", "npz,catvton", settings={"model": "m"})
    assert output.missing(path) == ["npz", "catvton", "overlay"]
    written = write(output, path)
    assert [file.name for file in written] == ["two.npz", "two.png", "two.overlay.jpg"]
    assert output.missing(path) == []
    assert OutputFolder(tmp_path / "out", "npz,catvton", settings={"model": "m"}).missing(path) == []
    assert OutputFolder(tmp_path / "out", "cvton,npz", settings={"model": "m"}).missing(path) == ["cvton"]
    assert len(OutputFolder(tmp_path / "out", settings={"model": "other"}).missing(path)) == 2
    assert len(OutputFolder(tmp_path / "out", min_confidence=0.5, settings={"model": "m"}).missing(path)) == 2
    os.utime(path, ns=(0, 0))
    assert output.missing(path) == output.names, "the photo has changed"


def test_formats_add_up_over_runs(tmp_path):
    path = photo(tmp_path / "a")
    for formats in ("npz", "iuv-png", "cvton"):
        write(OutputFolder(tmp_path / "out", formats), path)
    assert OutputFolder(tmp_path / "out", "npz,iuv-png,cvton").missing(path) == []
    assert len((tmp_path / "out" / "done.jsonl").read_text().splitlines()) == 3


def test_two_photos_of_one_name_are_refused(tmp_path):
    first, second = photo(tmp_path / "a"), photo(tmp_path / "b", "two.jpg", 9)
    output = OutputFolder(tmp_path / "out")
    with pytest.raises(ValueError, match="would both be written as two: give them two folders"):
        output.check_names([first, second])
    write(output, first)
    output.check_names([first])
    for later in (output, OutputFolder(tmp_path / "out")):
        with pytest.raises(ValueError, match="has the labels of .*a/two.png: .* another folder, or say --again"):
            later.check_names([second])
    output.check_names([second], again=True)
    (tmp_path / "out" / "two.npz").unlink()
    output.check_names([second])


def test_a_photo_that_was_changed_or_moved_is_the_same_photo(tmp_path):
    path = photo(tmp_path / "a")
    output = OutputFolder(tmp_path / "out")
    write(output, path)
    moved = path.rename(tmp_path / "two.png")
    output.check_names([moved])
    assert output.missing(moved) == []
    moved.rename(path)
    os.utime(path, ns=(0, 0))
    output.check_names([path])
    assert output.missing(path) == output.names


def test_lines_that_are_cut_off_or_foreign_are_no_photos(tmp_path):
    path = photo(tmp_path / "a")
    write(OutputFolder(tmp_path / "out"), path)
    done = tmp_path / "out" / "done.jsonl"
    whole = done.read_text()
    for text in (whole[:-20], "[]\n1\n{}\n", json.dumps({"photo": 1, "files": [], "settings": 0}), "\x00" * 50):
        done.write_text(text)
        output = OutputFolder(tmp_path / "out")
        assert output.missing(path) == output.names
        write(output, path)
        assert OutputFolder(tmp_path / "out").missing(path) == []


def test_a_format_of_one_person_takes_its_own_unless_one_is_chosen(tmp_path):
    path = photo(tmp_path / "a")
    first, second = LABELLED.people
    for person, expected in ((None, first), ("2", second)):
        write(OutputFolder(tmp_path / "out", "catvton,npz", person=person), path)
        np.testing.assert_array_equal(np.array(Image.open(tmp_path / "out" / "catvton" / "two.png")), expected.iuv.i)
        assert len(np.load(tmp_path / "out" / "two.npz")["scores"]) == (2 if person is None else 1)


def test_a_format_that_fails_leaves_the_photo_undone(tmp_path, monkeypatch):
    path = photo(tmp_path / "a")
    output = OutputFolder(tmp_path / "out", "npz,iuv-legacy")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", full)
        with pytest.raises(OSError):
            write(output, path)
    assert output.missing(path) == output.names
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["two.npz"]


def test_wrong_folders_are_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="output folder .* cannot be written"):
        OutputFolder(tmp_path / "file")
