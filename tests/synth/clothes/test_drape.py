"""Skirts, hair and bags hang where they should."""

import numpy as np
import pytest

from opendensepose.synth.body.body import load_body
from opendensepose.synth.body.pose import sample_pose
from opendensepose.synth.clothes.drape import drapes_of
from opendensepose.synth.clothes.outfit import HairStyle, Outfit, SkirtStyle
from opendensepose.synth.textures.material_table import Material


def _person(family="standing", seed=0):
    body = load_body()
    pose = sample_pose(body, np.random.default_rng(seed), family)
    out = body.pose(np.full((1, len(body.phenotypes)), 0.5), pose[None])
    return out.vertices[0].numpy(), out.keypoints[0].numpy()


def _outfit(**pieces):
    num = len(load_body().coordinates.rest)
    return Outfit(np.zeros(num), np.zeros(1, int), np.ones((num, 3)), [Material(np.ones(3))], **pieces)


def _skirt(length):
    return _outfit(skirt=SkirtStyle(material=0, length=length, flare=0.05, waist=0.1, folds=8, fold_depth=0.01))


def _hips(vertices):
    rest = load_body().coordinates
    return vertices[rest.is_in("torso", "leg") & (np.abs(rest.rest[:, 2] + 0.05) < 0.05)]


@pytest.mark.parametrize("family", ["standing", "walking", "sitting", "running"])
def test_a_knee_length_skirt_reaches_from_above_the_hips_to_the_knees(family):
    vertices, joints = _person(family)
    (skirt,) = drapes_of(_skirt(1.0), joints, _hips(vertices), np.random.default_rng(0), bags=False)
    rows = skirt.vertices.reshape(14, -1, 3)
    hips, knees = (joints[11] + joints[12]) / 2, (joints[13] + joints[14]) / 2
    shoulders = (joints[5] + joints[6]) / 2
    up = (shoulders - hips) / np.linalg.norm(shoulders - hips)
    assert (rows[0].mean(0) - hips) @ up > 0.02
    assert np.linalg.norm(rows[-1].mean(0) - knees) < 0.12


def test_a_skirt_goes_around_both_thighs_of_a_standing_person():
    vertices, joints = _person()
    (skirt,) = drapes_of(_skirt(1.0), joints, _hips(vertices), np.random.default_rng(0), bags=False)
    ring = skirt.vertices.reshape(14, -1, 3)[7]
    for hip, knee in ((11, 13), (12, 14)):
        thigh = (joints[hip] + joints[knee]) / 2
        assert ring[:, 0].min() < thigh[0] < ring[:, 0].max()


def test_long_hair_falls_from_the_head_behind_the_face():
    _, joints = _person()
    outfit = _outfit(hair=HairStyle(kind="long", material=0, puff=0.02))
    (hair,) = drapes_of(outfit, joints, np.zeros((1, 3)), np.random.default_rng(1), bags=False)
    nose, ears = joints[0], (joints[3] + joints[4]) / 2
    forward = (nose - ears) / np.linalg.norm(nose - ears)
    assert ((hair.vertices - nose) @ forward < 0.02).mean() > 0.95
    assert hair.vertices[:, 2].min() < ears[2] - 0.1


def test_triangles_use_all_of_their_own_vertices():
    vertices, joints = _person()
    for drape in drapes_of(_skirt(0.5), joints, _hips(vertices), np.random.default_rng(0), bags=False):
        assert np.array_equal(np.unique(drape.triangles), np.arange(len(drape.vertices)))
        assert drape.cloth.shape == drape.vertices.shape and np.isfinite(drape.vertices).all()


def test_nothing_worn_nothing_hangs():
    _, joints = _person()
    assert drapes_of(_outfit(), joints, np.zeros((1, 3)), np.random.default_rng(0), bags=False) == []


def test_hair_over_the_shoulders_lies_on_the_chest_and_only_where_it_is_asked_for():
    _, joints = _person()
    style = HairStyle(kind="long", material=0, puff=0.02)
    center, seen = (joints[5] + joints[6]) / 2, 0
    for seed in range(12):
        for wanted in (False, True):
            rng = np.random.default_rng(seed)
            pieces = drapes_of(_outfit(hair=style), joints, np.zeros((1, 3)), rng, bags=False, front_locks=wanted)
            assert wanted or len(pieces) == 1
            for lock in pieces[1:]:
                seen += 1
                end = lock.vertices.reshape(12, -1, 3)[-1].mean(0)
                assert end[1] < center[1] - 0.08 and end[2] < center[2] and abs(end[0] - center[0]) < 0.16
    assert seen >= 3
