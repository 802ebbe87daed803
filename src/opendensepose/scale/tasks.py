"""Tasks, and who does them: processes of this machine or a Ray cluster, with the same function.

A job starts a worker once in each process; the worker does task after task, and writes what it makes itself: nothing
big travels.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from opendensepose.worker_processes import call_in_processes

__all__ = ["Done", "Job", "Reports", "Task", "TaskFailed", "Worker", "run_tasks"]

SECONDS_BETWEEN_REPORTS = 20.0  # at 10,000 workers, 500 a second: what one driver can take


@dataclass(frozen=True)
class Task:
    """A shard: its number, and its items, such as photos.

    is_careful: a worker died at this task, so each item is reported before it is begun. skipped: places of items that
    workers died of.
    """

    number: int
    items: Sequence[Any]
    is_careful: bool = False
    skipped: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Done:
    """A task's end. num_items of it, of which so many have errors; result: what else the job says, small."""

    num_items: int
    num_errors: int = 0
    result: Any = None


@dataclass(frozen=True)
class TaskFailed:
    """A task that could not be done, for a reason that is not its items': one sentence."""

    task: Task
    sentence: str


Worker = Callable[[Task], Iterator["int | Done"]]  # yields places of items that it begins, not all; Done at the end
OnItem = Callable[[Task, int], None]


class Job(Protocol):
    """What to do with tasks; it must be picklable."""

    def start(self) -> Worker:
        """Load what all tasks need, in the process that does them. ValueError if that is not there."""


class Reports:
    """When a worker should say which item it begins: always at a careful task, else once in some seconds."""

    def __init__(self, task: Task):
        self.is_careful, self.last = task.is_careful, time.monotonic()

    def is_due(self) -> bool:
        if not self.is_careful and time.monotonic() - self.last < SECONDS_BETWEEN_REPORTS:
            return False
        self.last = time.monotonic()
        return True


def run_tasks(
    job: Job,
    tasks: Sequence[Task],
    *,
    workers: int | None = None,
    ray: str | None = None,
    on_item: OnItem | None = None,
) -> Iterator[tuple[Task, Done | TaskFailed]]:
    """Do the tasks and yield each when it is done, in any order.

    workers: processes of one core each; None: one here, all that the cluster has room for there. ray: None: here; else
    see `cluster.connect`. An error of `job.start` is raised.
    """
    if not tasks:
        return
    if ray is not None:
        from opendensepose.scale.cluster import run_on_ray

        yield from run_on_ray(job, tasks, workers, ray, on_item)
    elif min(workers or 1, len(tasks)) == 1:
        worker = job.start()
        for task in tasks:
            yield task, _do(worker, task, on_item)
    else:
        calls = [partial(_do_in_process, task) for task in tasks]
        yield from call_in_processes(calls, min(workers or 1, len(tasks)), partial(_start_process, job))


def _do(worker: Worker, task: Task, on_item: OnItem | None = None) -> Done | TaskFailed:
    try:
        for said in worker(task):
            if isinstance(said, Done):
                return said
            if on_item:
                on_item(task, said)
    except OSError as error:  # of the machine or its network: the job's own errors are in its files
        return TaskFailed(task, " ".join(str(error).split()))
    raise RuntimeError("a worker must end with Done")


_here: dict[str, Worker] = {}  # a process' worker


def _start_process(job: Job) -> None:
    _here["worker"] = job.start()


def _do_in_process(task: Task) -> tuple[Task, Done | TaskFailed]:
    return task, _do(_here["worker"], task)
