"""The loop: schedule, one step, a whole tiny run, and what happens when it is interrupted."""

import csv
import os
import signal

import numpy as np
import pytest
import torch

from opendensepose.models.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from opendensepose.training.processes import make_fabric
from opendensepose.training.rendered import source
from opendensepose.training.rendered.samples import BatchStream
from opendensepose.training.rendered.source import LiteWithAuxiliary
from opendensepose.training.state import new_state
from opendensepose.training.train import learning_rate, new_network, run_progress, train, train_step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard.*")


def begin(recipe):
    """Fabric, a state at step 0, and a function that learns once from a batch."""
    fabric, (network, recipe) = make_fabric("cpu"), new_network(recipe, None)
    state = new_state(fabric, network, LiteWithAuxiliary(network), recipe)
    return state, lambda batch: train_step(fabric, state, (batch,), recipe)


def test_progress_is_the_larger_fraction(rendered_recipe):
    recipe = rendered_recipe(steps=100, minutes=2.0)
    assert run_progress(recipe, 25, 60.0) == 0.5
    assert run_progress(recipe, 75, 60.0) == 0.75
    assert run_progress(recipe, 0, 500.0) == 1
    assert run_progress(rendered_recipe(steps=100), 50, 1e9) == 0.5


def test_learning_rate_by_hand(rendered_recipe):
    recipe = rendered_recipe(warmup_steps=10, learning_rate=0.1, decay_steps=100)
    assert learning_rate(recipe, 0) == pytest.approx(0.01)
    assert learning_rate(recipe, 100) == pytest.approx(0.1 / 2**0.5)
    assert learning_rate(recipe, 300) == learning_rate(recipe, 300, 0.9) == pytest.approx(0.05)
    cooldown = rendered_recipe(warmup_steps=10, learning_rate=0.1, decay_steps=100, cooldown=True)
    assert learning_rate(cooldown, 300, 0.75) == pytest.approx(0.0125)


def test_the_rates_of_the_paper_by_hand(annotated_recipe):
    recipe = annotated_recipe(
        learning_rate=1.0, steps=130, warmup_steps=10, warmup_factor=0.001, drops=(100 / 130, 120 / 130)
    )
    rates = [learning_rate(recipe, step) for step in (0, 5, 10, 99, 100, 119, 120)]
    assert rates == pytest.approx([0.001, 0.5005, 1, 1, 0.1, 0.1, 0.01])
    recipe = recipe.changed(warmup_factor=0.1)
    assert [learning_rate(recipe, step) for step in (0, 5, 10)] == pytest.approx([0.1, 0.55, 1])
    cosine = annotated_recipe(learning_rate=1.0, steps=100, warmup_steps=0, drops=None)
    assert [learning_rate(cosine, step) for step in (0, 50, 100)] == pytest.approx([1, 0.5, 0], abs=1e-9)


def test_steps_lower_the_loss_of_one_batch(rendered_recipe, render):
    recipe = rendered_recipe(learning_rate=5e-3)
    (state, learn), batch = begin(recipe), BatchStream(recipe, render).batch(0)
    losses = [learn(batch) for _ in range(25)]
    assert state.step == 25
    assert losses[-1]["crop/chart"] < 0.9 * losses[0]["crop/chart"]
    weighted = sum(
        recipe.loss_weights[name.removeprefix("crop/")] * losses[0][name] for name in losses[0].keys() - {"total"}
    )
    assert losses[0]["total"] == pytest.approx(weighted)


def test_gradients_are_cut_at_the_recipes_norm_and_the_networks_value(rendered_recipe, render):
    def gradients(clip_value=None, **changes):
        recipe = rendered_recipe(**changes)
        state, learn = begin(recipe)
        state.network.clip_value = clip_value
        learn(BatchStream(recipe, render).batch(0))
        return torch.cat([parameter.grad.flatten() for parameter in state.model.parameters()])

    free = gradients(clip_norm=None)
    limit = free.abs().max().item() / 4
    torch.testing.assert_close(gradients(limit, clip_norm=None), free.clamp(-limit, limit))
    norm = free.norm().item()
    torch.testing.assert_close(gradients(clip_norm=norm / 2), free / 2, rtol=1e-3, atol=1e-8)
    torch.testing.assert_close(gradients(clip_norm=2 * norm), free)


def test_a_loss_that_is_not_finite_changes_nothing(rendered_recipe, render):
    recipe = rendered_recipe()
    (state, learn), batch = begin(recipe), BatchStream(recipe, render).batch(0)
    weights = [p.detach().clone() for p in state.network.parameters()]
    with pytest.raises(FloatingPointError, match="not finite at step 0.*u nan"):
        learn(batch._replace(u=batch.u * np.nan))
    assert all(torch.equal(a, b) for a, b in zip(weights, state.network.parameters(), strict=True))


def test_a_gradient_that_is_not_finite_changes_nothing(rendered_recipe, render):
    """sqrt of 0 is finite, its slope is not."""
    recipe = rendered_recipe()
    (state, learn), batch = begin(recipe), BatchStream(recipe, render).batch(0)
    detect = state.network.detection_head.forward

    def steep(features):
        output = detect(features)
        return output._replace(heat_logit=output.heat_logit + (features.sum() * 0).sqrt())

    state.network.detection_head.forward = steep
    weights = [p.detach().clone() for p in (*state.network.parameters(), *state.released.parameters())]
    with pytest.raises(FloatingPointError, match="gradient is not finite at step 0.*heat"):
        learn(batch)
    after = (*state.network.parameters(), *state.released.parameters())
    assert all(torch.equal(a, b) for a, b in zip(weights, after, strict=True)) and state.step == 0


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_run_from_end_to_end(tmp_path, rendered_recipe, render):
    released = train(rendered_recipe(), tmp_path / "run", device="cpu", render=render)
    back = load_checkpoint(released)
    assert back.recipe["name"] == "tiny" and back.recipe["step"] == 6 and back.model.crop_hw == (64, 32)
    rows = read_csv(tmp_path / "run" / "metrics.csv")
    assert {row["step"] for row in rows if row["split"] == "rendered"} == {"0", "3", "6"}
    assert {"crop/chart", "photo/heat"} <= {row["name"] for row in rows if row["split"] == "train"}
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    assert not list((tmp_path / "run").glob("*.tmp"))
    with pytest.raises(ValueError, match="holds a run already"):
        train(rendered_recipe(), tmp_path / "run", device="cpu", render=render)


def test_an_interrupted_run_goes_on(tmp_path, rendered_recipe, render):
    """Stopped after some batches, then resumed: the same weights as without the stop."""
    calls = []

    def breaks(rngs, size_hw, **options):
        calls.append(1)
        if len(calls) > 9:  # 3 batches for the norms, validation, then 5 batches
            raise KeyboardInterrupt
        return render(rngs, size_hw, **options)

    with pytest.raises(KeyboardInterrupt):
        train(rendered_recipe(), tmp_path / "a", device="cpu", render=breaks)
    a = load_checkpoint(train(rendered_recipe(), tmp_path / "a", resume=True, device="cpu", render=render)).model
    b = load_checkpoint(train(rendered_recipe(), tmp_path / "b", device="cpu", render=render)).model
    for one, other in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_resumed_run_remembers_its_best(tmp_path, rendered_recipe, render, monkeypatch):
    """Two stints whose agreement falls from 0.9 to 0.1: best.safetensors stays the first's."""
    scores = iter([0.9, 0.2, 0.3, 0.1, 0.1, 0.1])
    monkeypatch.setattr(source, "measure_rendered", lambda *_: {"agreement": next(scores)})
    train(rendered_recipe(steps=3), tmp_path, device="cpu", render=render)
    train(rendered_recipe(steps=6), tmp_path, resume=True, device="cpu", render=render)
    assert load_checkpoint(tmp_path / "best.safetensors").scores["agreement"] == 0.9
    rows = read_csv(tmp_path / "stints.csv")
    assert [(row["steps"], row["samples"]) for row in rows] == [("3", "12"), ("6", "24")]
    assert float(rows[1]["agreement"]) <= 0.3


def test_a_cooldown_ends_with_other_weights_and_leaves_the_run_as_it_was(tmp_path, rendered_recipe, render):
    with pytest.raises(ValueError, match="holds none"):
        train(rendered_recipe(cooldown=True), tmp_path, resume=True, device="cpu", render=render)
    train(rendered_recipe(steps=3), tmp_path, device="cpu", render=render)
    kept = {name: (tmp_path / name).read_bytes() for name in ("last.state.pt", "last.safetensors", "best.safetensors")}
    before = load_checkpoint(tmp_path / "tiny.safetensors").model.state_dict()
    released = train(rendered_recipe(steps=9, cooldown=True), tmp_path, resume=True, device="cpu", render=render)
    assert all((tmp_path / name).read_bytes() == content for name, content in kept.items())
    after = load_checkpoint(released).model.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert [row["cooldown"] for row in read_csv(tmp_path / "stints.csv")] == ["no", "yes"]


def test_a_stint_s_minutes_count_from_its_start(tmp_path, rendered_recipe, render):
    train(rendered_recipe(steps=None, minutes=1e-6), tmp_path, device="cpu", render=render)
    first = load_checkpoint(tmp_path / "last.safetensors").recipe["step"]
    train(rendered_recipe(steps=None, minutes=0.02), tmp_path, resume=True, device="cpu", render=render)
    assert load_checkpoint(tmp_path / "last.safetensors").recipe["step"] > first


def test_a_signal_ends_a_stint_with_a_save(tmp_path, rendered_recipe, render):
    def asked_to_stop(rngs, size_hw, **options):
        if len(list(tmp_path.glob("last.state.pt"))):  # after the first validation
            os.kill(os.getpid(), signal.SIGTERM)
        return render(rngs, size_hw, **options)

    before = signal.getsignal(signal.SIGTERM)
    train(rendered_recipe(steps=1000), tmp_path, device="cpu", render=asked_to_stop)
    steps = load_checkpoint(tmp_path / "last.safetensors").recipe["step"]
    assert 1 <= steps < 1000 and (tmp_path / "tiny.safetensors").exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_last_good_checkpoint_survives_a_bad_loss(tmp_path, rendered_recipe, render):
    def spoilt(rngs, size_hw, **options):
        pictures = render(rngs, size_hw, **options)
        if spoilt.calls == 8:  # after 3 batches for the norms and the validation's
            for picture in pictures:
                picture.u[:] = np.nan
        spoilt.calls += 1
        return pictures

    spoilt.calls = 0
    with pytest.raises(FloatingPointError, match="step 4"):
        train(rendered_recipe(), tmp_path, device="cpu", render=spoilt)
    assert load_checkpoint(tmp_path / "last.safetensors").recipe["step"] == 3
    assert not (tmp_path / "tiny.safetensors").exists()


@pytest.fixture
def saved(tmp_path, rendered_recipe):
    """A function that saves the network of a recipe with other random weights: (file, network)."""

    def save(**changes):
        network, recipe = new_network(rendered_recipe(seed=1, **changes), None)
        path = tmp_path / "start.safetensors"
        save_checkpoint(path, network, recipe.architecture, recipe.kwargs)
        return path, network

    return save


def test_a_run_can_begin_with_a_model_s_weights_but_not_with_another_network_s(saved, rendered_recipe):
    path, network = saved()
    mine, _ = new_network(rendered_recipe(), path)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), mine.parameters(), strict=True))
    kwargs = rendered_recipe().kwargs
    for other in (kwargs | {"dense_channels": 16}, kwargs | {"depths": (1, 0, 0, 0)}):
        with pytest.raises(ValueError, match="is a checkpoint of another network"):
            new_network(rendered_recipe(kwargs=other), path)


def test_weights_without_a_quality_branch_can_be_gone_on_with(saved, rendered_recipe):
    path, network = saved()
    mine, _ = new_network(rendered_recipe(kwargs=rendered_recipe().kwargs | {"quality_channels": 4}), path)
    assert torch.equal(mine.backbone.stem[0].weight, network.backbone.stem[0].weight)


def test_what_a_run_began_with_is_in_its_checkpoint(saved, rendered_recipe, render, tmp_path):
    path, _ = saved()
    train(rendered_recipe(steps=1), tmp_path / "run", device="cpu", render=render, start=path)
    path.unlink()  # the state has its own
    again = train(rendered_recipe(steps=2), tmp_path / "run", resume=True, device="cpu", render=render, start=path)
    assert load_checkpoint(again).recipe["begun_with"] == f"weights {path}"
