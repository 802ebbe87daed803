"""Warp kernels on torch's tensors, the same on the CPU and on CUDA."""

import functools
import os
import sys
from typing import Any

import torch
import warp as wp

__all__ = ["launch", "start_warp", "threads_for", "to_warp"]

wp.config.log_level = wp.LOG_ERROR  # kernels are compiled at their first use; saying so disturbs progress bars


@functools.cache
def start_warp() -> None:
    """Initialise Warp once; without a GPU suppress the message that its native code writes to stderr."""
    if torch.cuda.is_available():
        return wp.init()
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        wp.init()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def to_warp(tensor: torch.Tensor, dtype: type | None = None) -> Any:
    """View a contiguous torch tensor as a kernel's argument; the caller must keep the tensor alive until the launch.

    Raises ValueError if the tensor is not contiguous: a contiguous copy would be freed before the launch.
    """
    start_warp()
    if not tensor.is_contiguous():
        raise ValueError(f"tensor must be contiguous, got strides {tensor.stride()} of shape {tuple(tensor.shape)}")
    return wp.from_torch(
        tensor, dtype=dtype, return_ctype=True
    )  # a bare descriptor: making an array object takes three times as long


def launch(kernel: wp.Kernel, num_threads: int, inputs: list, outputs: list, device: torch.device) -> None:
    """Run a Warp kernel on torch's current stream, so that both libraries keep the order of reads and writes."""
    stream = wp.stream_from_torch(torch.cuda.current_stream(device)) if device.type == "cuda" else None
    warp_device = wp.device_from_torch(device)
    wp.launch(kernel, dim=num_threads, inputs=inputs, outputs=outputs, device=warp_device, stream=stream)


def threads_for(count: int, device: torch.device) -> tuple[int, int]:
    """Share `count` items out to a kernel's threads; return the number of threads and of consecutive items for each.

    On a CPU threads run one after another and each has to load the kernel's arguments: few threads are faster.
    """
    run = 128 if device.type == "cpu" else 1
    return -(-count // run), run
