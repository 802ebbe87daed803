"""Targets are read as MakeHuman writes them, and move what they are named after."""

import gzip

import numpy as np
import pytest

from opendensepose.keypoints import KEYPOINT_NAMES
from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.face_shape import read_target

SHAPE = np.full((1, 11), 0.5, np.float32)


def test_a_target_is_read_in_metres_with_z_up(tmp_path):
    plain, packed = tmp_path / "a.target", tmp_path / "a.target.gz"
    text = "# a comment\n\n1 1 2 3\n3 -.5 0 .25\n"
    plain.write_text(text)
    with gzip.open(packed, "wt") as file:
        file.write(text)
    want = np.zeros((4, 3))
    want[1], want[3] = (0.1, -0.3, 0.2), (-0.05, -0.025, 0)
    for path in (plain, packed):
        assert np.allclose(read_target(path, 4), want)


@pytest.mark.parametrize("line", ["1 2 3", "7 1 1 1", "1 2 3 4 5"])
def test_a_broken_target_is_refused(tmp_path, line):
    path = tmp_path / "a.target"
    path.write_text(line)
    with pytest.raises(ValueError, match="must hold lines of a vertex below 4 and three numbers"):
        read_target(path, 4)


def _weights(**values) -> np.ndarray:
    """Zeros but for traits by name, such as nose_point=0.5."""
    faces = load_body().faces
    weights = np.zeros(len(faces.moved), np.float32)
    names = [name.split("/")[-1].replace("-", "_") for name, *_ in faces.traits]
    for name, value in values.items():
        weights[2 * names.index(name) + (value > 0)] = abs(value)
    return weights


def test_no_traits_and_zero_traits_give_the_same_body():
    body = load_body()
    plain = body.pose(SHAPE, body.rest_pose(1)).vertices
    same = body.pose(SHAPE, body.rest_pose(1), [_weights()]).vertices
    assert np.allclose(plain, same, atol=1e-6)
    assert (body.pose(SHAPE, body.rest_pose(1), [None]).vertices == plain).all()


def test_a_longer_nose_moves_the_nose_and_nothing_below_the_neck():
    body = load_body()
    plain = body.pose(SHAPE, body.rest_pose(1)).vertices[0].numpy()
    nosy = body.pose(SHAPE, body.rest_pose(1), [_weights(nose_scale_depth=1.0)]).vertices[0].numpy()
    moved = np.linalg.norm(nosy - plain, axis=1)
    nose = plain[np.argmax(moved)]
    assert 0.002 < moved.max() < 0.05 and np.linalg.norm(nose - body.neutral_keypoints["nose"]) < 0.06
    assert moved[plain[:, 2] < 0.45].max() < 1e-6


def test_traits_turn_with_the_head():
    body = load_body()
    pose = body.rest_pose(1)
    pose[0, 0, :3, :3] = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]  # the whole body, a quarter turn about z
    weights = [_weights(nose_scale_depth=1.0)]
    shift = lambda p: (body.pose(SHAPE, p, weights).vertices - body.pose(SHAPE, p).vertices)[0].numpy()  # noqa: E731
    assert np.allclose(shift(pose), shift(body.rest_pose(1)) @ pose[0, 0, :3, :3].T, atol=1e-5)


def test_random_people_differ_in_their_faces_and_mirror_nearly():
    body, rng = load_body(), np.random.default_rng(0)
    weights = [body.faces.sample(rng) for _ in range(12)]
    vertices = body.pose(np.repeat(SHAPE, 12, 0), body.rest_pose(12), weights).vertices.numpy()
    head = body.coordinates.is_in("head")
    for k in range(11):
        apart = np.linalg.norm(vertices[k, head] - vertices[k + 1, head], axis=1)
        assert 0.0005 < apart.mean() < 0.03
    assert all(((one >= 0) & (one <= 1)).all() for one in weights)
    ears = [KEYPOINT_NAMES.index(f"{side}_ear") for side in ("left", "right")]
    joints = body.pose(np.repeat(SHAPE, 12, 0), body.rest_pose(12), weights).keypoints.numpy()[:, ears]
    assert np.abs(joints[:, 0, 0] + joints[:, 1, 0]).max() < 0.02
