"""Samples in .tar files, read in any order, and what damaged files say."""

import io
import tarfile

import pytest

from opendensepose.data.tar_samples import TarSamples, write_sample


def write(path, samples):
    with tarfile.open(path, "w") as tar:
        for key, files in samples.items():
            write_sample(tar, key, files)


def test_samples_of_several_files_are_read_in_any_order(tmp_path):
    samples = {f"{k:03d}": {"jpg": bytes([k - 700]) * k, "json": b"{}" * k} for k in range(700, 720)}
    keys = list(samples)
    write(tmp_path / "b.tar", {key: samples[key] for key in keys[9:]})
    write(tmp_path / "a.tar", {key: samples[key] for key in keys[:9]})
    (tmp_path / "c.txt").write_bytes(b"")
    read = TarSamples(tmp_path)
    assert read.keys == keys
    for key in reversed(keys):
        assert {suffix: read.read(key, suffix) for suffix in samples[key]} == samples[key]


def test_what_is_no_set_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="has no .tar files"):
        TarSamples(tmp_path)
    write(tmp_path / "a.tar", {"1": {"jpg": b"1" * 5000}})
    whole = TarSamples(tmp_path)
    content = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(content[:3000])
    with pytest.raises(ValueError, match="cut off"):
        whole.read("1", "jpg")
    (tmp_path / "a.tar").write_bytes(b"no tar" * 500)
    with pytest.raises(ValueError, match="a.tar is no .tar"):
        TarSamples(tmp_path)
    (tmp_path / "a.tar").write_bytes(content)
    write(tmp_path / "b.tar", {"1": {"jpg": b"2"}})
    with pytest.raises(ValueError, match="second sample 1"):
        TarSamples(tmp_path)
    with tarfile.open(fileobj=io.BytesIO(), mode="w") as tar, pytest.raises(ValueError, match="may have a dot"):
        write_sample(tar, "1.0", {"jpg": b""})
