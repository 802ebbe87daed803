"""What test_processes.py runs in one process and in two: `python -m tests.training.two_processes DATA OUT`.

Each part returns what it found as a dict, and the processes write them to OUT/<rank>.pt.
"""

import multiprocessing
import os
import socket
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed
from lightning_fabric import Fabric
from tests.training.conftest import TINY_RCNN, tiny_annotated_recipe
from torch import nn

from opendensepose.models.targets import Targets
from opendensepose.training.annotated.images import AnnotatedImages
from opendensepose.training.annotated.sampler import DistributedBatchSampler, ImageBatches
from opendensepose.training.processes import FirstProcess, check_same_step, make_fabric
from opendensepose.training.state import new_state
from opendensepose.training.train import new_network, train, train_step

TINY_CROPS = {"depth": 18, "norm": "group", "width": 32, "channels": 32, "side": 32}
SECONDS = 300  # after which a process counts as hanging
NETWORKS = {
    "teacher": TINY_CROPS,
    "crop_labeller": TINY_CROPS,
    "densepose_rcnn": TINY_RCNN,
    "fcn": {"depth": 18, "norm": "group", "width": 32, "channels": 32},
    "cascade_rcnn": TINY_RCNN | {"keypoint_channels": 8, "keypoint_layers": 1, "mask_channels": 8, "mask_layers": 1},
}
CASES = [("teacher", False), *((name, True) for name in NETWORKS)]  # network, whether one process has nobody annotated
LOW_CASES = [("teacher", False), ("teacher", True), ("fcn", True), ("cascade_rcnn", True)]  # in bfloat16 too


def without_annotation(targets: Targets) -> Targets:
    """The same image with people of whom only the boxes are known."""
    return replace(
        targets,
        annotated=torch.zeros_like(targets.annotated),
        parts=torch.zeros_like(targets.parts),
        keypoints=torch.zeros_like(targets.keypoints),
    )


def one_step(fabric: Fabric, data: Path, architecture: str, empty: bool, **changes) -> dict:
    """Losses, gradients and the types that convolutions computed in, of one step with four images. empty: nobody is
    annotated in the second and the fourth, which are the second process's share."""
    recipe = tiny_annotated_recipe(architecture=architecture, kwargs=NETWORKS[architecture], batch_size=4, **changes)
    network, recipe = new_network(replace(recipe, clip_norm=1e9), None)
    network.num_crops = 6
    state = new_state(fabric, network, network, recipe)
    dtypes = set()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda module, images, output: dtypes.add(output.dtype))
    images = AnnotatedImages(data, recipe.source.transforms)
    order = DistributedBatchSampler(len(images), 4, 0, 0, 1, fabric.global_rank, fabric.world_size)
    ((photos, targets),) = ImageBatches(images, order, 0)
    if empty:
        positions = range(fabric.global_rank, 4, fabric.world_size)
        targets = [
            target if position % 2 == 0 else without_annotation(target)
            for position, target in zip(positions, targets, strict=True)
        ]
    losses = train_step(fabric, state, ([photo.float() for photo in photos], targets), recipe)
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    return {"losses": losses, "gradients": gradients, "dtypes": dtypes}


def steps(fabric: Fabric, data: Path) -> dict:
    """One step of each case, and of some in bfloat16."""
    found = {case: one_step(fabric, data, *case) for case in CASES}
    return found | {("bfloat16", *case): one_step(fabric, data, *case, precision="bfloat16") for case in LOW_CASES}


def run(fabric: Fabric, data: Path, out: Path) -> None:
    """A whole run of three steps; its losses are in out/metrics.csv."""
    train(tiny_annotated_recipe(steps=3, batch_size=4, learning_rate=0.02), out, data, fabric=fabric)


def waits(fabric: Fabric) -> dict:
    """Whether the second process outlives a wait longer than the timeout of gradients, and the sentences of errors."""
    first, said = FirstProcess(fabric), {}

    def fail() -> None:
        raise OSError("the disk is full")

    for name, action in {
        "of the first": lambda: first.do(fail),
        "of the folder": lambda: check_same_step(fabric, fabric.global_rank, "runs"),
    }.items():
        try:
            action()
        except (OSError, ValueError) as error:
            said[name] = str(error)
    torch.distributed.distributed_c10d._set_pg_timeout(timedelta(seconds=1))
    first.do(lambda: time.sleep(1.6))
    torch.distributed.distributed_c10d._set_pg_timeout(timedelta(minutes=10))
    fabric.barrier()
    return said


def both(rank: int, port: int, data: Path, out: Path) -> None:
    """What one of the two processes does."""
    shared = {"WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "GROUP_RANK": 0, "TORCHELASTIC_RUN_ID": "test"}
    shared |= {"RANK": rank, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in shared.items()}
    torch.set_num_threads(1)
    fabric = make_fabric("cpu")
    found = steps(fabric, data)
    run(fabric, data, out / "run")
    torch.save(found | {"said": waits(fabric)}, out / f"{rank}.pt")


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")  # what is imported is imported once
    data, out = map(Path, sys.argv[1:])
    processes = [context.Process(target=both, args=(rank, port, data, out), daemon=True) for rank in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(SECONDS)
    sys.exit(any(process.exitcode != 0 for process in processes))
