"""Fields of a JSON entry as numbers: by hand, and one sentence for each kind of bad field."""

import json

import numpy as np
import pytest

from opendensepose.data.fields import as_numbers, is_finite, number, numbers, whole_numbers


def test_a_list_of_numbers_is_float64_and_anything_else_is_none():
    found = as_numbers([1, 2.5, 10**400, -(10**400), float("nan")])
    assert found.dtype == np.float64 and found[:2].tolist() == [1, 2.5]
    assert not is_finite(found[2:]).any() and is_finite(found[:2]).all()
    for other in (None, 3, "12", {"0": 1}, [1, "2"], [True], [[1]], [None]):
        assert as_numbers(other) is None


def test_as_many_digits_as_a_file_may_have_come_back():
    values = np.random.default_rng(0).normal(0, 1e6, 100)
    assert as_numbers(json.loads(json.dumps(values.tolist()))).tolist() == values.tolist()


def test_a_valid_field_by_hand():
    entry = {"bbox": [1, 2.5, 3, 4], "counts": [3.0, 7], "area": 5}
    assert numbers(entry, "bbox", 4).tolist() == [1, 2.5, 3, 4]
    assert numbers(entry, "bbox", least=1, most=4).tolist() == [1, 2.5, 3, 4]
    whole = whole_numbers(entry, "counts", 2, 0, 7)
    assert whole.dtype == np.int64 and whole.tolist() == [3, 7]
    assert number(entry, "area") == 5 and number(entry, "score", 0.5) == 0.5


@pytest.mark.parametrize(
    "value, says",
    [
        (..., "x is missing"),
        ("1", "x must be a list of numbers"),
        ([1], "x must hold 2 numbers, got 1"),
        ([0, 9], r"x: number 1 must be in \[0, 5\], got 9"),
        ([float("nan"), 1], r"x: number 0 must be in \[0, 5\], got nan"),
        ([1, 2.5], "x: number 1 must be whole, got 2.5"),
    ],
)
def test_an_invalid_list_is_one_sentence_with_its_name(value, says):
    with pytest.raises(ValueError, match=says):
        whole_numbers({} if value is ... else {"x": value}, "x", 2, 0, 5)


@pytest.mark.parametrize("value, says", [(..., "missing"), ("1", "'1'"), (True, "True"), (float("inf"), "inf")])
def test_an_invalid_number_is_one_sentence_with_its_name(value, says):
    with pytest.raises(ValueError, match=f"score .*{says}"):
        number({} if value is ... else {"score": value}, "score")
