"""What concerns the whole batch of a training step when several processes share it: means and random draws.

Each process computes the losses of its own images, and the gradients are averaged over the processes. With a loss
divided by a count that is averaged too, and draws made for the whole batch in every process, the gradient is that of
one process with all the images. All processes must call these functions equally often, also those with nothing to
learn from: the others wait for them.
"""

import torch
import torch.distributed
from torch import Tensor

__all__ = ["gather_images", "process_rank", "shared_mean"]


def _shared() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def process_rank() -> tuple[int, int]:
    """Return the number of this process, from 0, and how many train together."""
    return (torch.distributed.get_rank(), torch.distributed.get_world_size()) if _shared() else (0, 1)


def shared_mean(total: Tensor, count: Tensor) -> Tensor:
    """Divide a sum by a count that is averaged over the processes: their mean gradient is then that of one process with
    all their images. 0 where there is nothing to average."""
    count = count.detach().float()
    if _shared():
        count = count.clone()
        torch.distributed.all_reduce(count)
        count = count / torch.distributed.get_world_size()
    return total / torch.where(count > 0, count, torch.ones_like(count))


def gather_images(values: Tensor) -> Tensor:
    """Gather values (n, ...) of the n images of each of w processes: (n w, ...) in the order of the whole batch, of
    which process r has the images r, r + w, r + 2 w, ..."""
    if not _shared():
        return values
    shares = [torch.empty_like(values) for _ in range(torch.distributed.get_world_size())]
    torch.distributed.all_gather(shares, values)
    return torch.stack(shares, dim=1).flatten(0, 1)
