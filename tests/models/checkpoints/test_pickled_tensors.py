"""Checkpoints that others pickled: tensors by name are read, anything else is refused."""

import codecs
import os
import pickle

import numpy as np
import pytest
import torch

from opendensepose.models.checkpoints.pickled_tensors import read_tensors


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
