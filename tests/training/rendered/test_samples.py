"""The stream: kinds, labels, and that number and seed decide."""

from itertools import islice
from types import SimpleNamespace

import numpy as np
import torch

from opendensepose.training.rendered import samples
from opendensepose.training.rendered.samples import BatchStream, batch_loader, crop_sample, stack


def test_only_the_framed_person_is_labelled(render):
    rendered = render([np.random.default_rng(0)], (60, 45), framing="portrait", num_people=2)[0]
    assert set(np.unique(rendered.person)) == {0, 1, 2}
    sample = crop_sample(rendered)
    np.testing.assert_array_equal(sample.i > 0, rendered.person == 1)
    assert not sample.u[rendered.person == 2].any()
    assert sample.boxes_xyxy.shape == (2, 4)  # the detector still learns of both


def test_batches_are_padded_with_boxes_without_area(render):
    few, many = (crop_sample(render([np.random.default_rng(1)], (32, 32), num_people=n)[0]) for n in (0, 3))
    batch = stack("photo", [few, many])
    assert batch.image.shape == (2, 3, 32, 32) and batch.image.dtype == torch.uint8
    assert not batch.boxes_xyxy[0].any()
    np.testing.assert_array_equal(batch.boxes_xyxy[1, : len(many.boxes_xyxy)], many.boxes_xyxy)


def test_kinds_take_turns_and_sizes_follow(rendered_recipe, render):
    recipe = rendered_recipe()
    batches = list(islice(BatchStream(recipe, render), 9))
    assert [batch.kind for batch in batches] == ["crop", "crop", "photo"] * 3
    assert {tuple(b.image.shape[-2:]) for b in batches if b.kind == "crop"} == {(64, 32)}
    assert {tuple(b.image.shape[-2:]) for b in batches if b.kind == "photo"} <= {(64, 32), (32, 64)}


def test_a_stream_can_be_entered_anywhere(rendered_recipe, render):
    recipe = rendered_recipe()
    whole, later = list(islice(BatchStream(recipe, render), 5)), list(islice(BatchStream(recipe, render, first=3), 2))
    assert torch.equal(whole[4].image, later[1].image) and torch.equal(whole[3].i, later[0].i)
    assert not torch.equal(whole[0].image, whole[1].image)
    other = next(iter(BatchStream(rendered_recipe(seed=1), render)))
    assert not torch.equal(whole[0].image, other.image)


def test_workers_share_the_same_stream(rendered_recipe, render, monkeypatch):
    monkeypatch.setattr(samples.os, "nice", lambda by: None)
    monkeypatch.setattr(samples.signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(samples.torch, "set_num_threads", lambda n: None)
    alone = list(islice(BatchStream(rendered_recipe(), render, first=1), 4))
    for number in range(2):
        monkeypatch.setattr(samples, "get_worker_info", lambda n=number: SimpleNamespace(id=n, num_workers=2))
        share = list(islice(BatchStream(rendered_recipe(), render, first=1), 2))
        for mine, expected in zip(share, alone[number::2], strict=True):
            assert torch.equal(mine.image, expected.image)


def test_reuse_renders_fewer(rendered_recipe, render):
    rendered = []

    def counting(rngs, size_hw, **options):
        rendered.append(len(rngs))
        return render(rngs, size_hw, **options)

    stream = BatchStream(rendered_recipe(reuse=4, batch_size=8, photo_every=100), counting)
    assert all(len(batch.image) == 8 for batch in islice(stream, 3))
    assert rendered == [8, 2, 2]


def test_a_share_of_the_crops_shows_nobody(rendered_recipe, render):
    batch = BatchStream(rendered_recipe(empty_share=0.5, batch_size=64), render).batch(0)
    empty = ~(batch.i > 0).flatten(1).any(1)
    assert 20 <= empty.sum() <= 44  # 4 standard deviations of a binomial: 32 +- 12, cut by the two halves' draws
    assert torch.isnan(batch.yaw[empty]).all() and not batch.keypoints[empty][..., 2].any()
    assert not batch.boxes_xyxy[empty].any() and torch.isfinite(batch.yaw[~empty]).all()


def test_the_loader_without_workers_is_the_stream(rendered_recipe, render):
    recipe = rendered_recipe()
    from_loader = next(iter(batch_loader(recipe, render, 2, "cpu")))
    assert from_loader.kind == "photo"
    assert torch.equal(from_loader.image, BatchStream(recipe, render).batch(2).image)
