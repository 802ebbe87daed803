"""People have shapes of all ages, and stand on the floor."""

import numpy as np
import pytest

from opendensepose.synth.body.body import load_body
from opendensepose.synth.scene.person import placed, sample_shape


def test_people_stand_on_the_floor():
    rotation, shift = placed(load_body().coordinates.rest, 0.7, np.array([1.0, 2.0]))
    there = load_body().coordinates.rest @ rotation.T + shift
    assert abs(there[:, 2].min()) < 1e-6 and np.allclose(there[:, :2].mean(0), [1, 2], atol=1e-4)


def test_shapes_cover_the_range_of_ages_and_weights():
    body, rng = load_body(), np.random.default_rng(0)
    shapes = np.stack([sample_shape(body, rng) for _ in range(300)])
    assert (shapes >= 0).all() and (shapes <= 1).all()
    age, weight = (shapes[:, body.phenotypes.index(name)] for name in ("age", "weight"))
    assert age.min() < 0.35 and age.max() > 0.9 and np.ptp(weight) > 0.6


def test_babies_are_drawn_only_where_they_are_wanted():
    body = load_body()
    age = body.phenotypes.index("age")
    ages = lambda babies: [sample_shape(body, np.random.default_rng(s), babies)[age] for s in range(200)]  # noqa: E731
    assert min(ages(False)) >= 0.25 and min(ages(True)) < 0.25
    assert 0.005 < np.mean(np.array(ages(True)) < 0.25) < 0.1


def test_who_jumps_is_put_above_the_floor():
    _, shift = placed(load_body().coordinates.rest, 0.0, np.zeros(2), lift_m=0.4)
    assert load_body().coordinates.rest[:, 2].min() + shift[2] == pytest.approx(0.4, abs=1e-5)
