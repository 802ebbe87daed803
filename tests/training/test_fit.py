"""Training on annotated images: a whole tiny run, going on, sharing, and all that can go wrong."""

import csv
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from opendensepose.data.photos import read_photo
from opendensepose.models.checkpoint import load_checkpoint, save_checkpoint
from opendensepose.models.rcnn import DensePoseRCNN
from opendensepose.predict import Predictor
from opendensepose.training import fit as module
from opendensepose.training.annotated import AnnotatedImages
from opendensepose.training.annotated_order import BatchOrder, ImageBatches
from opendensepose.training.fit import fit, make_fabric, new_network, rate_factor, set_up, train_steps
from opendensepose.training.network_recipes import finetune

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard.*")


def figures(out_dir, split="train"):
    """{step: {name: value}} of a run's metrics."""
    found = {}
    with (out_dir / "metrics.csv").open() as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                found.setdefault(int(row["step"]), {})[row["name"]] = float(row["value"])
    return found


def weights_of(path):
    return load_checkpoint(path).model.state_dict()


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_the_learning_rate_by_hand(network_recipe):
    recipe = network_recipe(steps=130, warmup_steps=10, drops=(100 / 130, 120 / 130))
    factors = [rate_factor(recipe, step) for step in (0, 5, 10, 99, 100, 119, 120)]
    assert factors == pytest.approx([0.001, 0.5005, 1, 1, 0.1, 0.1, 0.01])
    cosine = network_recipe(steps=100, warmup_steps=0, drops=None)
    assert [rate_factor(cosine, step) for step in (0, 50, 100)] == pytest.approx([1, 0.5, 0], abs=1e-9)


def test_steps_lower_the_loss_of_one_batch(annotated, network_recipe):
    recipe = network_recipe(optimizer="adamw", steps=20)
    fabric = make_fabric("cpu", recipe.precision)
    network, recipe = new_network(recipe, None)
    state = set_up(fabric, network, recipe)
    data = AnnotatedImages(annotated, recipe.views)
    (batch,) = ImageBatches(data, BatchOrder(4, 2, 0, 0, 1), 0)
    seen = []
    train_steps(fabric, state, [batch] * 20, recipe, lambda parts: seen.append(sum(parts.values())))
    assert state.step == 20 and np.mean(seen[-3:]) < 0.7 * seen[0]


def test_a_run_ends_with_weights_that_predict(annotated, network_recipe, tmp_path):
    path = fit(network_recipe(), annotated, tmp_path / "run", device="cpu", validation=annotated)
    assert sorted(figures(tmp_path / "run")) == [1, 2, 3, 4]
    scores = figures(tmp_path / "run", "validation")[4]
    assert {"ap", "auc10", "auc30", "box_ap"} <= scores.keys()
    checkpoint = load_checkpoint(path)
    assert checkpoint.recipe["name"] == "tiny" and checkpoint.recipe["step"] == 4
    people = Predictor(path, min_score=0.0)(read_photo(annotated / "images" / "1.png"))
    assert people and people[0].iuv.size_hw == (64, 96)


def test_a_killed_run_goes_on_to_the_same_weights(annotated, network_recipe, tmp_path, monkeypatch):
    recipe = network_recipe(steps=5)
    whole = fit(recipe, annotated, tmp_path / "whole", device="cpu")

    def killed(run):
        if run.state.step == 3:  # one step after the last save
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module._Run, "report", killed)
        with pytest.raises(KeyboardInterrupt):
            fit(recipe, annotated, tmp_path / "run", device="cpu")
    with pytest.raises(ValueError, match="holds a run already: resume it"):
        fit(recipe, annotated, tmp_path / "run", device="cpu")
    resumed = fit(recipe, annotated, tmp_path / "run", device="cpu", resume=True)
    assert sorted(figures(tmp_path / "run")) == [3, 4, 5]
    assert figures(tmp_path / "run")[5] == figures(tmp_path / "whole")[5]
    assert_same(weights_of(whole), weights_of(resumed))


def test_a_run_can_begin_with_the_resnet_of_another(annotated, network_recipe, tmp_path):
    other = fit(network_recipe(seed=5), annotated, tmp_path / "other", device="cpu")
    recipe = network_recipe(steps=1, learning_rate=1e-9)
    begun = weights_of(fit(recipe, annotated, tmp_path / "run", device="cpu", backbone=other))
    plain, theirs = weights_of(fit(recipe, annotated, tmp_path / "plain", device="cpu")), weights_of(other)
    for name, tensor in begun.items():
        if tensor.is_floating_point() and "running" not in name:
            torch.testing.assert_close(tensor, (theirs if name.startswith("resnet.") else plain)[name])
    more = network_recipe(steps=2, learning_rate=1e-9)
    resumed = fit(more, annotated, tmp_path / "run", device="cpu", resume=True)
    assert load_checkpoint(resumed).recipe["begun_with"] == f"ResNet {other}"
    assert load_checkpoint(other).recipe["begun_with"] == "random weights"
    with pytest.raises(ValueError, match="begins with a whole network .* or a backbone, not with both"):
        fit(recipe, annotated, tmp_path / "both", device="cpu", start=other, backbone=other)


SHARED = """
import os, sys
from tests_conftest import tiny_network_recipe
from opendensepose.training.fit import fit
fit(tiny_network_recipe(steps=3, batch_size=4, learning_rate=0.02), sys.argv[1], sys.argv[2], device="cpu")
"""


def test_two_processes_do_what_one_does_with_twice_the_batch(annotated, tmp_path):
    (tmp_path / "tests_conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (tmp_path / "run.py").write_text(SHARED)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start(rank, world, out):
        shared = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world, "GROUP_RANK": 0}
        shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
        environment = os.environ | {k: str(v) for k, v in shared.items() if world > 1}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        command = [sys.executable, str(tmp_path / "run.py"), str(annotated), str(tmp_path / out)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    running = [start(0, 2, "two"), start(1, 2, "two"), start(0, 1, "one")]
    for process in running:
        _, error = process.communicate(timeout=500)
        assert process.returncode == 0, error[-2000:]
    one, two = figures(tmp_path / "one"), figures(tmp_path / "two")
    assert sorted(one) == sorted(two) == [1, 2, 3]
    for step in one:
        for name in one[step]:
            assert two[step][name] == pytest.approx(one[step][name], rel=2e-3, abs=1e-4), (step, name)
    assert one[3]["total"] != pytest.approx(one[1]["total"], rel=1e-2)  # it did learn in between


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_weights(
    annotated, network_recipe, tmp_path, monkeypatch
):
    out = tmp_path / "run"
    losses, calls = DensePoseRCNN.losses, []

    def broken(network, images, targets):
        calls.append(1)
        found = losses(network, images, targets)
        return found | {"u": found["u"] * float("nan")} if len(calls) == 4 else found

    monkeypatch.setattr(DensePoseRCNN, "losses", broken)
    with pytest.raises(FloatingPointError, match="not finite at step 3: .*chart [0-9.]+, u nan"):
        fit(network_recipe(steps=8), annotated, out, device="cpu")
    good = weights_of(out / "last.safetensors")
    assert all(tensor.isfinite().all() for tensor in good.values())
    assert torch.load(out / "last.state.pt", weights_only=True)["step"] == 2


def test_an_image_that_vanishes_stops_and_keeps_the_last_good_weights(annotated, network_recipe, tmp_path):
    class Vanishing(AnnotatedImages):
        def __getitem__(self, place):
            if place[1] == 6:
                (self.photos / self.names[place[0]]).unlink()
            return super().__getitem__(place)

    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AnnotatedImages", Vanishing)
        with pytest.raises(ValueError, match=r"image \d of .*: there is no \d.png"):
            fit(network_recipe(steps=8), annotated, out, device="cpu")
    assert load_checkpoint(out / "last.safetensors").recipe["step"] == 2


def test_a_full_disk_keeps_the_last_good_weights(annotated, network_recipe, tmp_path):
    out, recipe = tmp_path / "run", network_recipe(steps=2)
    fit(recipe, annotated, out, device="cpu")
    before = {path.name: path.read_bytes() for path in out.glob("last.*")}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))  # no larger file can be written
        with pytest.raises(OSError, match="last.safetensors cannot be written, what was saved before stays"):
            fit(network_recipe(steps=4), annotated, out, device="cpu", resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in out.glob("last.*")} == before
    fit(network_recipe(steps=4), annotated, out, device="cpu", resume=True)


def test_checkpoints_of_other_networks_are_refused(annotated, network_recipe, tmp_path):
    recipe = network_recipe(steps=2)
    path = fit(recipe, annotated, tmp_path / "run", device="cpu")
    wide = network_recipe(kwargs=recipe.kwargs | {"channels": 24})
    with pytest.raises(ValueError, match="is a checkpoint of another network"):
        fit(wide, annotated, tmp_path / "other", device="cpu", start=path)
    with pytest.raises(ValueError, match="saved by a run of another network or recipe"):
        fit(wide, annotated, tmp_path / "run", device="cpu", resume=True)
    with pytest.raises(ValueError, match="goes on from a model: name one"):
        fit(finetune(), annotated, tmp_path / "other", device="cpu")
    with pytest.raises(ValueError, match="a densepose_lite cannot be trained on annotated images"):
        fit(finetune(), annotated, tmp_path / "other", device="cpu", start="default")
    (tmp_path / "run" / "last.state.pt").write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="is not a state that can be read"):
        fit(recipe, annotated, tmp_path / "run", device="cpu", resume=True)


def test_a_checkpoint_is_fine_tuned_without_what_is_frozen(annotated, network_recipe, tmp_path):
    network, recipe = new_network(network_recipe(), None)
    save_checkpoint(tmp_path / "start.safetensors", network, recipe.architecture, recipe.kwargs)
    tuned = finetune(steps=2, batch_size=2, views=recipe.views, workers=0, sampling=recipe.sampling, learning_rate=0.1)
    path = fit(tuned, annotated, tmp_path / "run", device="cpu", start=tmp_path / "start.safetensors")
    before, after = network.state_dict(), weights_of(path)
    for name in before:
        frozen = name.startswith(("resnet.stem", "resnet.res2"))
        if frozen or name.startswith("resnet.res5"):
            assert torch.equal(before[name], after[name]) == frozen, name


def test_devices_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="the device is cpu, cuda"):
        make_fabric("abacus", "32-true")
