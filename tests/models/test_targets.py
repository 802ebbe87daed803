"""Targets on another device: every tensor moves, also the dense labels, and nothing else changes. Images joined: each
person keeps what is known of them."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest
import torch
from tests.models.test_point_losses import one_person

from opendensepose.models.targets import DenseLabels, join_people


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


def without_people(targets):
    """An image that shows nobody."""
    return replace(targets, **{
        field.name: getattr(targets, field.name)[:0] for field in fields(targets) if field.name not in ("dense", "seed")
    })  # fmt: skip


def test_joined_people_keep_their_points_and_their_order():
    one = one_person(labels())
    other = replace(one, boxes=one.boxes + 1, point_i=one.point_i + 1)
    people, first = join_people([one, without_people(one), other])
    assert first.tolist() == [0, 1, 1] and people.dense is None
    assert torch.equal(people.boxes, torch.cat([one.boxes, other.boxes]))
    for row, image in ((0, one), (1, other)):
        mine = people.point_person == row
        assert torch.equal(people.point_i[mine], image.point_i) and torch.equal(people.parts[row], image.parts[0])


def test_images_without_people_join_to_nobody():
    nobody = without_people(one_person())
    people, first = join_people([nobody, nobody])
    assert len(people.boxes) == len(people.point_person) == 0 and first.tolist() == [0, 0]
