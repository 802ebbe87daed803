"""A file is complete or absent, whatever happens while it is written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opendensepose.atomic_write import atomic_file, atomic_write


def test_it_takes_its_place_at_the_end_only(tmp_path):
    atomic_write(tmp_path / "a", b"old")
    with atomic_file(tmp_path / "a") as part:
        part.write_bytes(b"new")
        assert part.parent == tmp_path and (tmp_path / "a").read_bytes() == b"old"
    assert (tmp_path / "a").read_bytes() == b"new" and os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path, error):
    atomic_write(tmp_path / "a", b"old")
    with pytest.raises(error), atomic_file(tmp_path / "a") as part:
        part.write_bytes(b"half")
        raise error
    assert (tmp_path / "a").read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_a_folder_that_is_missing_or_gone_is_the_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"):
        atomic_write(tmp_path / "gone" / "a", b"")


def test_an_error_names_the_file_that_was_to_be_written(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError) as caught:
        atomic_write(tmp_path / "a", b"")
    assert caught.value.filename == str(tmp_path / "a") and os.listdir(tmp_path) == ["a"]


def test_a_killed_process_leaves_what_was_there(tmp_path):
    atomic_write(tmp_path / "a", b"old")
    program = (
        "import os, signal, sys; from opendensepose.atomic_write import atomic_file\n"
        "with atomic_file(sys.argv[1]) as part:\n"
        "    part.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "a"], cwd=Path(__file__).parent)
    assert done.returncode == -9 and (tmp_path / "a").read_bytes() == b"old"
