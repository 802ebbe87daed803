"""The loop: schedule, one step, a whole tiny run, and what happens when it is interrupted."""

import csv
import os
import signal

import numpy as np
import pytest
import torch

from opendensepose.models.checkpoints.checkpoint import load_checkpoint
from opendensepose.training import loop
from opendensepose.training.loop import (
    batch_losses,
    begin_with,
    estimate_norms,
    learning_rate,
    network_threads,
    new_state,
    run_progress,
    scale_at,
    shrink,
    train,
    train_step,
)
from opendensepose.training.rendered.samples import BatchStream

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard.*")


def test_progress_is_the_larger_fraction(tiny_recipe):
    recipe = tiny_recipe(steps=100, minutes=2.0)
    assert run_progress(recipe, 25, 60.0) == 0.5
    assert run_progress(recipe, 75, 60.0) == 0.75
    assert run_progress(recipe, 0, 500.0) == 1
    assert run_progress(tiny_recipe(steps=100), 50, 1e9) == 0.5


def test_learning_rate_by_hand(tiny_recipe):
    recipe = tiny_recipe(warmup_steps=10, learning_rate=0.1, decay_steps=100)
    assert learning_rate(recipe, 0) == pytest.approx(0.01)
    assert learning_rate(recipe, 100) == pytest.approx(0.1 / 2**0.5)
    assert learning_rate(recipe, 300) == learning_rate(recipe, 300, 0.9) == pytest.approx(0.05)
    cooldown = tiny_recipe(warmup_steps=10, learning_rate=0.1, decay_steps=100, cooldown=True)
    assert learning_rate(cooldown, 300, 0.75) == pytest.approx(0.0125)


def test_the_network_gets_the_cores_that_rendering_leaves(tiny_recipe, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert network_threads(tiny_recipe(workers=3)) == 5 and network_threads(tiny_recipe(workers=9)) == 1
    assert tiny_recipe(workers=None).num_workers == 4
    assert tiny_recipe(workers=3, render_on_device=True).num_workers == 0


def test_shrinking_keeps_labels_and_boxes_in_place(tiny_recipe, render):
    batch = BatchStream(tiny_recipe(), render).batch(0)
    small = shrink(batch, 0.5)
    assert small.image.shape == (4, 3, 32, 16) and small.i.shape == (4, 32, 16)
    torch.testing.assert_close(small.boxes_xyxy, batch.boxes_xyxy / 2)
    torch.testing.assert_close(small.keypoints, batch.keypoints * torch.tensor([0.5, 0.5, 1]))
    assert shrink(batch, 1.0) is batch
    cover, small_cover = ((b.i > 0).float().mean((1, 2)) for b in (batch, small))
    torch.testing.assert_close(cover, small_cover, atol=0.03, rtol=0)
    bright = small.image.mean(1)[small.i > 0]
    assert (bright > 100).float().mean() > 0.9


def test_scales_have_their_shares(tiny_recipe):
    recipe = tiny_recipe(look_scales=((0.5, 0.6), (1.0, 0.4)))
    for turn in range(3):  # also among the steps of one kind
        scales = [scale_at(recipe, "look", step) for step in range(turn, 3000, 3)]
        assert set(scales) == {0.5, 1.0} and scales.count(0.5) / len(scales) == pytest.approx(0.6, abs=0.01)
    assert scale_at(recipe, "glance", 5) == 1.0
    cooldown = tiny_recipe(look_scales=((0.5, 1.0),), cooldown_look_scales=((1.0, 1.0),), cooldown=True)
    assert {scale_at(cooldown, "look", step) for step in range(9)} == {1.0}


def test_steps_lower_the_loss_of_one_batch(tiny_recipe, render):
    recipe = tiny_recipe(learning_rate=5e-3)
    state, batch = new_state(recipe, "cpu"), BatchStream(recipe, render).batch(0)
    losses = [train_step(state, batch, recipe) for _ in range(25)]
    assert state.step == 25
    assert losses[-1]["look/chart"] < 0.9 * losses[0]["look/chart"]


def test_whole_photos_teach_the_detector_only(tiny_recipe, render):
    recipe = tiny_recipe()
    state, stream = new_state(recipe, "cpu"), BatchStream(recipe, render)
    assert set(batch_losses(state, stream.batch(2), (0, 0))) == {"heat", "box"}
    assert set(batch_losses(state, stream.batch(0), (0, 0))) == set(recipe.loss_weights)


def test_half_the_digits_give_nearly_the_same_losses(tiny_recipe, render):
    recipe = tiny_recipe()
    state, batch = new_state(recipe, "cpu"), BatchStream(recipe, render).batch(0)
    whole, half = (batch_losses(state, batch, (0, 0), dtype) for dtype in (None, torch.bfloat16))
    for name, loss in whole.items():  # a bfloat16 has 8 bits: rounding each activation once is 0.4 %
        torch.testing.assert_close(loss.float(), half[name].float(), rtol=0.03, atol=0.01)


def test_norms_estimated_on_one_batch_are_that_batch_s(tiny_recipe, render):
    recipe = tiny_recipe()
    state, batch = new_state(recipe, "cpu"), BatchStream(recipe, render).batch(0)
    before = {name: b.clone() for name, b in state.average.model.named_buffers()}
    estimate_norms(state.average.model, [])
    assert all(torch.equal(b, before[name]) for name, b in state.average.model.named_buffers())
    estimate_norms(state.average.model, [batch])
    stem, norm = state.average.model.backbone.stem[:2]
    seen = stem((batch.image.float() - 127) / 128)
    torch.testing.assert_close(norm.running_mean, seen.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm.running_var, seen.var((0, 2, 3)), atol=1e-5, rtol=1e-3)
    assert norm.momentum is not None and not state.average.model.training


def test_a_loss_that_is_not_finite_changes_nothing(tiny_recipe, render):
    recipe = tiny_recipe()
    state, batch = new_state(recipe, "cpu"), BatchStream(recipe, render).batch(0)
    weights = [p.detach().clone() for p in state.model.parameters()]
    with pytest.raises(FloatingPointError, match="not finite at step 0.*u nan"):
        train_step(state, batch._replace(u=batch.u * np.nan), recipe)
    assert all(torch.equal(a, b) for a, b in zip(weights, state.model.parameters(), strict=True))


def test_a_gradient_that_is_not_finite_changes_nothing(tiny_recipe, render):
    """sqrt of 0 is finite, its slope is not."""
    recipe = tiny_recipe()
    state, batch = new_state(recipe, "cpu"), BatchStream(recipe, render).batch(0)
    detect = state.model.detection_head.forward

    def steep(features):
        output = detect(features)
        return output._replace(heat_logit=output.heat_logit + (features.sum() * 0).sqrt())

    state.model.detection_head.forward = steep
    weights = [p.detach().clone() for p in (*state.model.parameters(), *state.average.model.parameters())]
    with pytest.raises(FloatingPointError, match="gradient is not finite at step 0.*heat"):
        train_step(state, batch, recipe)
    after = (*state.model.parameters(), *state.average.model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(weights, after, strict=True)) and state.step == 0


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_run_from_end_to_end(tmp_path, tiny_recipe, render):
    released = train(tiny_recipe(), tmp_path / "run", device="cpu", render=render)
    back = load_checkpoint(released)
    assert back.recipe["name"] == "tiny" and back.recipe["step"] == 6 and back.model.crop_hw == (64, 32)
    rows = read_csv(tmp_path / "run" / "metrics.csv")
    assert {row["step"] for row in rows if row["split"] == "rendered"} == {"0", "3", "6"}
    assert {"look/chart", "glance/heat"} <= {row["name"] for row in rows if row["split"] == "train"}
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    assert not list((tmp_path / "run").glob("*.tmp"))
    with pytest.raises(ValueError, match="holds a run already"):
        train(tiny_recipe(), tmp_path / "run", device="cpu", render=render)


def test_an_interrupted_run_goes_on(tmp_path, tiny_recipe, render):
    """Stopped after some batches, then resumed: the same weights as without the stop."""
    calls = []

    def breaks(rngs, size_hw, **options):
        calls.append(1)
        if len(calls) > 9:  # 3 batches for the norms, validation, then 5 batches
            raise KeyboardInterrupt
        return render(rngs, size_hw, **options)

    with pytest.raises(KeyboardInterrupt):
        train(tiny_recipe(), tmp_path / "a", device="cpu", render=breaks)
    a = load_checkpoint(train(tiny_recipe(), tmp_path / "a", resume=True, device="cpu", render=render)).model
    b = load_checkpoint(train(tiny_recipe(), tmp_path / "b", device="cpu", render=render)).model
    for one, other in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_resumed_run_remembers_its_best(tmp_path, tiny_recipe, render, monkeypatch):
    """Two stints whose agreement falls from 0.9 to 0.1: best.safetensors stays the first's."""
    scores = iter([0.9, 0.2, 0.3, 0.1, 0.1, 0.1])
    monkeypatch.setattr(loop, "measure_rendered", lambda *_: {"agreement": next(scores)})
    train(tiny_recipe(steps=3), tmp_path, device="cpu", render=render)
    train(tiny_recipe(steps=6), tmp_path, resume=True, device="cpu", render=render)
    assert load_checkpoint(tmp_path / "best.safetensors").scores["agreement"] == 0.9
    rows = read_csv(tmp_path / "stints.csv")
    assert [(row["steps"], row["samples"]) for row in rows] == [("3", "12"), ("6", "24")]
    assert float(rows[1]["agreement"]) <= 0.3


def test_a_cooldown_ends_with_other_weights_and_leaves_the_run_as_it_was(tmp_path, tiny_recipe, render):
    with pytest.raises(ValueError, match="holds none"):
        train(tiny_recipe(cooldown=True), tmp_path, resume=True, device="cpu", render=render)
    train(tiny_recipe(steps=3), tmp_path, device="cpu", render=render)
    kept = {name: (tmp_path / name).read_bytes() for name in ("last.state.pt", "last.safetensors", "best.safetensors")}
    before = load_checkpoint(tmp_path / "tiny.safetensors").model.state_dict()
    released = train(tiny_recipe(steps=9, cooldown=True), tmp_path, resume=True, device="cpu", render=render)
    assert all((tmp_path / name).read_bytes() == content for name, content in kept.items())
    after = load_checkpoint(released).model.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert [row["cooldown"] for row in read_csv(tmp_path / "stints.csv")] == ["no", "yes"]


def test_a_stint_s_minutes_count_from_its_start(tmp_path, tiny_recipe, render):
    train(tiny_recipe(steps=None, minutes=1e-6), tmp_path, device="cpu", render=render)
    first = load_checkpoint(tmp_path / "last.safetensors").recipe["step"]
    train(tiny_recipe(steps=None, minutes=0.02), tmp_path, resume=True, device="cpu", render=render)
    assert load_checkpoint(tmp_path / "last.safetensors").recipe["step"] > first


def test_a_signal_ends_a_stint_with_a_save(tmp_path, tiny_recipe, render):
    def asked_to_stop(rngs, size_hw, **options):
        if len(list(tmp_path.glob("last.state.pt"))):  # after the first validation
            os.kill(os.getpid(), signal.SIGTERM)
        return render(rngs, size_hw, **options)

    before = signal.getsignal(signal.SIGTERM)
    train(tiny_recipe(steps=1000), tmp_path, device="cpu", render=asked_to_stop)
    steps = load_checkpoint(tmp_path / "last.safetensors").recipe["step"]
    assert 1 <= steps < 1000 and (tmp_path / "tiny.safetensors").exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_last_good_checkpoint_survives_a_bad_loss(tmp_path, tiny_recipe, render):
    def spoilt(rngs, size_hw, **options):
        pictures = render(rngs, size_hw, **options)
        if spoilt.calls == 8:  # after 3 batches for the norms and the validation's
            for picture in pictures:
                picture.u[:] = np.nan
        spoilt.calls += 1
        return pictures

    spoilt.calls = 0
    with pytest.raises(FloatingPointError, match="step 4"):
        train(tiny_recipe(), tmp_path, device="cpu", render=spoilt)
    assert load_checkpoint(tmp_path / "last.safetensors").recipe["step"] == 3
    assert not (tmp_path / "tiny.safetensors").exists()


def test_a_run_can_begin_with_a_model_s_weights_but_not_with_another_network_s(tiny_recipe):
    source, target = new_state(tiny_recipe(steps=1, seed=1), "cpu"), new_state(tiny_recipe(steps=1), "cpu")
    begin_with(target, source.model)
    pairs = zip(source.model.parameters(), target.average.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    with pytest.raises(ValueError, match="another network"):
        begin_with(target, torch.nn.Linear(2, 2))


def test_weights_without_a_quality_branch_can_be_gone_on_with(tiny_recipe):
    recipe = tiny_recipe()
    with_head = tiny_recipe(kwargs=recipe.kwargs | {"quality_channels": 4})
    source, target = new_state(tiny_recipe(seed=1), "cpu").model, new_state(with_head, "cpu")
    begin_with(target, source)
    assert torch.equal(target.model.backbone.stem[0].weight, source.backbone.stem[0].weight)
    for mine, averaged in zip(target.model.parameters(), target.average.model.parameters(), strict=True):
        assert torch.equal(mine, averaged)
