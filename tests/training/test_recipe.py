"""Recipes are checked when made, and changed by keyword."""

from dataclasses import fields

import pytest

from opendensepose.synth import Ingredients
from opendensepose.training.recipe import AnnotatedSource
from opendensepose.training.recipes import default, rcnn


def test_changes_win():
    recipe = default(minutes=None, steps=3, reuse=4)
    assert (recipe.minutes, recipe.steps, recipe.architecture) == (None, 3, "densepose_lite")
    assert (recipe.source.reuse, recipe.source.crop_hw) == (4, (256, 192))
    assert rcnn(dense="dense").source == AnnotatedSource(dense="dense")
    with pytest.raises(TypeError, match="reuse"):
        rcnn(reuse=4)


def test_an_ingredient_can_be_left_out():
    left_out = [
        field.name
        for field in fields(Ingredients)
        if not getattr(default(without=("wardrobe",)).source.ingredients, field.name)
    ]
    assert left_out == ["wardrobe"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"minutes": None}, "no end"),
        ({"decay_steps": None}, "needs steps or decay_steps"),
        ({"steps": 0}, "steps must be more than 0"),
        ({"batch_size": -1}, "batch_size"),
        ({"crop_scales": ((0.5, 0.5),)}, "shares of sum 1"),
        ({"photo_scales": ((2.0, 1.0),)}, "scales in"),
        ({"without": ("magic",)}, "unknown ingredient 'magic'"),
        ({"precision": "half"}, 'precision must be "auto", "float32" or "bfloat16", got .half'),
        ({"optimizer": "lbfgs"}, "the optimizer is sgd or adamw"),
        ({"crop_hw": (100, 75)}, "multiples"),
        ({"photo_sides": (256, 200)}, "multiples"),
    ],
)
def test_what_cannot_be_run_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        default(**changes)
