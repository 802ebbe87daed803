"""Pickles that hold arrays are read, pickles that would do anything are refused."""

import collections
import pickle

import numpy as np
import pytest

from opendensepose.restricted_pickle import load_restricted


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_plain_containers_come_back(protocol):
    content = {
        "model": collections.OrderedDict(
            a=np.arange(6, dtype=np.float32).reshape(2, 3),
            b=np.float64(3),
            c=np.zeros(0),
            d=np.asfortranarray(np.eye(3)),
        ),
        "list": [1, 2.5, "text", b"bytes", None, True, (1, 2), {3}],
    }
    back = load_restricted(pickle.dumps(content, protocol))
    assert back["list"] == content["list"]
    for name, array in content["model"].items():
        np.testing.assert_array_equal(back["model"][name], array)


def test_the_names_of_old_numpy_are_known():
    new = pickle.dumps(np.arange(3), 2)
    assert b"numpy._core.multiarray" in new
    assert load_restricted(new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")).tolist() == [0, 1, 2]
