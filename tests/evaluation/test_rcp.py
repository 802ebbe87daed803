import numpy as np
import pytest

from opendensepose.evaluation.rcp import auc, auc_interval, capped_mean, rcp


def test_one_point_by_hand():
    error = np.array([0.03])
    assert rcp(error, [0.02, 0.03, 0.1]).tolist() == [0, 1, 1]
    assert auc(error, 0.10) == pytest.approx(0.7)
    assert auc(error, 0.30) == pytest.approx(0.9)


def test_a_missing_prediction_is_wrong():
    error = np.array([0.0, np.inf])
    assert rcp(error, [0.0, 1e6]).tolist() == [0.5, 0.5]
    assert auc(error, 0.10) == auc(error, 0.30) == 0.5
    assert capped_mean(error, 0.3) == pytest.approx(0.15)


def test_the_area_is_the_exact_integral_of_the_curves_steps():
    rng = np.random.default_rng(0)
    error = np.append(rng.exponential(0.1, 300), np.inf)
    for limit in (0.10, 0.30):
        steps = np.unique(np.concatenate([[0, limit], error[error < limit]]))
        integral = (rcp(error, steps[:-1]) * np.diff(steps)).sum()
        assert auc(error, limit) == pytest.approx(integral / limit, abs=1e-12)


def test_the_curve_only_rises_and_ends_at_the_share_of_points_found():
    error = np.append(np.random.default_rng(1).exponential(0.1, 100), [np.inf] * 25)
    curve = rcp(error, np.linspace(0, 5, 400))
    assert (np.diff(curve) >= 0).all() and curve[-1] == 0.8
    assert 0 <= auc(error, 0.1) <= auc(error, 0.3) <= 0.8


def test_perfect_points_give_one_everywhere():
    assert auc(np.zeros(7), 0.1) == auc(np.zeros(7), 0.3) == 1
    assert rcp(np.zeros(7), [0, 0.05, 0.3]).tolist() == [1, 1, 1]
    assert auc_interval([np.zeros(3)] * 5, 0.1, np.random.default_rng(0)) == (1, 1)


def test_no_points_have_no_measure():
    assert np.isnan(rcp(np.zeros(0), [0.1])).all() and np.isnan(auc(np.zeros(0), 0.1))
    assert np.isnan(auc_interval([], 0.1, np.random.default_rng(0))).all()


def test_the_interval_of_one_person_is_that_persons_area_and_of_two_lies_between_theirs():
    one, two = np.array([0.05, 0.1]), np.zeros(2)
    rng = np.random.default_rng(0)
    assert auc_interval([one], 0.1, rng) == (auc(one, 0.1), auc(one, 0.1)) == (0.25, 0.25)
    assert auc_interval([one, two, np.zeros(0)], 0.1, rng) == (0.25, 1.0)


def test_the_interval_shrinks_with_the_root_of_the_number_of_people_and_holds_the_truth():
    rng = np.random.default_rng(2)
    people = [rng.exponential(rng.uniform(0.02, 0.3), 20) for _ in range(1600)]
    truth = np.mean([auc(person, 0.1) for person in people])
    widths = []
    for count in (100, 1600):
        low, high = auc_interval(people[:count], 0.1, rng)
        widths.append(high - low)
        assert low < truth < high
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.3)


def test_people_are_drawn_not_points():
    """A thousand copies of a person's points don't make the interval narrower."""
    rng = np.random.default_rng(3)
    people = [rng.exponential(0.1, 5) for _ in range(50)]
    few = auc_interval(people, 0.1, np.random.default_rng(0))
    many = auc_interval([np.tile(person, 100) for person in people], 0.1, np.random.default_rng(0))
    np.testing.assert_allclose(few, many)


@pytest.mark.parametrize("error", [[-0.1], [np.nan], [[0.1]]])
def test_what_is_no_error_is_refused(error):
    with pytest.raises(ValueError, match="lengths"):
        rcp(np.array(error), [0.1])
    with pytest.raises(ValueError, match="positive length"):
        auc(np.zeros(1), 0.0)
