"""What the user names is read or refused in a sentence; a client's reason is found among its lines."""

import pytest
from tests.synth.wardrobe.tar_files import write_tar

from opendensepose.synth.wardrobe.sources import _reason, named_files


def test_nothing_named_is_nothing_found():
    assert named_files([]) == {}


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="--from must name a file or folder that exists, got .*missing"):
        named_files([tmp_path / "missing"])
    other = write_tar(tmp_path / "other.tgz", {"package/x": b"1"})
    with pytest.raises(ValueError, match="--from must name a source of the needed files, got .*: it takes"):
        named_files([other])


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        ("npm error code E404\nnpm error 404 Not Found.\n", "404 Not Found"),
        ("npm error errno 1\nnpm error network no route\nnpm error more", "no route"),
        ("W: old list\nE: Unable to locate package\n", "Unable to locate package"),
        ("first\n\n  last words \n", "last words"),
        ("\n", "it says nothing"),
    ],
)
def test_the_reason_is_the_first_error_that_is_not_only_a_code(stderr, reason):
    assert _reason(stderr) == reason
