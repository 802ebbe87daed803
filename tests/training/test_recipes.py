"""Recipes are checked when made, and changed by keyword."""

import pytest

from opendensepose.training.recipes import default


def test_changes_win():
    recipe = default(minutes=None, steps=3, reuse=2)
    assert (recipe.minutes, recipe.steps, recipe.reuse, recipe.architecture) == (None, 3, 2, "glance_look")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"minutes": None}, "no end"),
        ({"steps": 0}, "steps must be more than 0"),
        ({"batch_size": -1}, "batch_size"),
        ({"look_scales": ((0.5, 0.5),)}, "shares of sum 1"),
        ({"glance_scales": ((2.0, 1.0),)}, "scales in"),
        ({"precision": "half"}, "precision must be"),
        ({"look_hw": (100, 75)}, "multiples"),
        ({"glance_sides": (256, 200)}, "multiples"),
    ],
)
def test_what_cannot_be_run_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        default(**changes)
