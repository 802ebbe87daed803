"""Warp starts silently, takes torch's memory, and shares work out."""

import subprocess
import sys

import pytest
import torch

from opendensepose.synth.drawing.launch import threads_for, to_warp


def test_warp_starts_without_a_word():
    code = "import sys; from opendensepose.synth.drawing.launch import start_warp; start_warp()\n"
    code += "print('read', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "" and done.stderr == "read\n"


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 1000])
def test_threads_take_every_item_and_none_is_idle(count):
    num_threads, run = threads_for(count, torch.device("cpu"))
    assert (num_threads - 1) * run < count <= num_threads * run or count == num_threads == 0


def test_a_tensor_with_gaps_is_refused():
    with pytest.raises(ValueError, match=r"tensor must be contiguous, got strides \(2,\) of shape \(2,\)"):
        to_warp(torch.zeros(4)[::2])
