"""The verbs `formats` and `convert`: what they print and write, and how they end on bad input."""

import pickle

import pytest
from tests.cli.running import assert_one_sentence, run
from tests.formats.people import two_people

from opendensepose.formats import FORMATS


@pytest.fixture
def npz(tmp_path):
    (path,) = FORMATS["npz"].write(tmp_path, two_people())
    return path


def test_formats_are_listed_with_a_line_each():
    result = run("formats")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(FORMATS)


def test_convert_writes_and_says_what_is_lost(tmp_path, npz):
    result = run("convert", npz, "--to", "coco", "--out", tmp_path / "out", "--person", "largest")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"files written: 1, to {tmp_path / 'out'}\n"
    assert "lossy: coco does not hold confidence\nlossy: U and V are stored in 255ths\n" in result.stderr
    assert (tmp_path / "out" / "coco.json").is_file()
    back = run("convert", tmp_path / "out", "--to", "npz", "--out", tmp_path / "back")
    assert back.exit_code == 0 and back.stderr == "" and (tmp_path / "back" / "two.npz").is_file()


def test_convert_refuses_in_one_sentence(tmp_path, npz):
    out = tmp_path / "out"
    assert_one_sentence(run("convert", npz, "--to", "atlas", "--out", out), "atlas needs the photos", "--photos")
    assert_one_sentence(run("convert", npz, "--to", "nosuch", "--out", out), "no format 'nosuch'", "npz, iuv-png")
    assert_one_sentence(run("convert", tmp_path / "gone.npz", "--to", "npz", "--out", out), "gone.npz")
    assert not out.exists()


def test_convert_ends_with_1_if_some_files_fail_and_with_2_if_all_do(tmp_path, npz):
    (tmp_path / "bad.npz").write_bytes(b"bad")
    result = run("convert", npz, tmp_path / "bad.npz", "--to", "iuv-png", "--out", tmp_path / "out")
    assert result.exit_code == 1 and "opendensepose: " in result.stderr and "bad.npz" in result.stderr
    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps(print))
    result = run("convert", tmp_path / "bomb.pkl", "--to", "npz", "--out", tmp_path / "out")
    assert_one_sentence(result, "bomb.pkl is refused")
