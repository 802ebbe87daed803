import numpy as np
import pytest
from tests.evaluation.people import UVDistances, annotation

from opendensepose.evaluation.annotators import (
    AnnotatedTruth,
    annotator_errors,
    annotator_numbers,
    annotator_table,
    chart_means,
    joined,
)
from opendensepose.iuv import IUV

BOX = (0, 0, 40, 30)


def truth_map():
    """Chart 2 on the left, chart 5 on the right, no body in the lowest rows."""
    i = np.full((30, 40), 2, np.uint8)
    i[:, 20:] = 5
    i[25:] = 0
    coordinate = np.where(i > 0, np.float32(0.5), np.float32(0))
    return IUV(i, coordinate, coordinate)


def test_two_annotators_by_hand():
    truth = truth_map()
    careful = annotation(BOX, [(5.5, 5.5, 2, 0.5, 0.52), (25.5, 5.5, 5, 0.5, 0.5), (5, 28, 2, 0, 0)])
    hasty = annotation(BOX, [(5.5, 5.5, 2, 0.5, 0.6), (25.5, 5.5, 2, 0.5, 0.5)], number=2)
    errors = annotator_errors(
        [AnnotatedTruth("hasty", hasty, truth), AnnotatedTruth("careful", careful, truth)], UVDistances()
    )
    assert [one.annotator for one in errors] == ["careful", "hasty"]
    assert errors[0].error_m == pytest.approx([0.02, 0]) and errors[1].error_m == pytest.approx([0.1, 10])
    numbers = annotator_numbers(errors[0])
    assert numbers["mean_cm"] == pytest.approx(1) and numbers["points"] == 2 and numbers["off_body"] == 1
    assert numbers["parts"]["torso"] == {"mean_cm": pytest.approx(2), "points": 1}
    assert numbers["auc10"] == pytest.approx(0.9)
    everybody = annotator_numbers(joined(errors))
    assert everybody["mean_cm"] == pytest.approx(100 * (0.02 + 0 + 0.1 + 10) / 4) and everybody["people"] == 2
    assert chart_means(joined(errors))[[2, 5]] == pytest.approx([0.06, 5]) and np.isnan(chart_means(errors[0])[7])


def test_who_says_the_truth_has_no_error():
    truth = truth_map()
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, [40, 25], (50, 2))
    rows = [(x, y, truth.i[int(y), int(x)], 0.5, 0.5) for x, y in xy]
    (errors,) = annotator_errors([AnnotatedTruth("a", annotation(BOX, rows), truth)], UVDistances())
    assert not errors.error_m.any() and annotator_numbers(errors)["auc10"] == 1


def test_the_table_has_parts_annotators_and_the_surface():
    truth = truth_map()
    one = annotation(BOX, [(5.5, 5.5, 2, 0.5, 0.53)])
    two = annotation(BOX, [(25.5, 5.5, 5, 0.5, 0.5)], number=2)
    errors = annotator_errors(
        [AnnotatedTruth("Ann", one, truth), AnnotatedTruth("Somebody with a long name", two, truth)], UVDistances()
    )
    lines = annotator_table(errors, "24 squares").splitlines()
    assert "24 squares" in lines[0] and lines[1].split() == ["part", "Ann", "Somebody", "wi…", "all"]
    assert lines[2].split() == ["torso", "3.0", "-", "3.0"] and lines[3].split() == ["left", "foot", "-", "0.0", "0.0"]


def test_a_point_outside_the_truth_is_named():
    with pytest.raises(ValueError, match="annotation 1: dp_x, dp_y: a point lies outside the truth's 40x30"):
        annotator_errors([AnnotatedTruth("a", annotation(BOX, [(40.0, 5, 2, 0, 0)]), truth_map())], UVDistances())


def test_nobody():
    assert annotator_errors([], UVDistances()) == []
    assert np.isnan(annotator_numbers(joined([]))["mean_cm"])
