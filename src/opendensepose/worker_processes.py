"""Calls of a function spread over processes of one core each, which an interruption ends without losing a call."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from typing import TypeVar

import cv2

__all__ = ["call_in_processes", "use_one_core"]

Result = TypeVar("Result")


def call_in_processes(
    calls: Iterable[Callable[[], Result]], workers: int, start: Callable[[], None] | None = None
) -> Iterator[Result]:
    """Run the calls in `workers` new processes; yield each result when it is there, in any order.

    start: called once in each process, before its first call. Calls, start and results must be picklable. An error in
    a call is raised here; then, and on Ctrl-C, the calls that have begun are finished and the others dropped.
    """
    context = multiprocessing.get_context("spawn")  # forked processes and torch's threads do not mix
    with ProcessPoolExecutor(workers, context, partial(_start, start)) as pool:
        futures = [pool.submit(call) for call in calls]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _start(then: Callable[[], None] | None) -> None:
    """Use one core, and leave Ctrl-C to the main process, which lets a worker finish its call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_one_core()
    if then:
        then()


def use_one_core() -> None:
    """Let the libraries of this process start no threads of their own."""
    os.environ["OMP_NUM_THREADS"] = "1"  # what torch, too, goes by when it is imported
    cv2.setNumThreads(1)
