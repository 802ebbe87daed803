"""Who does tasks: this process, processes of this machine, or a Ray cluster, with the same function."""

from collections.abc import Iterator, Sequence
from functools import partial

from opendensepose.scale.cluster import run_on_ray
from opendensepose.scale.tasks import Done, Job, OnItem, Task, TaskFailed, Worker
from opendensepose.worker_processes import call_in_processes

__all__ = ["run_tasks"]


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
