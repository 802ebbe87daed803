"""Training on annotated images: a whole tiny run, going on, sharing, and all that can go wrong."""

import importlib
import resource

import numpy as np
import pytest
import torch
from tests.evaluation.people import UVDistances
from tests.training.conftest import TINY_RCNN, metrics_by_step
from tests.training.two_processes import NETWORKS, TINY_CROPS

from opendensepose.data.photos import find_image, read_photo
from opendensepose.models.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from opendensepose.models.rcnn.densepose_rcnn import DensePoseRCNN
from opendensepose.predict import Predictor
from opendensepose.training.annotated import source
from opendensepose.training.annotated.images import AnnotatedImages
from opendensepose.training.annotated.sampler import DistributedBatchSampler, ImageBatches
from opendensepose.training.processes import make_fabric
from opendensepose.training.recipes import finetune
from opendensepose.training.state import new_state
from opendensepose.training.train import new_network, train, train_step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard.*")


def weights_of(path):
    return load_checkpoint(path).model.state_dict()


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_steps_lower_the_loss_of_one_batch(annotated, annotated_recipe):
    recipe = annotated_recipe(optimizer="adamw", steps=20)
    fabric = make_fabric("cpu")
    network, recipe = new_network(recipe, None)
    state = new_state(fabric, network, network, recipe)
    data = AnnotatedImages(annotated, recipe.source.transforms)
    (batch,) = ImageBatches(data, DistributedBatchSampler(4, 2, 0, 0, 1), 0)
    batch = [image.float() for image in batch[0]], batch[1]
    seen = [train_step(fabric, state, batch, recipe)["total"] for _ in range(20)]
    assert state.step == 20 and np.mean(seen[-3:]) < 0.7 * seen[0]


def test_a_run_ends_with_weights_that_predict(annotated, annotated_recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("opendensepose.training.annotated.validate.load_distances", UVDistances)
    path = train(annotated_recipe(), tmp_path / "run", annotated, device="cpu", validation=annotated)
    assert sorted(metrics_by_step(tmp_path / "run")) == [1, 2, 3, 4]
    scores = metrics_by_step(tmp_path / "run", "validation")[4]
    assert {"ap", "auc10", "auc30", "box_ap"} <= scores.keys()
    checkpoint = load_checkpoint(path)
    assert checkpoint.recipe["name"] == "tiny" and checkpoint.recipe["step"] == 4
    people = Predictor(path, min_score=0.0)(read_photo(annotated / "images" / "1.png"))
    assert people and people[0].iuv.size_hw == (64, 96)
    train(annotated_recipe(), tmp_path / "run", annotated, device="cpu", resume=True)  # nothing is left to do
    again = load_checkpoint(path)
    assert again.scores == checkpoint.scores == pytest.approx(scores, rel=1e-4)
    assert_same(again.model.state_dict(), checkpoint.model.state_dict())


def test_a_killed_run_goes_on_to_the_same_weights(annotated, annotated_recipe, tmp_path, monkeypatch):
    recipe = annotated_recipe(steps=5)
    whole = train(recipe, tmp_path / "whole", annotated, device="cpu")

    def killed(run):
        if run.state.step == 3:  # one step after the last save
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("opendensepose.training.train")._Stint, "report", killed)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, tmp_path / "run", annotated, device="cpu")
    with pytest.raises(ValueError, match="holds a run already: resume it"):
        train(recipe, tmp_path / "run", annotated, device="cpu")
    resumed = train(recipe, tmp_path / "run", annotated, device="cpu", resume=True)
    assert sorted(metrics_by_step(tmp_path / "run")) == [3, 4, 5]
    assert metrics_by_step(tmp_path / "run")[5] == metrics_by_step(tmp_path / "whole")[5]
    assert_same(weights_of(whole), weights_of(resumed))


TINY_FCN = {name: TINY_CROPS[name] for name in ("depth", "norm", "width", "channels")}
MORE_OUTPUTS = TINY_RCNN | {
    "uv_confidence": "indep_aniso",
    "mask_confidence": True,
    "head": "deeplab",
    "head_norm": True,
    "channels": 32,
    "head_channels": 32,
}


@pytest.mark.parametrize(
    "architecture, kwargs", [*NETWORKS.items(), ("fcn", TINY_FCN), ("densepose_rcnn", MORE_OUTPUTS)]
)
def test_losses_are_float32_and_nearly_the_same_in_bfloat16(annotated, annotated_recipe, architecture, kwargs):
    """Forward only: bfloat16's gradients of grids of 1 x 1 cells are now and then NaN in oneDNN."""
    network, recipe = new_network(annotated_recipe(architecture=architecture, kwargs=kwargs), None)
    data = AnnotatedImages(annotated, recipe.source.transforms)
    ((images, targets),) = ImageBatches(data, DistributedBatchSampler(4, 4, 0, 0, 1), 0)
    images = [image.float() for image in images]
    full = network.losses(images, targets)
    with torch.autocast("cpu", torch.bfloat16):
        low = network.losses(images, targets)
    assert {loss.dtype for loss in low.values()} == {torch.float32} and full.keys() == low.keys()
    assert sum(low.values()).item() == pytest.approx(sum(full.values()).item(), rel=0.05)
    assert any(low[name] != full[name] for name in full)


def test_a_run_can_begin_with_the_resnet_of_another(annotated, annotated_recipe, tmp_path):
    other = train(annotated_recipe(seed=5), tmp_path / "other", annotated, device="cpu")
    recipe = annotated_recipe(steps=1, learning_rate=1e-9)
    begun = weights_of(train(recipe, tmp_path / "run", annotated, device="cpu", backbone=other))
    plain, theirs = weights_of(train(recipe, tmp_path / "plain", annotated, device="cpu")), weights_of(other)
    for name, tensor in begun.items():
        if tensor.is_floating_point() and "running" not in name:
            torch.testing.assert_close(tensor, (theirs if name.startswith("resnet.") else plain)[name])
    more = annotated_recipe(steps=2, learning_rate=1e-9)
    resumed = train(more, tmp_path / "run", annotated, device="cpu", resume=True)
    assert load_checkpoint(resumed).recipe["begun_with"] == f"ResNet {other}"
    assert load_checkpoint(other).recipe["begun_with"] == "random weights"
    with pytest.raises(ValueError, match="begins with a whole network .* or a backbone, not with both"):
        train(recipe, tmp_path / "both", annotated, device="cpu", start=other, backbone=other)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_weights(
    annotated, annotated_recipe, tmp_path, monkeypatch
):
    out = tmp_path / "run"
    losses, calls = DensePoseRCNN.losses, []

    def broken(network, images, targets):
        calls.append(1)
        found = losses(network, images, targets)
        return found | {"u": found["u"] * float("nan")} if len(calls) == 4 else found

    monkeypatch.setattr(DensePoseRCNN, "losses", broken)
    with pytest.raises(FloatingPointError, match="not finite at step 3: .*chart [0-9.]+, u nan"):
        train(annotated_recipe(steps=8), out, annotated, device="cpu")
    good = weights_of(out / "last.safetensors")
    assert all(tensor.isfinite().all() for tensor in good.values())
    assert torch.load(out / "last.state.pt", weights_only=True)["step"] == 2


def test_an_image_that_vanishes_stops_and_keeps_the_last_good_weights(annotated, annotated_recipe, tmp_path):
    class Vanishing(AnnotatedImages):
        def __getitem__(self, place):
            if place[1] == 6:
                find_image(self.photos, self.names[place[0]]).unlink()
            return super().__getitem__(place)

    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "AnnotatedImages", Vanishing)
        with pytest.raises(ValueError, match=r"image \d of .*: there is no \d.png"):
            train(annotated_recipe(steps=8), out, annotated, device="cpu")
    assert load_checkpoint(out / "last.safetensors").recipe["step"] == 2


def test_a_full_disk_keeps_the_last_good_weights(annotated, annotated_recipe, tmp_path):
    out, recipe = tmp_path / "run", annotated_recipe(steps=2)
    train(recipe, out, annotated, device="cpu")
    before = {path.name: path.read_bytes() for path in out.glob("last.*")}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))  # no larger file can be written
        with pytest.raises(OSError, match="last.safetensors cannot be written, what was saved before stays"):
            train(annotated_recipe(steps=4), out, annotated, device="cpu", resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path.name: path.read_bytes() for path in out.glob("last.*")} == before
    train(annotated_recipe(steps=4), out, annotated, device="cpu", resume=True)


def test_checkpoints_of_other_networks_are_refused(annotated, annotated_recipe, tmp_path):
    recipe = annotated_recipe(steps=2)
    path = train(recipe, tmp_path / "run", annotated, device="cpu")
    wide = annotated_recipe(kwargs=recipe.kwargs | {"channels": 24})
    with pytest.raises(ValueError, match="is a checkpoint of another network"):
        train(wide, tmp_path / "other", annotated, device="cpu", start=path)
    with pytest.raises(ValueError, match="saved by a run of another network or recipe"):
        train(wide, tmp_path / "run", annotated, device="cpu", resume=True)
    with pytest.raises(ValueError, match="goes on from a model: name one"):
        train(finetune(), tmp_path / "other", annotated, device="cpu")
    with pytest.raises(ValueError, match="a densepose_lite cannot be trained on annotated images"):
        train(finetune(), tmp_path / "other", annotated, device="cpu", start="default")
    (tmp_path / "run" / "last.state.pt").write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="is not a state that can be read"):
        train(recipe, tmp_path / "run", annotated, device="cpu", resume=True)


def test_a_checkpoint_is_fine_tuned_without_what_is_frozen(annotated, annotated_recipe, tmp_path):
    network, recipe = new_network(annotated_recipe(), None)
    save_checkpoint(tmp_path / "start.safetensors", network, recipe.architecture, recipe.kwargs)
    tuned = finetune(
        steps=2,
        batch_size=2,
        transforms=recipe.source.transforms,
        workers=0,
        sampling=recipe.source.sampling,
        learning_rate=0.1,
    )
    path = train(tuned, tmp_path / "run", annotated, device="cpu", start=tmp_path / "start.safetensors")
    before, after = network.state_dict(), weights_of(path)
    for name in before:
        frozen = name.startswith(("resnet.stem", "resnet.res2"))
        if frozen or name.startswith("resnet.res5"):
            assert torch.equal(before[name], after[name]) == frozen, name


def test_a_model_is_fine_tuned_with_the_loss_weights_and_clipping_of_its_training(annotated_recipe, tmp_path):
    kwargs = annotated_recipe().kwargs
    released = [({}, 0.01, None), ({"uv_confidence": "iid_iso"}, 0.0005, 1.0), ({"coarse_classes": 15}, 0.1, None)]
    for told, uv, clip_value in released:
        network, recipe = new_network(annotated_recipe(kwargs=kwargs | told), None)
        save_checkpoint(tmp_path / "start.safetensors", network, recipe.architecture, recipe.kwargs)
        tuned, _ = new_network(finetune(), tmp_path / "start.safetensors")
        assert (tuned.loss_weights.uv, tuned.clip_value) == (uv, clip_value)


def test_a_recipe_that_learns_nothing_of_its_first_stage_needs_a_pretrained_one(annotated, annotated_recipe, tmp_path):
    recipe = annotated_recipe(steps=1, frozen=("resnet.stem", "resnet.res2"))
    with pytest.raises(ValueError, match=r"keeps resnet.stem and resnet.res2 as they begin.*--backbone imagenet"):
        train(recipe, tmp_path / "run", annotated, device="cpu")
    assert not (tmp_path / "run").exists()
    network, _ = new_network(recipe, None)
    save_checkpoint(tmp_path / "start.safetensors", network, recipe.architecture, recipe.kwargs)
    path = train(recipe, tmp_path / "run", annotated, device="cpu", backbone=tmp_path / "start.safetensors")
    assert train(recipe.changed(steps=2), tmp_path / "run", annotated, device="cpu", resume=True) == path
