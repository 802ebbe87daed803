"""Garments are fitted to a body and move with its bones, by hand on a few vertices."""

import pytest
import torch

from opendensepose.synth.body.face_shape import NUM_BASE_VERTICES
from opendensepose.synth.wardrobe.fit import FitTable, fit


def table(references, weights, offsets=None, bones=None) -> FitTable:
    """A FitTable of a few vertices, each of which follows one bone."""
    count = len(references)
    bone_weights = torch.zeros(count, 8)
    bone_weights[:, 0] = 1
    bone_index = torch.zeros(count, 8, dtype=torch.int32)
    bone_index[:, 0] = torch.tensor(bones or [0] * count)
    return FitTable(
        references=torch.tensor(references, dtype=torch.int32),
        weights=torch.tensor(weights, dtype=torch.float32),
        offsets=torch.zeros(count, 3) if offsets is None else torch.tensor(offsets, dtype=torch.float32),
        denominators=torch.ones(count, 3),
        measured=torch.zeros(count, dtype=torch.int32),
        bones=bone_index,
        bone_weights=bone_weights,
    )


@pytest.fixture
def rest() -> torch.Tensor:
    return torch.rand(NUM_BASE_VERTICES, 3, generator=torch.Generator().manual_seed(0))


STILL = torch.eye(4).repeat(2, 1, 1)


def turned() -> torch.Tensor:
    """Two bones that turn by 90 degrees about z and rise by 1."""
    move = torch.eye(4)
    move[:2, :2] = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    move[2, 3] = 1
    return move.repeat(2, 1, 1)


def all_of(made: FitTable) -> torch.Tensor:
    return torch.arange(len(made.references), dtype=torch.int32)


def test_without_offsets_a_vertex_lies_on_its_weighted_references(rest):
    made = table([[3, 5, 9], [7, 7, 8]], [[0.2, 0.3, 0.5], [2.0, -1.5, 0.5]])
    expected = torch.stack([0.2 * rest[3] + 0.3 * rest[5] + 0.5 * rest[9], 0.5 * rest[7] + 0.5 * rest[8]])
    torch.testing.assert_close(fit(made, all_of(made), rest, STILL), expected)


def test_a_body_twice_as_large_is_twice_as_far_from_its_cloth(rest):
    made = table([[3, 5, 9]], [[0.2, 0.3, 0.5]], [[0.1, -0.2, 0.3]])
    bare = table([[3, 5, 9]], [[0.2, 0.3, 0.5]])
    distance = [
        fit(made, all_of(made), size * rest, STILL) - fit(bare, all_of(bare), size * rest, STILL) for size in (1, 2)
    ]
    torch.testing.assert_close(distance[1], 2 * distance[0])
    assert distance[0].abs().min() > 0


def test_garments_turn_with_the_bones(rest):
    made = table([[3, 5, 9], [1, 2, 4]], [[0.2, 0.3, 0.5]] * 2, [[0.1, -0.2, 0.3]] * 2, bones=[0, 1])
    still, moved = fit(made, all_of(made), rest, STILL), fit(made, all_of(made), rest, turned())
    torch.testing.assert_close(moved, torch.stack([-still[:, 1], still[:, 0], still[:, 2] + 1], 1))


def test_a_vertex_between_two_bones_lies_between_their_poses(rest):
    made = table([[3, 5, 9]], [[0.2, 0.3, 0.5]])
    made.bones[0, 1] = 1
    made.bone_weights[0, :2] = torch.tensor([0.25, 0.75])
    bones = torch.stack([torch.eye(4), turned()[0]])
    alone = fit(table([[3, 5, 9]], [[0.2, 0.3, 0.5]]), torch.tensor([0], dtype=torch.int32), rest, STILL)
    other = fit(table([[3, 5, 9]], [[0.2, 0.3, 0.5]]), torch.tensor([0], dtype=torch.int32), rest, turned())
    torch.testing.assert_close(fit(made, all_of(made), rest, bones), 0.25 * alone + 0.75 * other)
