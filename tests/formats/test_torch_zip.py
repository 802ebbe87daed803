"""torch.load reads what is written without torch, with its safe unpickler too."""

import numpy as np
import pytest
import torch

from opendensepose.formats.torch_zip import save_torch
from opendensepose.restricted_pickle import load_torch

CONTENT = {
    "text": "Zoë \U0001f600",
    "none": None,
    "numbers": [0, 1, -1, 127, 128, 255, 256, -(2**40), 2**62, True, False, 0.1, float("inf")],
    "nested": [{"a": [], "b": {}}, (1, "x"), ()],
}
ARRAYS = {
    "f4": np.arange(6, dtype=np.float32).reshape(2, 3),
    "f8": np.float64([1.5]),
    "i8": np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
    "i4": np.zeros((0, 4), np.int32),
    "u1": np.full((), 7, np.uint8),
    "big_endian": np.arange(3, dtype=">f4"),
}


@pytest.mark.parametrize("weights_only", [True, False])
def test_torch_reads_the_same(tmp_path, weights_only):
    save_torch(tmp_path / "a.pkl", CONTENT | ARRAYS)
    back = torch.load(tmp_path / "a.pkl", weights_only=weights_only)
    assert {name: back[name] for name in CONTENT} == CONTENT
    assert [type(one) for one in back["numbers"]] == [type(one) for one in CONTENT["numbers"]]
    for name, array in ARRAYS.items():
        assert isinstance(back[name], torch.Tensor)
        np.testing.assert_array_equal(back[name].numpy(), array)
        assert back[name].dtype == torch.from_numpy(array.astype(array.dtype.newbyteorder("="))).dtype


def test_our_reader_reads_the_same(tmp_path):
    save_torch(tmp_path / "a.pkl", CONTENT | ARRAYS)
    back = load_torch(tmp_path / "a.pkl")
    assert {name: back[name] for name in CONTENT} == CONTENT
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize("wrong", [{1, 2}, object(), np.zeros(2, bool), np.array(["a"])])
def test_what_cannot_be_stored_leaves_no_file(tmp_path, wrong):
    with pytest.raises(TypeError, match="torch's file can hold|an array must be one of"):
        save_torch(tmp_path / "a.pkl", [wrong])
    assert not list(tmp_path.iterdir())
