"""The .npz gives back all that was known."""

import numpy as np
import pytest
from tests.formats.people import assert_same_people, nobody, two_people

from opendensepose.formats.npz import read_npz, write_npz


@pytest.mark.parametrize("labelled", [two_people(), nobody()], ids=["two", "nobody"])
def test_what_is_written_comes_back(tmp_path, labelled):
    (path,) = write_npz(tmp_path, labelled)
    assert path == tmp_path / f"{labelled.stem}.npz"
    (found,) = read_npz(path)
    assert (found.name, found.size_hw) == (labelled.stem, labelled.size_hw)
    assert_same_people(found.people, labelled.people)


def test_a_score_that_is_none_names_the_file(tmp_path):
    (path,) = write_npz(tmp_path, two_people())
    with np.load(path) as content:
        np.savez(path, **dict(content) | {"scores": np.float32([2, 1])})
    with pytest.raises(ValueError, match="two.npz: score must lie in"):
        list(read_npz(path))
