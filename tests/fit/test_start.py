"""The start: a rigid body is placed exactly, contradictions are refused."""

import numpy as np
import pytest
from tests.fit.people import CAMERA, fitter, labelled, placement, vertices_of

from opendensepose.fit.body_fit import TO_CAMERA
from opendensepose.fit.correspondences import sample_pixels
from opendensepose.fit.start import starts


def problem_of(person):
    return fitter().problem(sample_pixels(person, 150), CAMERA.focal_px, np.array(CAMERA.center_px))


def test_a_typical_body_is_placed_where_it_is():
    body = placement()._replace(pose=fitter().prior.starts[3], shape=fitter().shape_mean)
    best = starts(problem_of(labelled(vertices_of(body))), 3)[0]
    assert best.placement.pose == pytest.approx(body.pose)
    assert best.placement.rotation == pytest.approx(TO_CAMERA @ body.rotation, abs=0.03)
    assert best.placement.place == pytest.approx(TO_CAMERA @ body.place, abs=0.05)


def test_the_best_come_first_and_no_more_than_asked():
    found = starts(problem_of(labelled(vertices_of(placement(2, turn=2.5)))), 4)
    assert len(found) == 4
    assert [one.cost for one in found] == sorted(one.cost for one in found)
