"""The order of training: each image once per epoch, shared among processes, going on at any step."""

import itertools
import sys

import numpy as np
import pytest
from torch.utils.data import get_worker_info

from opendensepose.training.annotated.images import AnnotatedImages
from opendensepose.training.annotated.sampler import DistributedBatchSampler, ImageBatches, epoch_permutation


def test_each_image_comes_once_per_epoch_and_places_are_never_repeated():
    batches = list(DistributedBatchSampler(7, 2, seed=3, first=0, steps=14))
    entries = list(itertools.chain(*batches))
    assert [place for _, place in entries] == list(range(28))
    for epoch in range(4):
        assert sorted(number for number, _ in entries[7 * epoch : 7 * epoch + 7]) == list(range(7))
    assert not np.array_equal(epoch_permutation(7, 3, 0), epoch_permutation(7, 3, 1))


def test_a_run_that_goes_on_sees_what_it_would_have_seen():
    whole = list(DistributedBatchSampler(5, 2, seed=1, first=0, steps=9))
    assert list(DistributedBatchSampler(5, 2, seed=1, first=4, steps=9)) == whole[4:]
    assert len(DistributedBatchSampler(5, 2, seed=1, first=4, steps=9)) == 5


def test_processes_share_a_batch():
    whole = list(DistributedBatchSampler(9, 6, seed=1, first=2, steps=5))
    shares = [list(DistributedBatchSampler(9, 6, seed=1, first=2, steps=5, rank=rank, world=3)) for rank in range(3)]
    for step, batch in enumerate(whole):
        assert sorted(itertools.chain(*(share[step] for share in shares))) == sorted(batch)
        assert {len(share[step]) for share in shares} == {2}
    with pytest.raises(ValueError, match="a batch of 6 images cannot be shared by 4 processes"):
        DistributedBatchSampler(9, 6, seed=1, first=0, steps=5, world=4)


def brought_by_a_light_worker(sample, rng):
    """A worker imports neither of these: that would take it two seconds and 180 MB more."""
    assert get_worker_info() is None or not {"lightning_fabric", "torchvision"} & set(sys.modules)
    return sample


def test_workers_bring_what_this_process_would(annotated):
    data = AnnotatedImages(annotated, brought_by_a_light_worker, seed=5)
    alone, helped = (list(ImageBatches(data, DistributedBatchSampler(4, 2, 0, 0, 3), workers)) for workers in (0, 2))
    assert len(alone) == len(helped) == 3
    for (images, targets), (their_images, their_targets) in zip(alone, helped, strict=True):
        for one, other in zip(images, their_images, strict=True):
            assert (one == other).all()
        assert [one.seed for one in targets] == [one.seed for one in their_targets]
        assert (targets[0].point_xy == their_targets[0].point_xy).all()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_vanishes_ends_it_with_one_sentence(annotated, workers):
    data = AnnotatedImages(annotated)
    (annotated / "images" / "3.png").unlink()
    with pytest.raises(ValueError, match="^image 3 of .*there is no 3.png in [^\n]*$"):
        list(ImageBatches(data, DistributedBatchSampler(4, 2, 0, 0, 2), workers))
