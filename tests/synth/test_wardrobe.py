"""Fitting, cutting and drawing garments, on tiny ones made here: the real ones are not in the repository."""

import json

import cv2
import numpy as np
import pytest
import torch

from opendensepose.synth.textures.store import LEVELS, pack_textures
from opendensepose.synth.wardrobe.cut import cut, move_onto_cut
from opendensepose.synth.wardrobe.fit import FitTable, fit
from opendensepose.synth.wardrobe.garments import BASE_VERTICES, pack_garments

PATH = "package/public/data/proxies/clothes/shoes01/shoes01.json"
TEXTURE = "package/public/data/proxies/clothes/shoes01/textures/shoes01.png"


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
    return torch.rand(BASE_VERTICES, 3, generator=torch.Generator().manual_seed(0))


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


def strip(length: int) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
    """A strip of cloth along z: vertices, triangles and corner_uv, whose v is z / length."""
    z = torch.arange(length + 1, dtype=torch.float32)
    vertices = torch.cat([torch.stack([torch.full_like(z, x), 0 * z, z], 1) for x in (0.0, 1.0)])
    k = np.arange(length)
    quads = np.stack([k, k + length + 1, k + length + 2, k + 1], 1)
    triangles = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3).astype(np.int32)
    uv = vertices[:, [0, 2]].numpy() / np.float32([1, length])
    return vertices, triangles, uv[triangles]


def test_nothing_is_left_beyond_a_hem_and_the_hem_is_straight():
    vertices, triangles, corner_uv = strip(6)
    made = cut(triangles, corner_uv, vertices[:, 2].numpy() - np.float32(3.4))
    left = move_onto_cut(vertices, made)[torch.from_numpy(made.triangles).long()]
    assert left[..., 2].max() == pytest.approx(3.4) and left[..., 2].min() == 0
    a, b, c = left[..., [0, 2]].unbind(1)
    area = torch.linalg.det(torch.stack([b - a, c - a], 1)).sum() / 2
    assert area == pytest.approx(3.4, abs=0.1)  # no hole, nothing twice; the strip's corners are pulled in a little


def test_a_cut_garment_keeps_its_texture_in_place():
    vertices, triangles, corner_uv = strip(6)
    made = cut(triangles, corner_uv, vertices[:, 2].numpy() - np.float32(3.4))
    left = move_onto_cut(vertices, made)[torch.from_numpy(made.triangles).long()]
    np.testing.assert_allclose(made.corner_uv[..., 1], left[..., 2].numpy() / 6, atol=1e-6)


def test_a_hem_below_the_cloth_cuts_nothing():
    vertices, triangles, corner_uv = strip(3)
    made = cut(triangles, corner_uv, np.full(len(vertices), -1, np.float32))
    assert np.array_equal(made.triangles, triangles) and torch.equal(move_onto_cut(vertices, made), vertices)


def shoe(**changes) -> dict[str, bytes]:
    """The files of a shoe of one square, whose picture is red on it and green elsewhere."""
    made = {
        "ref_vIdxs": [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]],
        "weights": [[0.5, 0.25, 0.25]] * 4,
        "offsets": [[1, 2, 3]] * 4,
        "faces": [11, 0, 1, 2, 3, 0, 0, 1, 2, 3],
        "uvs": [[0, 0.5, 0.5, 0.5, 0.5, 1, 0, 1]],
        "materials": [{"mapDiffuse": "textures/shoes01.png"}],
        "metadata": {"deleteVerts": []},
    } | changes
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[..., 1] = 255
    picture[:34, :34] = (0, 0, 255)  # BGR: the upper left, which is v from 0.5 to 1, and a seam allowance
    return {PATH: json.dumps(made).encode(), TEXTURE: cv2.imencode(".png", picture)[1].tobytes()}


def test_offsets_are_packed_in_our_axes():
    packed = pack_garments(shoe())
    assert packed["wardrobe/shoes01/offsets"].tolist() == [[1, -3, 2]] * 4
    assert packed["wardrobe/shoes01/quads"].tolist() == [[0, 1, 2, 3]]


def test_a_texture_continues_beyond_its_faces():
    packed = pack_garments(shoe())
    picture = cv2.imdecode(packed["wardrobe/shoes01/texture/0"], cv2.IMREAD_COLOR)
    assert picture[..., 2].min() > 200 and picture[..., 1].max() < 50  # red all over


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"weights": None}, "is not a garment as MakeHuman writes them"),
        ({"ref_vIdxs": [[0, 1, BASE_VERTICES]] * 4}, "refers to vertices that are not there"),
        ({"faces": [11, 0, 1, 2, 4, 0, 0, 1, 2, 3]}, "refers to vertices that are not there"),
        ({"materials": [{"mapDiffuse": "textures/other.png"}]}, "is missing; fetch the ingredients again"),
    ],
)
def test_a_bad_garment_is_one_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        pack_garments(shoe(**changes))


def test_a_bad_picture_is_one_sentence():
    with pytest.raises(ValueError, match="not a picture that OpenCV reads"):
        pack_garments(shoe() | {TEXTURE: b"no picture"})


def test_smaller_copies_keep_the_colour_of_what_is_opaque():
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[:, ::2] = (200, 100, 50, 255)  # every second column is transparent black
    store = pack_textures([picture], "cpu")
    start, height, width = store.table[LEVELS - 1].tolist()
    assert (height, width) == (2, 2)
    texel = store.texels[start].tolist()
    assert texel[:3] == pytest.approx([200, 100, 50], abs=2) and texel[3] == pytest.approx(128, abs=2)


def test_a_picture_twice_as_far_is_taken_at_half_the_size():
    store = pack_textures([np.zeros((512, 512, 4), np.uint8)], "cpu")
    near = store.level(0, side_m=1.0, pixels_per_metre=250.0)
    assert store.level(0, side_m=1.0, pixels_per_metre=125.0) == near + 1
    assert store.level(0, side_m=1.0, pixels_per_metre=1e9) == 0
    assert store.level(0, side_m=1.0, pixels_per_metre=1e-9) == LEVELS - 1
