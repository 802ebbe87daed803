"""Rendered people as a source: sizes of batches, losses of both kinds, batch norm's statistics."""

from types import SimpleNamespace

import pytest
import torch

from opendensepose.training.processes import make_fabric
from opendensepose.training.rendered.samples import BatchStream
from opendensepose.training.rendered.source import (
    LiteWithAuxiliary,
    RenderedPeople,
    estimate_norms,
    network_threads,
    scale_at,
    shrink,
)
from opendensepose.training.train import new_network


def new_learner(recipe):
    return LiteWithAuxiliary(new_network(recipe, None)[0])


def test_the_network_gets_the_cores_that_rendering_leaves(rendered_recipe, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("torch.get_num_threads", lambda: 6)
    assert network_threads(rendered_recipe(workers=3)) == 5 and network_threads(rendered_recipe(workers=9)) == 1
    assert network_threads(rendered_recipe(workers=0)) == 6
    assert rendered_recipe(workers=None).num_workers == 4
    assert rendered_recipe(workers=3, render_on_device=True).num_workers == 0


def test_shrinking_keeps_labels_and_boxes_in_place(rendered_recipe, render):
    batch = BatchStream(rendered_recipe(), render).batch(0)
    small = shrink(batch, 0.5)
    assert small.image.shape == (4, 3, 32, 16) and small.i.shape == (4, 32, 16)
    torch.testing.assert_close(small.boxes_xyxy, batch.boxes_xyxy / 2)
    torch.testing.assert_close(small.keypoints, batch.keypoints * torch.tensor([0.5, 0.5, 1]))
    assert shrink(batch, 1.0) is batch
    cover, small_cover = ((b.i > 0).float().mean((1, 2)) for b in (batch, small))
    torch.testing.assert_close(cover, small_cover, atol=0.03, rtol=0)
    bright = small.image.mean(1)[small.i > 0]
    assert (bright > 100).float().mean() > 0.9


def test_scales_have_their_shares(rendered_recipe):
    recipe = rendered_recipe(crop_scales=((0.5, 0.6), (1.0, 0.4)))
    for turn in range(3):  # also among the steps of one kind
        scales = [scale_at(recipe, "crop", step) for step in range(turn, 3000, 3)]
        assert set(scales) == {0.5, 1.0} and scales.count(0.5) / len(scales) == pytest.approx(0.6, abs=0.01)
    assert scale_at(recipe, "photo", 5) == 1.0
    cooldown = rendered_recipe(crop_scales=((0.5, 1.0),), cooldown_crop_scales=((1.0, 1.0),), cooldown=True)
    assert {scale_at(cooldown, "crop", step) for step in range(9)} == {1.0}


def test_whole_photos_teach_the_detector_only(rendered_recipe, render):
    recipe = rendered_recipe()
    learner, stream = new_learner(recipe), BatchStream(recipe, render)
    assert set(learner.losses(stream.batch(2))) == {"photo/heat", "photo/box"}
    assert set(learner.losses(stream.batch(0))) == {f"crop/{name}" for name in recipe.loss_weights}


def test_half_the_digits_give_nearly_the_same_losses(rendered_recipe, render):
    recipe = rendered_recipe()
    learner, batch = new_learner(recipe), BatchStream(recipe, render).batch(0)
    whole = learner.losses(batch)
    with torch.autocast("cpu", torch.bfloat16):
        half = learner.losses(batch)
    for name, loss in whole.items():  # a bfloat16 has 8 bits: rounding each activation once is 0.4 %
        torch.testing.assert_close(loss.float(), half[name].float(), rtol=0.03, atol=0.01)


def test_norms_estimated_on_one_batch_are_that_batch_s(rendered_recipe, render):
    recipe = rendered_recipe()
    network, batch = new_network(recipe, None)[0], BatchStream(recipe, render).batch(0)
    before = {name: b.clone() for name, b in network.named_buffers()}
    estimate_norms(network, [])
    assert all(torch.equal(b, before[name]) for name, b in network.named_buffers())
    estimate_norms(network, [batch])
    stem, norm = network.backbone.stem[:2]
    seen = stem((batch.image.float() - 127) / 128)
    torch.testing.assert_close(norm.running_mean, seen.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm.running_var, seen.var((0, 2, 3)), atol=1e-5, rtol=1e-3)
    assert norm.momentum is not None and not network.training


def test_batches_have_the_scale_and_the_offset_of_their_step(rendered_recipe, render):
    recipe = rendered_recipe()
    batches = RenderedPeople(recipe, make_fabric("cpu"), render=render).batches(first=1)
    for step in (1, 2, 3, 4):
        batch, offset_yx = next(batches)
        scale = scale_at(recipe, batch.kind, step)
        assert sorted(batch.image.shape[-2:]) == [32 * scale, 64 * scale] and batch.kind == (
            "photo" if step == 2 else "crop"
        )
        assert offset_yx == ((1, 0), (0, 1), (1, 1), (0, 0))[step - 1]


def test_other_networks_and_several_processes_are_refused(rendered_recipe, render):
    fabric = make_fabric("cpu")
    with pytest.raises(ValueError, match="trains in one process, got 2"):
        RenderedPeople(rendered_recipe(), SimpleNamespace(world_size=2), render=render)
    with pytest.raises(ValueError, match="a fcn cannot be trained on rendered people"):
        RenderedPeople(rendered_recipe(architecture="fcn"), fabric, render=render).learner(torch.nn.Linear(1, 1))
