"""Processes that train together: Lightning Fabric for one device or many, and what only the first process does."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
import torch.distributed

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["FirstProcess", "check_same_step", "launched_rank", "make_fabric"]

LONGEST_WAIT = timedelta(days=7)


def launched_rank() -> tuple[int, int]:
    """Return the number of this process, from 0, and how many `torchrun` or `fabric run` launched, before any of them
    waits for another: (0, 1) where neither did."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def make_fabric(device: str | None) -> "Fabric":
    """Start Fabric for one device, or for all processes of `torchrun` or `fabric run` where one of these started this.

    ValueError if the device cannot be used. Its precision stays float32, since Fabric would round a network's inputs to
    bfloat16, coordinates too: the training step uses `torch.autocast` itself.
    """
    from lightning_fabric import Fabric  # here: workers that only make samples start faster, and smaller

    if "LT_CLI_USED" in os.environ:
        if os.environ.get("LT_PRECISION", "32-true") not in {"32-true", "32"}:
            raise ValueError("the precision must be given with opendensepose train --precision, not to fabric run.")
        fabric = Fabric()  # it reads the options of `fabric run`
    else:
        kind, _, index = (device or ("cuda" if torch.cuda.is_available() else "cpu")).partition(":")
        if kind not in {"cpu", "cuda", "mps"}:
            raise ValueError(f"the device must be cpu, cuda, cuda:1 or mps, got {device!r}.")
        local, world = (int(os.environ.get(name, 1)) for name in ("LOCAL_WORLD_SIZE", "WORLD_SIZE"))
        devices = local if world > 1 or not index else [int(index)]
        try:
            fabric = Fabric(
                accelerator=kind,
                devices=devices,
                num_nodes=max(1, world // local),
                strategy="ddp" if world > 1 else "auto",
            )
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"the device {device!r} cannot be used here: {' '.join(str(error).split())}") from error
    fabric.launch()
    return fabric


def check_same_step(fabric: "Fabric", step: int, folder: os.PathLike | str) -> None:
    """Raise ValueError in all processes if they do not begin at the same step, as when one cannot see the folder."""
    steps = fabric.all_gather(torch.tensor(step)).flatten().tolist()
    if len(set(steps)) > 1:
        raise ValueError(f"{folder} must be the same folder for all processes, got states of steps {steps}.")


class FirstProcess:
    """Does what only the first process does, such as saving and validating, while the others wait for it.

    They wait in a process group of their own. In the one that averages gradients, who waits longer than its timeout,
    30 minutes, ends with an error; a validation may take longer, and a process that hangs should be noticed sooner.
    """

    def __init__(self, fabric: "Fabric"):
        self.is_this = fabric.is_global_zero
        self.group = None
        if fabric.world_size > 1:
            self.group = torch.distributed.new_group(backend="gloo", timeout=LONGEST_WAIT)

    def do(self, action: Callable[[], None]) -> None:
        """Run the action in the first process and return in all when it is done. If it raises, the first process raises
        that, and the others a ValueError with the same sentence."""
        error = None
        if self.is_this:
            try:
                action()
            except Exception as raised:  # of any kind: the others must not wait for what has ended
                error = raised
        if self.group is not None:
            sentence = [None if error is None else str(error)]
            torch.distributed.broadcast_object_list(sentence, src=0, group=self.group)
            if sentence[0] is not None and not self.is_this:
                raise ValueError(sentence[0])
        if error is not None:
            raise error
