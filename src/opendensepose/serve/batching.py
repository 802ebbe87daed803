"""Photos of different clients, labelled together: a bounded queue, batches, deadlines. Runs in one event loop."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from opendensepose.serve.answers import Answer, Job, Refusal
from opendensepose.serve.limits import Limits

__all__ = ["BatchObserver", "Batcher", "Busy", "Outcome", "Runner", "TooLate"]

Outcome = Answer | Refusal
Runner = Callable[[Sequence[Job]], Awaitable[Sequence[Outcome]]]
MOST_RETRY_S = 60
CAUTION = 0.5  # of the deadline: who would wait longer, as far as is known, need not wait at all


class Busy(Exception):
    """No place in the queue, or the answer would come too late; retry_s: whole seconds until it is worth a try."""

    def __init__(self, retry_s: int):
        super().__init__(retry_s)
        self.retry_s = retry_s


class TooLate(Exception):
    """The deadline has passed."""


class BatchObserver(Protocol):
    """Who is told of each batch."""

    def on_batch(self, size: int, seconds: float) -> None:
        """A batch of so many photos has been answered, after so long."""
        ...


@dataclass(eq=False)
class _Waiting:
    job: Job
    future: asyncio.Future[Outcome]


class Batcher:
    """Hands batches to runners, each of which answers one batch at a time, as soon as it is free.

    runners: coroutine functions of a batch of jobs. A job whose client is gone or whose deadline has passed before its
    turn is not run. An error of a runner is raised to the clients of its batch, and the runner goes on.
    seconds_per_job: what one takes a runner, 0: not known; then it is measured.
    """

    def __init__(
        self,
        runners: Sequence[Runner],
        limits: Limits,
        observer: BatchObserver | None = None,
        seconds_per_job: float = 0.0,
    ):
        self.limits, self.observer = limits, observer
        self._runners = runners
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._num_running = 0
        self._seconds_per_job = seconds_per_job / len(runners)  # of the whole service
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def num_waiting(self) -> int:
        """Return how many jobs wait for their turn."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to hand out batches, in the running event loop."""
        self._tasks = [asyncio.create_task(self._serve(run)) for run in self._runners]

    async def stop(self) -> None:
        """Hand out no more batches."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def answer(self, job: Job, timeout_s: float) -> Outcome:
        """Return the job's outcome. Busy if no place is free, TooLate after timeout_s."""
        wait_s = (self.num_waiting + self._num_running) * self._seconds_per_job
        if self.num_waiting >= self.limits.queue or self.num_waiting and wait_s > CAUTION * timeout_s:
            raise Busy(min(MOST_RETRY_S, max(1, math.ceil(wait_s / 2))))
        one = _Waiting(job, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        self._arrived.set()
        try:
            return await asyncio.wait_for(one.future, timeout_s)
        except TimeoutError:
            raise TooLate from None
        finally:
            if one in self._waiting:  # its client is gone, or it is too late
                self._waiting.remove(one)

    async def _serve(self, run: Runner) -> None:
        while True:
            batch = await self._next_batch()
            self._num_running += len(batch)
            start = asyncio.get_running_loop().time()
            try:
                for one, outcome in zip(batch, await run([one.job for one in batch]), strict=True):
                    if not one.future.done():
                        one.future.set_result(outcome)
            except Exception as error:
                for one in batch:
                    if not one.future.done():
                        one.future.set_exception(error)
            finally:
                self._num_running -= len(batch)
            self._note(len(batch), asyncio.get_running_loop().time() - start)

    async def _next_batch(self) -> list[_Waiting]:
        """Wait for a job, then a little for others."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        batch = [self._waiting.popleft()]
        try:
            async with asyncio.timeout(self.limits.batch_wait_s):
                while len(batch) < self.limits.batch:
                    while not self._waiting:
                        self._arrived.clear()
                        await self._arrived.wait()
                    batch.append(self._waiting.popleft())
        except TimeoutError:
            pass
        alive = [one for one in batch if not one.future.done()]
        return alive or await self._next_batch()

    def _note(self, size: int, seconds: float) -> None:
        each = seconds / size / len(self._runners)
        known = self._seconds_per_job
        self._seconds_per_job = each if not known else 0.8 * known + 0.2 * each
        if self.observer:
            self.observer.on_batch(size, seconds)
