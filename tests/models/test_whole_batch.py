"""Means and draws of a batch in one process; what several share is in tests/training/test_processes.py."""

import torch

from opendensepose.models.whole_batch import gather_images, process_rank, shared_mean


def test_one_process_has_the_whole_batch():
    values = torch.arange(6).view(3, 2)
    assert process_rank() == (0, 1)
    assert torch.equal(gather_images(values), values)


def test_the_mean_by_hand_and_of_nothing():
    total = torch.tensor(6.0, requires_grad=True)
    assert shared_mean(total, torch.tensor(4)).item() == 1.5
    nothing = shared_mean(total * 0, torch.tensor(0))
    nothing.backward()
    assert nothing.item() == 0 and total.grad.item() == 0
