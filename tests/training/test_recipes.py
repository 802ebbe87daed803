"""Recipes: each can be made, names the network it is for, and differs from its kin in what it is about."""

import json
from dataclasses import asdict
from functools import cache

import pytest
import torch

from opendensepose.models.resnet import ResNet
from opendensepose.models.zoo import ARCHITECTURES, build_model
from opendensepose.training.recipes import RECIPES, rcnn, rcnn_small
from opendensepose.training.train import learning_rate

BACKBONE = "backbone_small"  # comes before the others and is compared with none
SMALL = [name for name in RECIPES if name.endswith("_small") and name != BACKBONE]
FULL = [name for name in RECIPES if not name.endswith("_small") and name not in ("default", "backbone", "finetune")]


@cache
def network(name):
    """A recipe's network without memory."""
    recipe = RECIPES[name]()
    with torch.device("meta"):
        return build_model(recipe.architecture, **recipe.kwargs)


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


@pytest.mark.parametrize("name", FULL)
def test_full_size_recipes_begin_and_train_as_released(name):
    """FREEZE_AT 2, FrozenBN, WARMUP_FACTOR and, but for models with confidences, no CLIP_GRADIENTS."""
    recipe, model = RECIPES[name](), network(name)
    (resnet,) = [part for part in model.modules() if isinstance(part, ResNet)]
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in resnet.modules())
    frozen = {parameter for name, parameter in model.named_parameters() if name.startswith(recipe.frozen)}
    assert frozen == {*resnet.stem.parameters(), *resnet.res2.parameters()} and recipe.clip_norm is None
    confident = name.startswith("rcnn_wc")
    warmup = 0.025 if confident else 0.1
    assert learning_rate(recipe, 0) == pytest.approx(warmup * recipe.learning_rate)
    assert getattr(model, "clip_value", None) == (1.0 if confident else None)


def test_the_released_loss_weights_of_u_and_v():
    weights = {
        name: network(name).loss_weights.uv for name in ("rcnn", "rcnn_wc1", "rcnn_wc2", "rcnn_legacy", "cascade")
    }
    assert weights == {"rcnn": 0.01, "rcnn_wc1": 0.0005, "rcnn_wc2": 0.0005, "rcnn_legacy": 0.1, "cascade": 0.01}
    assert RECIPES["rcnn_legacy"]().learning_rate == 0.002


def test_at_most_32_regions_of_an_image_are_labelled():
    assert network("rcnn").sampling.dense == 32


@pytest.mark.parametrize("name", ["fcn_multi_scale", "fcn_multi_scale_small"])
def test_a_multi_scale_fcn_is_trained_as_the_other(name):
    recipe, other = RECIPES[name](), RECIPES[name.replace("_multi_scale", "")]()
    assert recipe.changed(name=other.name, kwargs=other.kwargs) == other
    assert network(name).scales == (0.75, 1.0, 1.25) and network(other.name).scales == (1.0,)
