"""Targets on another device: every tensor moves, also the dense labels, and nothing else changes."""

from dataclasses import FrozenInstanceError, fields

import pytest
import torch
from tests.models.test_point_losses import one_person

from opendensepose.models.targets import DenseLabels


def labels():
    return DenseLabels(*(torch.ones(8, 8, dtype=kind) for kind in (torch.uint8, torch.float, torch.float, torch.uint8)))


def tensors_of(targets):
    own = [getattr(targets, field.name) for field in fields(targets)]
    return [value for value in [*own, *(targets.dense or ())] if isinstance(value, torch.Tensor)]


@pytest.mark.parametrize(("dense", "count"), [(None, 9), (labels(), 13)])
def test_every_tensor_moves_and_keeps_its_form(dense, count):
    here = one_person(dense)
    there = here.to("meta")
    assert len(tensors_of(here)) == len(tensors_of(there)) == count
    for before, after in zip(tensors_of(here), tensors_of(there), strict=True):
        assert (before.device.type, after.device.type) == ("cpu", "meta")
        assert (after.shape, after.dtype) == (before.shape, before.dtype)
    assert isinstance(there.dense, DenseLabels) == (dense is not None) and there.seed == here.seed


def test_on_the_same_device_the_values_stay():
    here = one_person(labels())
    assert all(torch.equal(a, b) for a, b in zip(tensors_of(here), tensors_of(here.to("cpu")), strict=True))
    with pytest.raises(FrozenInstanceError):
        here.seed = 1
