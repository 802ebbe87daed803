"""Tasks, and what does them.

A job starts a worker once in each process; the worker does task after task, and writes what it makes itself: nothing
big travels.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Done", "Job", "Reports", "Task", "TaskFailed", "Worker"]

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
