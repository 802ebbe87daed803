"""The processes that hold the model. One that dies or hangs takes nothing with it but the photo that was to blame."""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2

from opendensepose.data.photos import example_photo
from opendensepose.serve.answers import Answer, Job, Refusal, answer_jobs
from opendensepose.serve.limits import Limits

__all__ = ["MakePredictor", "ModelInfo", "Worker", "num_cores"]

RESTART_S = (0.5, 30.0)  # between tries to start a worker: first, most
HUNG = "The photo took too long: make it smaller."
DEADLY = "The photo cannot be read: it ended the process that tried."


@dataclass(frozen=True)
class ModelInfo:
    """What is served: its name, and how it runs. example_s: how long the example photo took one worker."""

    name: str
    backend: str
    device: str
    min_score: float
    example_s: float


MakePredictor = Callable[[], Any]  # a Predictor; picklable


class Worker:
    """A process that answers batches, as a runner of `Batcher`; started anew when it ends.

    make_predictor: called in the process. threads: of its libraries. on_restart: called each time it had to be started
    anew.
    """

    def __init__(
        self,
        make_predictor: MakePredictor,
        limits: Limits,
        threads: int = 1,
        on_restart: Callable[[], None] | None = None,
    ):
        self._make_predictor, self._limits, self._threads = make_predictor, limits, threads
        self._on_restart = on_restart or (lambda: None)
        self._pool: ProcessPoolExecutor | None = None
        self._pid = 0
        self.is_ready = False

    def start(self, model: str) -> ModelInfo:
        """Start the process, wait until it has loaded the model. ValueError, OSError, one sentence, if it cannot."""
        context = multiprocessing.get_context("spawn")  # forked processes and threads do not mix
        self._pool = ProcessPoolExecutor(1, context, partial(_start, self._threads))
        try:
            self._pid, info = self._pool.submit(_load, self._make_predictor, self._limits.max_pixels, model).result()
        except BaseException:
            self.stop()
            raise
        self.is_ready, self._model = True, model
        return info

    def stop(self) -> None:
        """End the process, after the batch that it is at."""
        self.is_ready = False
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    async def __call__(self, jobs: Sequence[Job]) -> Sequence[Answer | Refusal]:
        """Answer a batch. If the process dies or hangs, each job is tried once more by itself."""
        if self._pool is None:
            await self._restart()
        assert self._pool is not None
        try:
            future = asyncio.wrap_future(self._pool.submit(_answer_jobs, jobs))
            return await asyncio.wait_for(future, self._limits.deadline_s * len(jobs))
        except (BrokenExecutor, TimeoutError) as error:
            refusal = Refusal(504, HUNG) if isinstance(error, TimeoutError) else Refusal(422, DEADLY)
        await self._restart()
        if len(jobs) == 1:
            return [refusal]
        return [outcome for job in jobs for outcome in await self([job])]

    async def _restart(self) -> None:
        """Kill what is left of the process, and start another one; tries until that succeeds."""
        self.is_ready = False
        self._on_restart()
        if self._pool is not None:
            try:
                os.kill(self._pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            except OSError:  # it is dead
                pass
        pause_s, most_s = RESTART_S
        while True:
            try:
                await asyncio.to_thread(self.stop)
                await asyncio.to_thread(self.start, self._model)
                return
            except (BrokenExecutor, OSError, ValueError):  # no memory for it, say
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, most_s)


def num_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- in the process --------------------------------------------------------------------------------------------------

_loaded: dict[str, Any] = {}  # its predictor and its limit


def _start(threads: int) -> None:
    """Leave signals to the main process, which lets a batch finish; end with it; use so many threads."""
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = str(threads)  # what ONNX Runtime here, and torch when it is imported, go by
    cv2.setNumThreads(threads)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _load(make_predictor: MakePredictor, max_pixels: int, model: str) -> tuple[int, ModelInfo]:
    predictor = make_predictor()
    _loaded.update(predictor=predictor, max_pixels=max_pixels)
    image_rgb = example_photo()
    predictor(image_rgb)  # the first one takes longer
    start = time.perf_counter()
    predictor(image_rgb)
    took_s = time.perf_counter() - start
    return os.getpid(), ModelInfo(model, predictor.backend, predictor.device, predictor.min_score, took_s)


def _answer_jobs(jobs: Sequence[Job]) -> Sequence[Answer | Refusal]:
    return answer_jobs(jobs, _loaded["predictor"], _loaded["max_pixels"])
