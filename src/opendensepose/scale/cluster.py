"""Tasks on a Ray cluster: one actor per core, each at one task at a time, replaced when it dies.

Why plain actors and no Ray Data: a shard must be written once, under a name that is known beforehand, by whoever read
its photos; Ray Data names its files anew in each run and moves rows through its object store. Here only addresses and
counts travel, and a worker's memory is that of a few photos.
"""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opendensepose.scale.tasks import Done, Job, OnItem, Task, TaskFailed
from opendensepose.worker_processes import use_one_core

__all__ = ["connect", "run_on_ray"]

MOST_DEATHS = 5  # of workers at one task, for no item that could be named
DEATHS_OF_AN_ITEM = 2  # workers that die when they have begun an item, before it is left out
WAIT_S = 1.0


def connect(address: str) -> None:
    """Join the cluster at an address ("host:6379", "ray://host:10001"); "auto": the one that is found, or a new one on
    this machine; "local": a new one. ValueError, one sentence, if there is none there."""
    import ray

    if ray.is_initialized():
        return
    options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "include_dashboard": False}
    if address in ("auto", "local"):
        try:
            ray.init(None if address == "auto" else "local", **options)
        except Exception as error:  # Ray has no class of its own for it
            raise ValueError(f"Ray could not start on this machine: {_one_line(error)}") from error
    else:
        _check_that_somebody_listens(address)
        options.pop("include_dashboard")
        try:
            ray.init(address, **options)
        except ConnectionError as error:
            raise ValueError(f"there is no Ray cluster at {address}: {_one_line(error)}") from error


def _check_that_somebody_listens(address: str) -> None:
    """Raise ValueError, one sentence, if not: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"a Ray cluster's address is host:port or ray://host:port, got {address!r}.")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ValueError(f"there is no Ray cluster at {address}: {error}.") from error


class _Actor:
    """A process of the cluster, see `_actor_class`."""

    def __init__(self, job: Job):
        use_one_core()
        self.worker = job.start()

    def ready(self) -> bool:
        return True

    def work(self, task: Task) -> Iterator[int | Done | TaskFailed]:
        try:
            yield from self.worker(task)
        except OSError as error:
            yield TaskFailed(task, " ".join(str(error).split()))


@dataclass
class _Running:
    """A worker at a task: what it reports, which item it said last that it began."""

    actor: Any
    task: Task
    reports: Any
    place: int | None = None


def run_on_ray(
    job: Job, tasks: Sequence[Task], workers: int | None, address: str, on_item: OnItem | None
) -> Iterator[tuple[Task, Done | TaskFailed]]:
    """See `tasks.run_tasks`."""
    import ray

    connect(address)
    gpus = getattr(job, "num_gpus", 0)
    actor_class = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0, scheduling_strategy="SPREAD")(_Actor)
    pool = _Pool(actor_class, ray.put(job), list(tasks), workers, gpus, on_item)
    try:
        yield from pool.run()
    finally:
        pool.end()


class _Pool:
    def __init__(
        self,
        actor_class: Any,
        job: Any,
        waiting: list[Task],
        workers: int | None,
        num_gpus: float,
        on_item: OnItem | None,
    ):
        self.actor_class, self.job, self.num_gpus, self.on_item = actor_class, job, num_gpus, on_item
        self.waiting, self.workers = waiting[::-1], workers
        self.starting: dict[Any, Any] = {}  # what tells that it is ready -> actor
        self.running: dict[Any, _Running] = {}
        self.deaths: dict[int, int] = {}
        self.item_deaths: dict[tuple[int, int], int] = {}
        self.failed_starts = 0

    def run(self) -> Iterator[tuple[Task, Done | TaskFailed]]:
        import ray

        while self.waiting or self.running:
            self._start_actors()
            ready, _ = ray.wait([*self.starting, *self.running], num_returns=1, timeout=WAIT_S)
            for one in ready:
                if one in self.starting:
                    self._begin(self.starting.pop(one), one)
                else:
                    yield from self._report(one)

    def end(self) -> None:
        import ray

        for actor in [*self.starting.values(), *(one.actor for one in self.running.values())]:
            ray.kill(actor)

    def _start_actors(self) -> None:
        """As many as there are tasks for, and room: a node that joins is used, one that is gone is not waited for."""
        import ray

        room = self.workers
        if room is None:
            has = ray.cluster_resources()
            room = max(1, int(has.get("GPU", 0) / self.num_gpus if self.num_gpus else has.get("CPU", 1)))
        wanted = min(room, len(self.waiting) + len(self.running))
        for _ in range(wanted - len(self.starting) - len(self.running)):
            actor = self.actor_class.remote(self.job)
            self.starting[actor.ready.remote()] = actor

    def _begin(self, actor: Any, ready: Any = None) -> None:
        """Give a worker its next task. ValueError if it could not start, for a reason that it names."""
        import ray

        if ready is not None:
            try:
                ray.get(ready)
            except ray.exceptions.RayError as error:
                cause = getattr(error, "cause", None) or error.__cause__
                self.failed_starts += 1
                if self.failed_starts >= MOST_DEATHS or "error in the actor's __init__" in " ".join(str(error).split()):
                    raise ValueError(f"a worker could not start: {_last_line(cause or error)}") from error
                return
        if not self.waiting:
            ray.kill(actor)
            return
        task = self.waiting.pop()
        reports = actor.work.options(num_returns="streaming").remote(task)
        self.running[reports] = _Running(actor, task, reports)

    def _report(self, reports: Any) -> Iterator[tuple[Task, Done | TaskFailed]]:
        import ray

        one = self.running[reports]
        try:
            said = ray.get(next(reports))
        except ray.exceptions.RayTaskError:  # an error of the job's own
            raise
        except ray.exceptions.RayError:  # its process or its node is gone, or ran out of memory
            del self.running[reports]
            ray.kill(one.actor)
            yield from self._died(one)
            return
        if isinstance(said, int):
            one.place = said
            if self.on_item:
                self.on_item(one.task, said)
            return
        del self.running[reports]
        yield one.task, said
        self._begin(one.actor)

    def _died(self, one: _Running) -> Iterator[tuple[Task, TaskFailed]]:
        """Put a task back whose worker died, without an item that workers die of."""
        task = replace(one.task, is_careful=True)
        if one.task.is_careful and one.place is not None:
            key = (task.number, one.place)
            self.item_deaths[key] = self.item_deaths.get(key, 0) + 1
            if self.item_deaths[key] >= DEATHS_OF_AN_ITEM:
                task = replace(task, skipped=task.skipped | {one.place})
        else:
            self.deaths[task.number] = self.deaths.get(task.number, 0) + 1
            if self.deaths[task.number] >= MOST_DEATHS:
                yield task, TaskFailed(task, f"{MOST_DEATHS} workers died at it")
                return
        self.waiting.append(task)


def _one_line(error: BaseException) -> str:
    """The first sentence of what Ray says in many lines."""
    return " ".join(str(error).split()).split(". ")[0].rstrip(".") + "."


def _last_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
