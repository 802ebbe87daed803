"""Synthetic people in shards: `render` with `--shards` or `--ray`.

pictures/00000.tar ... hold WebDataset samples: <image_id>.jpg, .npz (I, U, V, instance) and .json (`image` and
`annotations`, entries of an annotation file). They are the files that `render` writes into folders, byte for byte, and
`train --data` reads them.
"""

import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opendensepose.data.tar_samples import write_sample
from opendensepose.render import check_request, picture_files, render_settings
from opendensepose.scale.addresses import join, names_in, upload
from opendensepose.scale.run import run_tasks
from opendensepose.scale.settings import keep_settings
from opendensepose.scale.tasks import Done, Reports, Task, TaskFailed, Worker

__all__ = ["RenderJob", "render_shards"]

PICTURES = "pictures"
SHARD_SIZE = 100  # pictures


@dataclass(frozen=True)
class RenderJob:
    """Renders the pictures of a shard, whose numbers are the task's items, into out/pictures/."""

    out: str
    settings: dict[str, Any]

    def start(self) -> Worker:
        import torch

        torch.set_num_threads(1)
        return self._work

    def _work(self, task: Task) -> Iterator[int | Done]:
        reports = Reports(task)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, shard_name(task.number))
            with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
                for place, image_id in enumerate(task.items):
                    if reports.is_due():
                        yield place
                    write_sample(tar, f"{image_id:012d}", picture_files(image_id, self.settings))
            upload(path, join(join(self.out, PICTURES), path.name))
        yield Done(len(task.items))


def shard_name(number: int) -> str:
    """The name of a shard's file."""
    return f"{number:05d}.tar"


def render_shards(
    out: str,
    *,
    count: int,
    seed: int,
    size_hw: tuple[int, int] = (480, 640),
    people_range: tuple[int, int] = (1, 6),
    shard_size: int = SHARD_SIZE,
    workers: int | None = None,
    ray: str | None = None,
    on_picture: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Render `count` pictures, those of `render.render_dataset` with this seed, into shards of shard_size. Returns
    sentences about shards that could not be done.

    out: a folder's address, see `addresses`. Shards that are there are not rendered again. workers, ray: see
    `run_tasks`. on_picture(number done, number of all) is called when shards are done. ValueError, one sentence: a set
    that cannot be, an `out` that has another one or cannot be written, no cluster.
    """
    check_request(count, size_hw, people_range, workers or 1)
    if shard_size < 1:
        raise ValueError(f"a shard must have at least 1 picture, got {shard_size}.")
    settings = render_settings(seed, size_hw, people_range)
    keep_settings(out, settings | {"count": count, "shard_size": shard_size})
    starts = range(1, count + 1, shard_size)
    tasks = [Task(k, range(first, min(first + shard_size, count + 1))) for k, first in enumerate(starts)]
    there = names_in(join(out, PICTURES))
    waiting = [task for task in tasks if shard_name(task.number) not in there]
    num_done, failures = count - sum(len(task.items) for task in waiting), []
    for task, end in run_tasks(RenderJob(out, settings), waiting, workers=workers, ray=ray):
        if isinstance(end, TaskFailed):
            failures.append(f"shard {task.number} of {len(task.items)} pictures: {end.sentence}")
            continue
        num_done += end.num_items
        if on_picture:
            on_picture(num_done, count)
    return failures
