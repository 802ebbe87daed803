"""Pickles that hold arrays are read, pickles that would do anything are refused."""

import codecs
import collections
import os
import pickle

import numpy as np
import pytest
import torch

from opendensepose.models.checkpoints.restricted_pickle import load_restricted, read_tensors


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


class Evil:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


@pytest.mark.parametrize(
    "call", [(os.system, "touch {}"), (eval, "open('{}', 'w')"), (codecs.decode, "{}", "rot13"), (getattr, "{}", "x")]
)
@pytest.mark.parametrize("inside", [True, False])
def test_whatever_else_is_refused_and_not_run(tmp_path, call, inside):
    touched = tmp_path / "touched"
    evil = Evil(call[0], *(part.format(touched) for part in call[1:]))
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"model": {"a": np.zeros(2), "b": evil}} if inside else evil))
    with pytest.raises(ValueError, match="is refused: a checkpoint may hold arrays and plain containers only") as error:
        read_tensors(path)
    assert not touched.exists() and "\n" not in str(error.value)


def test_torch_files_hold_weights_only(tmp_path):
    torch.save({"model": {"a": torch.arange(3)}}, tmp_path / "good.pth")
    assert read_tensors(tmp_path / "good.pth")["a"].tolist() == [0, 1, 2]
    torch.save({"a": torch.arange(3)}, tmp_path / "bare.pth")
    assert set(read_tensors(tmp_path / "bare.pth")) == {"a"}
    torch.save({"model": Evil(os.getcwd)}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match="is refused") as error:
        read_tensors(tmp_path / "evil.pth")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("cut", [0, 1, 50, -1])
def test_damaged_files_are_refused(tmp_path, cut):
    path = tmp_path / "cut.pkl"
    path.write_bytes(pickle.dumps({"model": {"a": np.zeros(100)}})[:cut])
    with pytest.raises(ValueError, match="is refused"):
        read_tensors(path)


@pytest.mark.parametrize(
    "content", [[1, 2], {}, {"model": {}}, {"model": {"a": "text"}}, {"model": {1: np.zeros(1)}}, 3]
)
def test_what_holds_no_tensors_is_said(tmp_path, content):
    path = tmp_path / "other.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match="holds no tensors by name"):
        read_tensors(path)
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        read_tensors(tmp_path / "gone.pkl")
