"""The loop: schedule, one step, a whole tiny run, and what happens when it is interrupted."""

import csv

import numpy as np
import pytest
import torch

from opendensepose.models.checkpoint import load_checkpoint
from opendensepose.training.loop import (
    batch_losses,
    begin_with,
    learning_rate,
    new_state,
    run_progress,
    shrink,
    train,
    train_step,
)
from opendensepose.training.samples import BatchStream

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard.*")


def test_progress_is_the_larger_fraction(tiny_recipe):
    recipe = tiny_recipe(steps=100, minutes=2.0)
    assert run_progress(recipe, 25, 60.0) == 0.5
    assert run_progress(recipe, 75, 60.0) == 0.75
    assert run_progress(recipe, 0, 500.0) == 1
    assert run_progress(tiny_recipe(steps=100), 50, 1e9) == 0.5


def test_learning_rate_by_hand(tiny_recipe):
    recipe = tiny_recipe(warmup_steps=10, learning_rate=0.1)
    assert learning_rate(recipe, 0, 0.0) == pytest.approx(0.01)
    assert learning_rate(recipe, 50, 0.5) == pytest.approx(0.05)
    assert learning_rate(recipe, 100, 1.0) == pytest.approx(0, abs=1e-12)


def test_shrinking_keeps_labels_and_boxes_in_place(tiny_recipe, render):
    batch = BatchStream(tiny_recipe(), render).batch(0)
    small = shrink(batch)
    assert small.image.shape == (4, 3, 32, 16) and small.i.shape == (4, 32, 16)
    torch.testing.assert_close(small.boxes_xyxy, batch.boxes_xyxy * 2 / 3)
    cover, small_cover = ((b.i > 0).float().mean((1, 2)) for b in (batch, small))
    torch.testing.assert_close(cover, small_cover, atol=0.03, rtol=0)
    bright = small.image.mean(1)[small.i > 0]
    assert (bright > 100).float().mean() > 0.9


def test_steps_lower_the_loss_of_one_batch(tiny_recipe, render):
    recipe = tiny_recipe(learning_rate=5e-3)
    state, batch = new_state(recipe, "cpu"), BatchStream(recipe, render).batch(0)
    losses = [train_step(state, batch, recipe, progress=0.5) for _ in range(25)]
    assert state.step == 25
    assert losses[-1]["look/chart"] < 0.9 * losses[0]["look/chart"]


def test_whole_photos_teach_the_detector_only(tiny_recipe, render):
    recipe = tiny_recipe()
    model, stream = new_state(recipe, "cpu").model, BatchStream(recipe, render)
    assert set(batch_losses(model, stream.batch(2), (0, 0))) == {"heat", "box"}
    assert set(batch_losses(model, stream.batch(0), (0, 0))) == {"chart", "u", "v", "confidence", "heat", "box"}


def test_batch_norm_rests_at_the_end(tiny_recipe, render):
    recipe = tiny_recipe(freeze_norm_at=0.5)
    state, batch = new_state(recipe, "cpu"), BatchStream(recipe, render).batch(0)
    train_step(state, batch, recipe, progress=0.4)
    means = {name: b.clone() for name, b in state.model.named_buffers()}
    train_step(state, batch, recipe, progress=0.6)
    assert all(torch.equal(b, means[name]) for name, b in state.model.named_buffers())


def test_a_loss_that_is_not_finite_changes_nothing(tiny_recipe, render):
    recipe = tiny_recipe()
    state, batch = new_state(recipe, "cpu"), BatchStream(recipe, render).batch(0)
    weights = [p.detach().clone() for p in state.model.parameters()]
    with pytest.raises(FloatingPointError, match="not finite at step 0.*u nan"):
        train_step(state, batch._replace(u=batch.u * np.nan), recipe, progress=0.0)
    assert all(torch.equal(a, b) for a, b in zip(weights, state.model.parameters(), strict=True))


def read_csv(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_run_from_end_to_end(tmp_path, tiny_recipe, render):
    released = train(tiny_recipe(), tmp_path / "run", device="cpu", render=render)
    back = load_checkpoint(released)
    assert back.recipe["name"] == "tiny" and back.recipe["step"] == 6 and back.model.look_hw == (48, 24)
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
        if len(calls) > 6:  # validation, then 5 batches
            raise KeyboardInterrupt
        return render(rngs, size_hw, **options)

    with pytest.raises(KeyboardInterrupt):
        train(tiny_recipe(), tmp_path / "a", device="cpu", render=breaks)
    a = load_checkpoint(train(tiny_recipe(), tmp_path / "a", resume=True, device="cpu", render=render)).model
    b = load_checkpoint(train(tiny_recipe(), tmp_path / "b", device="cpu", render=render)).model
    for one, other in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)


def test_the_last_good_checkpoint_survives_a_bad_loss(tmp_path, tiny_recipe, render):
    def spoilt(rngs, size_hw, **options):
        pictures = render(rngs, size_hw, **options)
        if spoilt.calls == 5:
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
