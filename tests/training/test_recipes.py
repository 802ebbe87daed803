"""Recipes: each can be made, names the network it is for, and differs from its kin in what it is about."""

import json
from dataclasses import asdict

import pytest
import torch

from opendensepose.models.zoo import ARCHITECTURES, build_model
from opendensepose.training.recipes import RECIPES, rcnn, rcnn_small

BACKBONE = "backbone_small"  # comes before the others and is compared with none
SMALL = [name for name in RECIPES if name.endswith("_small") and name != BACKBONE]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_its_own_name_and_builds_its_network(name):
    recipe = RECIPES[name](steps=7)
    assert recipe.name == name and recipe.steps == 7
    json.dumps(asdict(recipe))  # it goes into the checkpoint
    if recipe.architecture in ARCHITECTURES:
        with torch.device("meta"):
            network = build_model(recipe.architecture, **recipe.kwargs)
        assert name == "default" or callable(network.losses)
        if sampling := asdict(recipe.source).get("sampling"):
            type(network.sampling)(**sampling)


def test_small_recipes_can_be_compared():
    """Same data, order, steps and rate."""
    for name in SMALL:
        recipe, other = asdict(RECIPES[name]()), asdict(rcnn_small())
        for one in (recipe, other):
            del one["name"], one["architecture"], one["kwargs"], one["source"]["dense"], one["source"]["sampling"]
        assert recipe == other


def test_the_small_backbone_fits_all_small_networks():
    with torch.device("meta"):
        shapes = [
            {
                name.partition("resnet.")[2]: tensor.shape
                for name, tensor in build_model(recipe.architecture, **recipe.kwargs).state_dict().items()
                if "resnet." in name
            }
            for recipe in (RECIPES[name]() for name in (BACKBONE, *SMALL))
        ]
    assert all(one == shapes[0] for one in shapes)


def test_the_released_constants():
    recipe = rcnn()
    assert (recipe.learning_rate, recipe.batch_size, recipe.steps, recipe.momentum) == (0.01, 16, 130_000, 0.9)
    assert [drop * recipe.steps for drop in recipe.drops] == pytest.approx([100_000, 120_000])
    transforms = recipe.source.transforms
    assert (min(transforms.short_sides), max(transforms.short_sides), transforms.long_side) == (640, 800, 1333)
