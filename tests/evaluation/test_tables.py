"""Both tables and the numbers of JSON, of people whose errors are known by hand."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.people import UVDistances, annotation, detection, image

from opendensepose.evaluation.measures import measure
from opendensepose.evaluation.tables import (
    confidence_numbers,
    confidence_table,
    instance_table,
    instance_tables,
    pointwise_numbers,
    pointwise_table,
    summary,
    without_nan,
)

LEFT, RIGHT = (0, 0, 60, 60), (100, 0, 160, 60)


@pytest.fixture(scope="module")
def two_people():
    """One with a torso point 7 cm off and one that no detection labels; one with a thigh point that is right."""
    one = annotation(LEFT, [(10.5, 10.5, 2, 0.5, 0.5), (90.5, 10.5, 2, 0.5, 0.5)], number=1)
    two = annotation(RIGHT, [(110.5, 10.5, 9, 0, 0)], number=2)
    found = [detection(LEFT, 2, 0.5, 0.57, score=0.9), detection(RIGHT, 9, score=0.8)]
    return measure([image([one, two], found)], UVDistances())


@pytest.fixture(scope="module")
def nobody():
    return measure([], UVDistances())


def test_pointwise_numbers_by_hand(two_people):
    rows = pointwise_numbers(two_people)
    assert list(rows) == ["all", "torso", "upper leg right"]
    of_torso = {"points": 2, "rcp_5cm": 0, "rcp_10cm": 0.5, "rcp_20cm": 0.5, "rcp_30cm": 0.5}
    assert rows["torso"] == pytest.approx(of_torso | {"auc10": 0.15, "auc30": 0.23 / 0.3 / 2})
    assert rows["upper leg right"]["points"] == 1 and rows["upper leg right"]["auc10"] == 1
    assert rows["all"]["auc10"] == pytest.approx((0.3 + 0 + 1) / 3)
    low, high = rows["all"]["auc10_interval"]  # of two people: from one person's to the other's
    assert (low, high) == pytest.approx((0.15, 1))


def test_the_pointwise_table_prints_what_the_numbers_say(two_people):
    table = pointwise_table(two_people)
    assert "24 squares" in table.splitlines()[0] and "no normaliser" in table.splitlines()[0]
    assert "3 points of 2 people in 1 images, 2 detections; 1 points without" in table
    assert re.search(r"^torso +2 +\.000( +\.500){3} +\.150 +\.383$", table, re.MULTILINE)
    assert re.search(r"^upper leg right +1( +1\.000){6}$", table, re.MULTILINE)
    assert "AUC10 .150 to 1.000" in table


def test_each_instance_table_names_its_surface_and_normaliser(two_people):
    tables = instance_tables(two_people)
    assert tables.split("\n\n") == [instance_table(two_people, name) for name in ("kappa", "part")]
    assert tables.count("24 squares") == 2 and "kappa = 0.255 m" in tables and "per-part" in tables
    for name in ("kappa", "part"):
        lines = instance_table(two_people, name).splitlines()
        row = lines[2].split()
        assert row[:2] == ["GPS,", name] and len(lines) == 4  # without masks: GPS and boxes
        assert row[2] == f"{100 * two_people.gps[name].ap:.1f}" and lines[1].split()[0] == "AP"


def test_the_summary_has_the_numbers_of_the_tables(two_people):
    numbers = summary(two_people)
    assert (numbers["surface"], numbers["images"], numbers["people"], numbers["points"]) == ("24 squares", 1, 2, 3)
    for name in ("kappa", "part"):
        assert numbers[name]["rcp"]["parts"]["torso"] == pointwise_numbers(two_people)["torso"]
        assert numbers[name]["gps"] == without_nan(two_people.gps[name].numbers())
        assert numbers[name]["gpsm"] is numbers[name]["mask"] is None
    assert numbers["kappa"]["rcp"] == numbers["part"]["rcp"] and numbers["kappa"]["box"] == numbers["part"]["box"]


def test_what_is_kept_and_wrong_by_hand(two_people):
    assert confidence_numbers(two_people) is None and "none" in confidence_table(two_people)
    one, two = two_people.people  # 7 cm off and unlabelled; right
    told = [replace(one, confidence=np.array([0.55, np.nan]), error_m=np.array([0.12, np.inf]))]
    told.append(replace(two, confidence=np.array([0.85])))
    measures = replace(two_people, people=told)
    numbers = confidence_numbers(measures)
    assert (numbers["points"], numbers["right_m"]) == (2, 0.1)
    assert numbers["ece"] == pytest.approx((0.55 + 0.15) / 2)
    by_confidence = {row["min_confidence"]: row for row in numbers["kept"]}
    assert by_confidence[0.6] == {"min_confidence": 0.6, "coverage": 0.5, "mean_error_m": 0, "wrong": 0}
    assert by_confidence[0.5] == pytest.approx(
        {"min_confidence": 0.5, "coverage": 1, "mean_error_m": 0.06, "wrong": 0.5}
    )
    assert numbers["area_wrong"] == pytest.approx(0.25) and numbers["area_mean_error_m"] == pytest.approx(0.03)
    assert re.search(r"^0.50 +1.000 +6.0 cm +.500$", confidence_table(measures), re.MULTILINE)
    assert re.search(r"^0.90 +.000 +- +-$", confidence_table(measures), re.MULTILINE)
    assert json.loads(json.dumps(summary(measures), allow_nan=False))["confidence"]["kept"][-1]["wrong"] is None


def test_nothing_measured_is_a_dash_and_none(nobody):
    assert re.search(r"^all +0( +-){6}$", pointwise_table(nobody), re.MULTILINE)
    assert re.search(r"^GPS, kappa( +-){10}$", instance_tables(nobody), re.MULTILINE)
    numbers = json.loads(json.dumps(summary(nobody), allow_nan=False))
    assert numbers["kappa"]["rcp"]["auc10"] is numbers["part"]["gps"]["ap"] is None


def test_nan_becomes_none_wherever_it_is():
    nan = float("nan")
    assert without_nan({"a": [nan, 1.0, {"b": nan}], "c": 0, "d": "nan"}) == {
        "a": [None, 1.0, {"b": None}],
        "c": 0,
        "d": "nan",
    }
    assert without_nan(np.float64("nan")) is None
