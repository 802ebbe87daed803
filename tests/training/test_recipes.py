"""Recipes are checked when made, and changed by keyword."""

from dataclasses import fields

import pytest

from opendensepose.synth import Ingredients
from opendensepose.training.recipes import default


def test_changes_win():
    recipe = default(minutes=None, steps=3, reuse=2)
    assert (recipe.minutes, recipe.steps, recipe.reuse, recipe.architecture) == (None, 3, 2, "densepose_lite")


def test_an_ingredient_can_be_left_out():
    left_out = [
        field.name
        for field in fields(Ingredients)
        if not getattr(default(without=("wardrobe",)).ingredients, field.name)
    ]
    assert left_out == ["wardrobe"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"minutes": None}, "no end"),
        ({"steps": 0}, "steps must be more than 0"),
        ({"batch_size": -1}, "batch_size"),
        ({"look_scales": ((0.5, 0.5),)}, "shares of sum 1"),
        ({"glance_scales": ((2.0, 1.0),)}, "scales in"),
        ({"without": ("magic",)}, "unknown ingredient 'magic'"),
        ({"precision": "half"}, "precision must be"),
        ({"look_hw": (100, 75)}, "multiples"),
        ({"glance_sides": (256, 200)}, "multiples"),
    ],
)
def test_what_cannot_be_run_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        default(**changes)
