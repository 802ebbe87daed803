"""Damaged and hostile checkpoints are loaded or refused in one sentence, within bounded memory and time."""

import inspect
import json
import pickle
import random
import struct
import zipfile
from io import BytesIO

import numpy as np
import pytest
import torch
from tests.hostile import damaged, is_read_or_refused, memory_limit

from opendensepose.models.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from opendensepose.models.checkpoints.pickled_tensors import read_tensors
from opendensepose.models.zoo import ARCHITECTURES, LIMITS, build_model, check_kwargs, keyword_arguments
from opendensepose.restricted_pickle import load_restricted

BACKBONE = {"depth": 18, "width": 8, "norm": "batch", "channels": 32}
REGIONS = {"head_channels": 32, "head_layers": 1, "cells": 14, "box_hidden": 16, "short_side": 64, "long_side": 96}
TINY = {
    "densepose_lite": {
        "widths": (4, 4, 4, 4),
        "depths": (0, 0, 0, 0),
        "dense_channels": 4,
        "detection_channels": 4,
        "crop_hw": (48, 24),
        "min_score": 0.5,
    },
    "densepose_rcnn": BACKBONE | REGIONS,
    "cascade_rcnn": BACKBONE
    | REGIONS
    | {"keypoint_channels": 8, "keypoint_layers": 1, "mask_channels": 8, "mask_layers": 1},
    "embedding_rcnn": BACKBONE | REGIONS | {"num_vertices": 9, "vertex_features": 3, "dimensions": 2, "mesh": "tiny"},
    "fcn": BACKBONE | {"short_side": 64, "scales": (1.0,)},
    "teacher": BACKBONE | {"side": 64, "scales": (0.75, 1.0)},
    "crop_labeller": BACKBONE | {"side": 64},
}
EXTREME = (
    *(None, True, False, 0, -1, 1, 3, 10**5, 2**31, 2**63, 10**30, 10**400, 0.5, 1e308, float("nan"), float("inf")),
    *("", "x" * 1000, "group", "deeplab", [], [1], [10**6] * 4, [[1] * 4] * 4, [0] * 5000, {}, {"a": 1}, ["a"] * 4),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    torch.manual_seed(0)
    folder, contents = tmp_path_factory.mktemp("sound"), {}
    for name, kwargs in TINY.items():
        save_checkpoint(folder / name, build_model(name, **kwargs), name, kwargs)
        assert load_checkpoint(folder / name).kwargs.keys() == kwargs.keys()
        contents[name] = (folder / name).read_bytes()
    return contents


def split(content):
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def joined(head, body):
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + body


def with_metadata_changed(content, rng):
    head, body = split(content)
    about = json.loads(head["__metadata__"]["about"])
    names = sorted({name for kwargs in TINY.values() for name in kwargs} | {"self", "name", "kwargs", "max_stride"})
    kind = rng.randrange(6)
    if kind <= 2:
        about["kwargs"][rng.choice(names if kind else list(about["kwargs"]))] = rng.choice(EXTREME)
    elif kind == 3:
        about[rng.choice([*about, "stranger"])] = rng.choice(EXTREME + tuple(TINY))
    elif kind == 4:
        del about[rng.choice(list(about))]
    text = json.dumps(about)
    if kind == 5:
        text = rng.choice(["", "null", "[]", "[" * 100_000, '{"format": ' + "9" * 6000 + "}", text[:-9], '"\\ud800"'])
    head["__metadata__"]["about"] = text
    return joined(head, body)


def with_a_tensor_changed(content, rng):
    head, body = split(content)
    name = rng.choice([name for name in head if name != "__metadata__"])
    kind = rng.randrange(4)
    if kind == 0:
        head[name]["shape"] = rng.choice([[10**9], [0], [], [2**62, 2], [1] * 100, [*head[name]["shape"], 2]])
    elif kind == 1:
        head[name]["dtype"] = rng.choice(["F16", "I8", "I32", "BOOL", "F8_E4M3", "X"])
    elif kind == 2:
        head["stranger" * rng.choice([1, 1000])] = head.pop(name)
    else:
        head[name]["data_offsets"] = rng.choice([[0, 0], [0, 2**63], [5, 1], [0, len(body)]])
    return joined(head, body)


@pytest.mark.parametrize("name", TINY)
def test_changed_metadata_and_tensors(tmp_path, files, name):
    rng, path = random.Random(name), tmp_path / "a.safetensors"
    results = []
    with memory_limit(512 << 20):
        for k in range(60):
            change = (with_metadata_changed, with_metadata_changed, with_a_tensor_changed, damaged)[k % 4]
            path.write_bytes(change(files[name], rng))
            results.append(is_read_or_refused(lambda: load_checkpoint(path)))
    assert not all(results)


def test_changed_metadata_with_the_names_from_before_densepose_lite(tmp_path, files):
    """Such a file is translated before anything in it is checked."""
    rng, path = random.Random(1), tmp_path / "a.safetensors"
    old = {"glance_side": 64, "near_glance_side": None, "far_glance_side": 96, "look_hw": [48, 24]}
    head, body = split(files["densepose_lite"])
    about = json.loads(head["__metadata__"]["about"]) | {"architecture": "glance_look"}
    about["kwargs"] = {name: value for name, value in about["kwargs"].items() if name != "crop_hw"}

    def content(kwargs):
        head["__metadata__"]["about"] = json.dumps(about | {"kwargs": kwargs})
        return joined(head, body)

    path.write_bytes(content(about["kwargs"] | old))
    assert load_checkpoint(path).kwargs["detect_sides"] == [64, 96]
    results = []
    with memory_limit(512 << 20):
        for name in (*old, "first_look_hw"):
            for extreme in EXTREME:
                path.write_bytes(content(about["kwargs"] | old | {name: extreme}))
                results.append(is_read_or_refused(lambda: load_checkpoint(path)))
        for _ in range(20):
            path.write_bytes(with_metadata_changed(content(about["kwargs"] | old), rng))
            is_read_or_refused(lambda: load_checkpoint(path))
    assert sum(results) == 4  # None for one of the three sides or for first_look_hw


def test_a_head_without_end_and_weights_that_are_no_numbers(tmp_path, files):
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", 10**8) + b" " * 1000)
    with pytest.raises(ValueError, match="its head must be at most 4,000,000 bytes, got 100,000,000"):
        load_checkpoint(path)
    head, body = split(files["densepose_lite"])
    start = next(tensor["data_offsets"][0] for tensor in head.values() if tensor.get("dtype") == "F32")
    broken = bytearray(body)
    broken[start : start + 4] = struct.pack("<f", float("nan"))
    path.write_bytes(joined(head, bytes(broken)))
    with pytest.raises(ValueError, match="are damaged: .* must be finite numbers"):
        load_checkpoint(path)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_number_has_its_limits(name):
    known = keyword_arguments(name)
    for parameter in known.values():
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if any(kind in str(parameter.annotation) for kind in ("int", "float")):
            assert parameter.name in LIMITS
    check_kwargs(name, {key: parameter.default for key, parameter in known.items()})


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"widths": [4, 4, 4, 4097]}, r"widths of densepose_lite must lie in \[2, 2048\], got \[4, 4, 4, 4097\]"),
        ({"widths": 4}, "widths of densepose_lite must be tuple"),
        ({"crop_hw": [16, 16, 16]}, "crop_hw of densepose_lite must be tuple"),
        ({"refine_hw": "far"}, r"refine_hw of densepose_lite must be tuple\[int, int\] \| None, got 'far'"),
        ({"detect_sides": [64, True]}, r"detect_sides of densepose_lite must be tuple\[int, ...\], got \[64, True\]"),
        ({"detect_sides": []}, r"detect_sides of densepose_lite must be tuple\[int, ...\], got \[\]"),
        ({"detect_sides": [64, 1025]}, r"detect_sides of densepose_lite must lie in \[32, 1024\], got \[64, 1025\]"),
        ({"quality_channels": 4096}, "quality_channels of densepose_lite must lie in"),
        ({"min_score": float("nan")}, "min_score of densepose_lite must be float, got nan"),
        ({"min_score": 2}, "min_score of densepose_lite must lie in"),
        ({"depth": 18}, "densepose_lite has no keyword argument 'depth'; it has widths, depths"),
    ],
)
def test_keyword_arguments_are_checked(kwargs, says):
    with pytest.raises(ValueError, match=says):
        build_model("densepose_lite", **kwargs)
    build_model("densepose_lite", **TINY["densepose_lite"], detect_sides=[64], refine_hw=[48, 24])
    build_model("densepose_lite", **TINY["densepose_lite"], refine_hw=None, quality_channels=8)


GIGABYTES = b"\x8a\x05\x00\xe4\x0bT\x02"  # 10^10 as a number
HOSTILE = {
    "bytes(10**10)": b"\x80\x02c__builtin__\nbytes\n" + GIGABYTES + b"\x85R.",
    "bytearray(10**10)": b"\x80\x02cbuiltins\nbytearray\n" + GIGABYTES + b"\x85R.",
    "ndarray((10**10,))": b"\x80\x02cnumpy\nndarray\n" + GIGABYTES + b"\x85\x85R.",
    "_reconstruct(ndarray, (10**10,), 'b')": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + GIGABYTES + b"\x85X\x01\0\0\0b\x87R."
    ),
    "ndarray.__new__": b"\x80\x02cnumpy\nndarray\n" + GIGABYTES + b"\x85\x85\x81.",
    "place 2^31 of the memo": b"\x80\x02K\x01r\xff\xff\xff\x7f" + b"0" * 3 + b".",
    "a bytearray of 10^11 bytes": b"\x80\x05\x96" + struct.pack("<Q", 10**11) + b"aaa.",
    "text of 2^64 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 2**64 - 1) + b"aaa.",
    "a frame of 2^62 bytes": b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"0.",
    "a number of 2^31 bytes": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"aaa.",
    "half a million sets": b"\x80\x04" + b"\x8f" * 500_000 + b".",
    "a key whose hash takes 2^60 steps": b"\x80\x02)" + b"q\x01h\x01\x86" * 60 + b"q\x02}h\x02K\x01s.",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pickles(data):
    with memory_limit(256 << 20), pytest.raises(pickle.UnpicklingError) as error:
        load_restricted(data)
    assert not isinstance(error.value.__cause__, MemoryError)


def aliased(count, num_bytes):
    """A pickle of so many arrays, the content of all of which is in the file once."""
    start = b"\x80\x04}(X\x01\0\0\0zB" + struct.pack("<I", num_bytes) + bytes(num_bytes) + b"r\x10\0\0\0"
    parts = []
    for k in range(count):
        parts.append(b"X\x04\0\0\0" + f"k{k:03d}".encode())
        parts.append(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01")
        parts.append(b"J" + struct.pack("<i", num_bytes) + b"\x85cnumpy\ndtype\nX\x02\0\0\0u1K\x00K\x01\x87R(K\x03")
        parts.append(b"X\x01\0\0\0|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89h\x10tb")
    return start + b"".join(parts) + b"u."


def test_content_that_is_in_the_file_once_is_not_copied_many_times():
    assert len(load_restricted(aliased(2, 100_000))) == 3
    with memory_limit(256 << 20), pytest.raises(pickle.UnpicklingError, match="larger than the file"):
        load_restricted(aliased(200, 10_000_000))


@pytest.mark.parametrize("protocol", [2, 5, "torch"])
def test_damaged_pickles(tmp_path, protocol):
    rng, path = random.Random(protocol), tmp_path / "a.pkl"
    tensors = {f"layer{k}.weight": np.arange(12, dtype=np.float32).reshape(3, 4) for k in range(5)}
    if protocol == "torch":
        file = BytesIO()
        torch.save({"model": {name: torch.from_numpy(array) for name, array in tensors.items()}}, file)
        content = file.getvalue()
    else:
        content = pickle.dumps({"model": tensors}, protocol)
    path.write_bytes(content)
    assert read_tensors(path).keys() == tensors.keys()
    with memory_limit(256 << 20):
        for _ in range(300):
            path.write_bytes(damaged(content, rng))
            is_read_or_refused(lambda: read_tensors(path))


def test_torch_files_are_as_large_inside_as_outside(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + b"N" * 10_000_000 + b".")
    with pytest.raises(ValueError, match="it is compressed, or larger inside than outside"):
        read_tensors(path)
    torch.save({"a": torch.ones(1).expand(100_000, 100_000)}, path)
    with memory_limit(256 << 20), pytest.raises(ValueError, match="larger than the file"):
        read_tensors(path)
    torch.save({"a": torch.arange(100.0)}, path)
    longer = path.read_bytes().replace(b"Kd", b"K\xff")  # 255 numbers in a storage of 100
    path.write_bytes(longer)
    with pytest.raises(ValueError, match="is refused"):
        read_tensors(path)
