"""The verb `train`: which recipe takes which options, and what it says at the end."""

import importlib

import torch
from tests.cli.running import assert_one_sentence, run

from opendensepose.models.checkpoints.checkpoint import save_checkpoint
from opendensepose.models.zoo import build_model


def test_train_lists_the_known_recipes(tmp_path):
    assert_one_sentence(run("train", "nosuch", "--out", tmp_path / "out"), "nosuch", "default", "rcnn_small")


def test_train_refuses_what_its_recipe_cannot_use(tmp_path):
    out = ("--out", tmp_path / "out")
    assert_one_sentence(run("train", "default", "--data", tmp_path, *out), "neither --data nor --validation")
    assert_one_sentence(run("train", "rcnn_small", *out), "rcnn_small needs --data")
    assert_one_sentence(
        run("train", "rcnn_small", "--data", tmp_path, "--minutes", 1, *out), "none of --photos, --minutes"
    )
    assert_one_sentence(run("train", "rcnn_small", "--data", tmp_path, *out), "no annotation file", "annotations.json")
    for recipe in (["default"], ["rcnn_small", "--data", tmp_path]):
        assert_one_sentence(run("train", *recipe, "--precision", "half", *out), "precision must be", "bfloat16")
    (tmp_path / "annotations.json").write_text("[]")
    assert_one_sentence(run("train", "rcnn_small", "--data", tmp_path, *out), "annotations.json: expected an object")
    assert not (tmp_path / "out").exists()


def test_default_launched_in_several_processes_is_refused_with_one_sentence_of_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("RANK", "0")
    command = ("train", "default", "--out", tmp_path / "out")
    assert_one_sentence(run(*command), "the recipe default trains in one process, got 3")
    for rank in "12":
        monkeypatch.setenv("RANK", rank)
        other = run(*command)
        assert other.exit_code == 0 and not other.output
    assert not (tmp_path / "out").exists()


def test_the_scores_of_the_last_validation_are_told_by_the_first_process(tmp_path, monkeypatch):
    small = {"widths": [8, 8, 8, 8], "depths": [0, 0, 0, 0], "dense_channels": 8, "detection_channels": 8}
    weights = tmp_path / "default.safetensors"
    with torch.random.fork_rng():
        network = build_model("densepose_lite", **small)
    save_checkpoint(weights, network, "densepose_lite", small, scores={"agreement": 0.71494, "label": 0.5})
    monkeypatch.setattr(importlib.import_module("opendensepose.training.train"), "train", lambda *_, **__: weights)
    command = ("train", "finetune", "--data", tmp_path, "--out", tmp_path)
    assert "scores: agreement 0.715, label 0.500" in run(*command).output
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert not run(*command).output
