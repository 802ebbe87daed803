"""The command itself: version, help, and how errors end it."""

import subprocess
import sys
from importlib import metadata

from tests.cli.running import assert_one_sentence, run


def test_version_is_the_installed_one():
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.strip() == f"opendensepose {metadata.version('opendensepose')}"


def test_help_names_every_verb():
    result = run("--help")
    assert result.exit_code == 0
    for verb in ("predict", "train", "render", "surface", "data", "show"):
        assert verb in result.stdout


def test_an_unknown_option_ends_with_2():
    assert run("render", "--nonsense").exit_code == 2


def test_an_error_of_the_operating_system_names_the_file_and_the_reason(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert_one_sentence(run("surface", "--out", tmp_path / "file"), tmp_path / "file", "File exists")


def test_the_traceback_is_shown_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENDENSEPOSE_TRACEBACK", "1")
    assert isinstance(run("predict", "--out", tmp_path).exception, ValueError)


def test_a_real_process_ends_with_2_and_one_line(tmp_path):
    command = [sys.executable, "-m", "opendensepose", "render", "--count", "1", "--seed", "0", "--size", "wide"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
