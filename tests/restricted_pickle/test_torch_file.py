"""torch reads what is written without it, what it wrote is read without it, and whatever else such a file holds is
refused.
"""

import os
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from opendensepose.restricted_pickle import Record, load_torch, torch_bytes

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
    (tmp_path / "a.pkl").write_bytes(torch_bytes(CONTENT | ARRAYS))
    back = torch.load(tmp_path / "a.pkl", weights_only=weights_only)
    assert {name: back[name] for name in CONTENT} == CONTENT
    assert [type(one) for one in back["numbers"]] == [type(one) for one in CONTENT["numbers"]]
    for name, array in ARRAYS.items():
        assert isinstance(back[name], torch.Tensor)
        np.testing.assert_array_equal(back[name].numpy(), array)
        assert back[name].dtype == torch.from_numpy(array.astype(array.dtype.newbyteorder("="))).dtype


def test_our_reader_reads_the_same(tmp_path):
    (tmp_path / "a.pkl").write_bytes(torch_bytes(CONTENT | ARRAYS))
    back = load_torch(tmp_path / "a.pkl")
    assert {name: back[name] for name in CONTENT} == CONTENT
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize("wrong", [{1, 2}, object(), np.zeros(2, bool), np.array(["a"])])
def test_what_cannot_be_stored_is_said(wrong):
    with pytest.raises(TypeError, match="torch's file can hold|an array must be one of"):
        torch_bytes([wrong])


class Dump:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


DUMP = f"{Dump.__module__}.Dump"


@pytest.fixture
def saved(tmp_path):
    def save(content):
        torch.save(content, tmp_path / "a.pkl")
        return tmp_path / "a.pkl"

    return save


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float32,
        torch.float64,
        torch.float16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    ],
)
def test_tensors_of_every_kind_and_stride_are_torch_s(saved, dtype):
    base = torch.arange(24).reshape(2, 3, 4).to(dtype)
    tensors = [base, base.mT, base[:, 1:, ::2], base[0, 0, 0], base[:0], base.expand(1, 2, 3, 4), base[1]]
    for tensor, back in zip(tensors, load_torch(saved(tensors)), strict=True):
        np.testing.assert_array_equal(back, tensor.numpy())
        assert back.dtype == tensor.numpy().dtype and back.flags.writeable


def test_bfloat16_becomes_float32_without_loss(saved):
    numbers = torch.tensor([1.0, -3.140625, 1e30, 0.0, float("inf")], dtype=torch.bfloat16)
    back = load_torch(saved(numbers))
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, numbers.float().numpy())


def test_an_admitted_class_becomes_a_record_and_another_is_refused(saved):
    path = saved([Dump(labels=torch.arange(3), more=None), Dump()])
    first, second = load_torch(path, {DUMP})
    assert isinstance(first, Record) and first.class_name == DUMP and second.attributes == {}
    assert first.attributes["labels"].tolist() == [0, 1, 2] and first.attributes["more"] is None
    for classes in ((), {"other.Dump"}):
        with pytest.raises(pickle.UnpicklingError, match="asks for .*Dump"):
            load_torch(path, classes)


class Evil:
    def __reduce__(self):
        return os.system, ("touch gone",)


def test_admitting_a_class_admits_no_call(saved, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match="asks for .*system"):
        load_torch(saved(Dump(labels=Evil())), {DUMP})
    assert not (tmp_path / "gone").exists()


class WithArguments:
    def __getnewargs__(self):
        return ("argument",)

    def __new__(cls, *_):
        return super().__new__(cls)


def test_a_record_is_made_without_arguments(saved):
    with pytest.raises(pickle.UnpicklingError, match="makes an object"):
        load_torch(saved(WithArguments()), {f"{WithArguments.__module__}.WithArguments"})


@pytest.mark.parametrize("wrong", [b"K\x01Kd\x85", b"K\x00Ke\x85"], ids=["offset 1", "101 numbers"])
def test_a_view_that_leaves_its_storage_is_refused(saved, wrong):
    path = saved(torch.arange(100.0))
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    right = entries["a/data.pkl"]
    assert right.count(b"K\x00Kd\x85") == 1
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (entries | {"a/data.pkl": right.replace(b"K\x00Kd\x85", wrong)}).items():
            archive.writestr(name, content)
    with pytest.raises(pickle.UnpicklingError, match="a tensor reaches to number 100 of a storage of 100"):
        load_torch(path)


def test_reading_needs_no_torch(saved):
    path = saved({"a": torch.arange(3)})
    code = "import sys; from opendensepose.restricted_pickle import load_torch\n"
    code += f"print(load_torch({str(path)!r})['a'].sum(), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False"]
