from itertools import product

import numpy as np
import pytest

from opendensepose.annotate.checks import wrong_answers
from opendensepose.annotate.checks.body import at_rest
from opendensepose.annotate.checks.contradictions import find_contradictions
from opendensepose.annotate.checks.model_labels import ModelAnswers
from opendensepose.annotate.checks.wrong_answers import find_slips, find_wrong_answers, observe
from opendensepose.annotate.surface.cameras import part_faces
from opendensepose.annotate.surface.sampling import presentation_order
from opendensepose.surface import SurfacePoints, load_surface

PIXELS_PER_METRE = 300


@pytest.fixture(scope="module")
def standing():
    """part, xy in the order of presentation and true answers of the body at rest, seen from the front; 10 of a part."""
    surface, rng = load_surface(), np.random.default_rng(4)
    middle = surface.vertices[surface.faces].mean(1)
    corner = surface.vertices[surface.faces]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    ahead = normal[:, 1] < -0.6 * np.linalg.norm(normal, axis=1)
    part, face = [], []
    for number in range(1, 15):
        faces = part_faces(number)
        front = faces[ahead[faces] & ((number != 14) | (middle[faces][:, 1] < -0.09))]  # not the pockets of the head
        chosen = _spread(front, middle, rng)
        face.append(chosen[presentation_order(_project(middle[chosen]))])
        part.append(np.full(len(chosen), number, np.uint8))
    points = SurfacePoints(np.concatenate(face), np.full((140, 3), 1 / 3))
    return np.concatenate(part), _project(middle[points.face]), points


def _spread(faces, middle, rng):
    """10 faces far from each other."""
    chosen = [rng.choice(faces)]
    for _ in range(9):
        apart = np.linalg.norm(middle[faces][:, None] - middle[chosen][None], axis=2).min(1)
        chosen.append(faces[apart.argmax()])
    return np.array(chosen)


def _project(xyz):
    return np.stack([400 + PIXELS_PER_METRE * xyz[:, 0], 400 - PIXELS_PER_METRE * xyz[:, 2]], 1)


def test_true_answers_are_not_called_wrong(standing):
    seen = observe(*standing)
    assert list(find_slips(seen)) == list(find_wrong_answers(seen, standing[2])) == []
    assert wrong_answers._pixels_per_metre(*standing[:2], at_rest(standing[2])) == pytest.approx(
        PIXELS_PER_METRE, rel=0.1
    )


@pytest.mark.parametrize("number", [1, 14, 6, 11, 13])
@pytest.mark.parametrize("step", [1, -1])
def test_a_part_moved_on_by_one_is_told_with_its_direction(standing, number, step):
    part, xy, points = standing
    own = np.flatnonzero(part == number)
    whose = np.arange(len(part))
    whose[own[:-1] if step == 1 else own[1:]] = own[1:] if step == 1 else own[:-1]
    (slip,) = find_slips(observe(part, xy, points[whose]))
    assert slip.step == step and slip.indices.tolist() == own.tolist()
    told = [one.text for one in find_contradictions(part, xy, points[whose]) if len(one.points) == 10]
    assert told and (("after" if step == 1 else "before") in told[0] or "fit the points" not in told[0])


@pytest.mark.parametrize(("number", "far_m"), [(1, 0.45), (6, 0.25), (8, 0.25), (10, 0.25), (13, 0.25)])
def test_one_answer_far_away_is_named_alone(standing, number, far_m):
    part, xy, points = standing
    k = int(np.flatnonzero(part == number)[4])
    faces = part_faces(number)
    apart = np.linalg.norm(at_rest(SurfacePoints(faces, np.full((len(faces), 3), 1 / 3))) - at_rest(points)[k], axis=1)
    face = points.face.copy()
    face[k] = faces[np.abs(apart - far_m).argmin()]
    answers = SurfacePoints(face, points.barycentric)
    (wrong,) = find_wrong_answers(observe(part, xy, answers), answers)
    assert wrong.answer == k and wrong.distance_m == pytest.approx(apart[np.abs(apart - far_m).argmin()], abs=0.1)


def test_the_model_tells_answers_that_the_others_cannot_tell(standing):
    """Of answers on the torso that are 20 to 28 cm wrong, one at a time, more are told if the model is heard."""
    part, xy, points = standing
    torso, faces = np.flatnonzero(part == 1), part_faces(1)
    centre = at_rest(SurfacePoints(faces, np.full((len(faces), 3), 1 / 3)))
    truth = ModelAnswers(np.ones(140, bool), points, np.full(140, 0.95))
    told = {}
    for name, witness in (("alone", None), ("with the model", truth)):
        told[name] = 0
        for k, far_m in product(torso.tolist(), (0.2, 0.24, 0.28)):
            apart = np.linalg.norm(centre - at_rest(points)[k], axis=1)
            face = points.face.copy()
            face[k] = faces[np.abs(apart - far_m).argmin()]
            answers = SurfacePoints(face, points.barycentric)
            found = list(find_wrong_answers(observe(part, xy, answers), answers, witness))
            told[name] += [(one.answer, one.with_model) for one in found] == [(k, witness is not None)]
    assert told["with the model"] > told["alone"]


def test_a_model_that_is_wrong_itself_accuses_nobody(standing):
    part, xy, points = standing
    said = points[np.roll(np.arange(140), 70)]  # other parts' places
    witness = ModelAnswers(np.ones(140, bool), said, np.full(140, 0.9))
    assert not find_contradictions(part, xy, points, witness)


def test_few_answers_say_nothing():
    nobody = SurfacePoints(np.zeros(0), np.zeros((0, 3)))
    seen = observe(np.zeros(0, np.uint8), np.zeros((0, 2)), nobody)
    assert list(find_slips(seen)) == list(find_wrong_answers(seen, nobody)) == []
    one = SurfacePoints([part_faces(1)[0]], [[1, 0, 0]])
    seen = observe(np.array([1]), np.array([[3.0, 4.0]]), one)
    assert list(find_slips(seen)) == list(find_wrong_answers(seen, one)) == []
