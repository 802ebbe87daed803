import numpy as np
import pytest

from opendensepose.annotate.checks.contradictions import find_contradictions
from opendensepose.annotate.surface.cameras import part_faces
from opendensepose.surface import SurfacePoints, load_surface

MIRROR = {1: 1, 14: 14, 2: 3, 3: 2, 4: 5, 5: 4, 6: 7, 7: 6, 8: 9, 9: 8, 10: 11, 11: 10, 12: 13, 13: 12}


@pytest.fixture(scope="module")
def standing():
    """part, xy and answers of the body at rest seen from the front, all of them true."""
    surface, rng = load_surface(), np.random.default_rng(0)
    part, face = [], []
    for number in range(1, 15):
        corner = surface.vertices[surface.faces[part_faces(number)]]
        normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        ahead = normal[:, 1] < -0.5 * np.linalg.norm(normal, axis=1)
        if number == 14:
            ahead &= corner[:, :, 1].max(1) < -0.09  # the face, not the pockets behind it
        face.append(rng.choice(part_faces(number)[ahead], 10, replace=False))
        part.append(np.full(10, number, np.uint8))
    points = SurfacePoints(np.concatenate(face), np.full((140, 3), 1 / 3))
    xyz = points.xyz(surface.vertices, surface.faces)
    return np.concatenate(part), np.stack([400 + 300 * xyz[:, 0], 400 - 300 * xyz[:, 2]], 1), points


def mirrored(points: SurfacePoints) -> SurfacePoints:
    """The mirror image of the points' faces."""
    from scipy.spatial import cKDTree

    surface = load_surface()
    centre = surface.vertices[surface.faces].mean(1)
    face = cKDTree(centre).query(centre[points.face] * [-1, 1, 1])[1]
    return SurfacePoints(face, points.barycentric)


def test_true_answers_do_not_contradict_each_other(standing):
    assert find_contradictions(*standing) == []


@pytest.mark.parametrize("pair", [(10, 11), (6, 7), (8, 9), (12, 13)])
def test_a_limb_under_the_other_sides_name_is_told(standing, pair):
    part, xy, points = standing
    swapped = np.isin(part, pair)
    flipped = mirrored(points)
    part = np.where(swapped, np.array([MIRROR.get(k, 0) for k in range(15)])[part], part)
    points = SurfacePoints(
        np.where(swapped, flipped.face, points.face),
        np.where(swapped[:, None], flipped.barycentric, points.barycentric),
    )
    told = [found for found in find_contradictions(part, xy, points) if "left and right" in found.text]
    assert any(set(found.points) == set(np.flatnonzero(swapped)) for found in told)


def test_a_torso_answered_in_a_mirror_runs_the_wrong_way_round(standing):
    part, xy, points = standing
    torso = part == 1
    flipped = mirrored(SurfacePoints(points.face[torso], points.barycentric[torso]))
    (found,) = find_contradictions(part[torso], xy[torso], flipped)
    assert "torso are mirrored" in found.text and len(found.points) == 10


def test_a_torsos_front_taken_for_its_back_is_told_through_an_annotators_noise(standing):
    """Noise of 4 cm along each axis; the answers on the front are not called mirrored."""
    from scipy.spatial import cKDTree

    part, xy, points = standing
    own, surface, faces = part == 1, load_surface(), part_faces(1)
    centre = surface.vertices[surface.faces[faces]].mean(1)
    xyz = points[own].xyz(surface.vertices, surface.faces)
    low, high = centre[:, 1].min(), centre[:, 1].max()
    for seed in range(10):
        moved = xyz + 0.04 * np.random.default_rng(seed).normal(size=xyz.shape)
        for is_turned in (False, True):
            wanted = np.where([False, is_turned, False], low + high - moved, moved)
            answers = SurfacePoints(faces[cKDTree(centre).query(wanted)[1]], points.barycentric[own])
            told = [one.text for one in find_contradictions(part[own], xy[own], answers)]
            assert any("mirrored" in text for text in told) == is_turned


def test_answers_on_the_back_among_those_of_the_front_are_told(standing):
    part, xy, points = standing
    surface = load_surface()
    own = np.flatnonzero(part == 1)
    faces = part_faces(1)
    centre = surface.vertices[surface.faces[faces]].mean(1)
    face = points.face.copy()
    for k in own[3:6]:
        aside = np.linalg.norm((centre - points.xyz(surface.vertices, surface.faces)[k])[:, [0, 2]], axis=1)
        face[k] = faces[(centre[:, 1] - 10 * aside).argmax()]  # straight behind
    found = find_contradictions(part, xy, SurfacePoints(face, points.barycentric))
    assert any(set(own[3:6].tolist()) == set(one.points) and "hidden side" in one.text for one in found)


def test_few_answers_say_nothing_and_lists_must_fit(standing):
    part, xy, points = standing
    few = SurfacePoints(points.face[:3], points.barycentric[:3])
    assert find_contradictions(part[:3], xy[:3], few) == []
    assert find_contradictions([], np.zeros((0, 2)), SurfacePoints(np.zeros(0), np.zeros((0, 3)))) == []
    with pytest.raises(ValueError, match="3, 2 and 3"):
        find_contradictions(part[:3], xy[:2], few)
