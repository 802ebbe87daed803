"""A job for tests: its items are numbers; what it did is a file for each task, and a line for each item begun."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opendensepose.scale.tasks import Done, Reports, Task


@dataclass(frozen=True)
class CountingJob:
    """Ends its process at the items `poison`; cannot read the items `away`; takes pause_s for each."""

    out: Path
    poison: tuple[int, ...] = ()
    away: tuple[int, ...] = ()
    pause_s: float = 0.0
    error: str = ""

    def start(self):
        if self.error:
            raise ValueError(self.error)
        return self._work

    def _work(self, task: Task) -> Iterator[int | Done]:
        reports = Reports(task)
        for place, item in enumerate(task.items):
            if place in task.skipped:
                continue
            if reports.is_due():
                yield place
            with (self.out / f"begun_{os.getpid()}").open("a") as file:
                file.write(f"{item}\n")
            time.sleep(self.pause_s)
            if item in self.poison:
                time.sleep(0.2)  # the report travels
                os._exit(7)
            if item in self.away:
                raise TimeoutError(f"the server of {item} is away")
        part = self.out / f".{task.number}.{os.getpid()}"
        part.write_text(" ".join(str(item) for k, item in enumerate(task.items) if k not in task.skipped))
        part.rename(self.out / f"{task.number}.txt")
        yield Done(len(task.items), len(task.skipped), sum(task.items))
