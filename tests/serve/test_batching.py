"""Photos that come together run together; the queue is bounded; deadlines hold; whoever is gone is not run."""

import asyncio
from dataclasses import replace

import pytest

from opendensepose.serve.answers import Answer, Job
from opendensepose.serve.batching import Batcher, Busy, TooLate
from opendensepose.serve.limits import Limits

LIMITS = Limits(queue=3, batch=4, batch_wait_s=0.02)


def answer_of(job):
    return Answer(job.content, "text/plain", "a", 0)


class Runner:
    """Answers batches when it is let; notes them."""

    def __init__(self, is_free=True):
        self.batches, self.gate, self.begun = [], asyncio.Event(), asyncio.Event()
        if is_free:
            self.gate.set()

    async def __call__(self, jobs):
        self.batches.append([job.content for job in jobs])
        self.begun.set()
        await self.gate.wait()
        return [answer_of(job) for job in jobs]


def run(case, *runners, limits=LIMITS, **options):
    async def main():
        made = [make() for make in runners]
        batcher = Batcher(made, limits, **options)
        batcher.start()
        try:
            await case(batcher, *made)
        finally:
            await batcher.stop()

    asyncio.run(main())


def blocked():
    return Runner(is_free=False)


def test_jobs_that_come_together_are_one_batch_and_each_gets_its_own_answer():
    async def case(batcher, runner):
        names = [b"a", b"b", b"c"]
        got = await asyncio.gather(*(batcher.answer(Job(name), 5) for name in names))
        assert [one.content for one in got] == names
        assert runner.batches == [names]

    run(case, Runner)


def test_a_batch_has_a_most_and_the_free_runner_takes_the_next():
    async def case(batcher, first, second):
        tasks = [asyncio.create_task(batcher.answer(Job(b"%d" % k), 5)) for k in range(6)]
        await asyncio.sleep(0.1)
        assert sorted(map(len, first.batches + second.batches)) == [2, 4] or sorted(
            map(len, first.batches + second.batches)
        ) == [3, 3]
        first.gate.set(), second.gate.set()
        assert len(await asyncio.gather(*tasks)) == 6

    run(case, blocked, blocked, limits=replace(LIMITS, queue=10))


def test_a_full_queue_is_busy():
    async def case(batcher, runner):
        running = asyncio.create_task(batcher.answer(Job(b"running"), 5))
        await runner.begun.wait()
        waiting = [asyncio.create_task(batcher.answer(Job(b"w"), 5)) for _ in range(3)]
        await asyncio.sleep(0)
        assert batcher.num_waiting == 3
        with pytest.raises(Busy) as busy:
            await batcher.answer(Job(b"too many"), 5)
        assert busy.value.retry_s >= 1
        runner.gate.set()
        await asyncio.gather(running, *waiting)
        assert (await batcher.answer(Job(b"later"), 5)).content == b"later"

    run(case, blocked)


def test_who_would_wait_too_long_need_not_wait():
    async def case(batcher, runner):
        running = asyncio.create_task(batcher.answer(Job(b"a"), 1000))
        await runner.begun.wait()
        waiting = asyncio.create_task(batcher.answer(Job(b"b"), 1000))
        await asyncio.sleep(0)
        with pytest.raises(Busy) as busy:  # two before it, 100 s each
            await batcher.answer(Job(b"c"), 300)
        assert busy.value.retry_s == 60
        runner.gate.set()
        await asyncio.gather(running, waiting)

    run(case, blocked, seconds_per_job=100.0)


def test_too_late_and_gone_are_not_run():
    async def case(batcher, runner):
        running = asyncio.create_task(batcher.answer(Job(b"running"), 5))
        await runner.begun.wait()
        gone = asyncio.create_task(batcher.answer(Job(b"gone"), 5))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(TooLate):
            await batcher.answer(Job(b"late"), 0.01)
        assert batcher.num_waiting == 0
        runner.gate.set()
        await running
        await batcher.answer(Job(b"next"), 5)
        assert runner.batches == [[b"running"], [b"next"]]

    run(case, blocked)


def test_an_error_reaches_its_clients_and_the_runner_goes_on():
    class Failing(Runner):
        async def __call__(self, jobs):
            if jobs[0].content == b"bad":
                raise RuntimeError("a fault")
            return await super().__call__(jobs)

    async def case(batcher, runner):
        with pytest.raises(RuntimeError, match="a fault"):
            await batcher.answer(Job(b"bad"), 5)
        assert (await batcher.answer(Job(b"good"), 5)).content == b"good"

    run(case, Failing)


def test_the_observer_is_told_of_each_batch():
    class Observer:
        sizes = []

        def on_batch(self, size, seconds):
            assert seconds >= 0
            self.sizes.append(size)

    async def case(batcher, runner):
        await asyncio.gather(*(batcher.answer(Job(b"%d" % k), 5) for k in range(3)))
        await asyncio.sleep(0)
        assert Observer.sizes == [3]

    run(case, Runner, observer=Observer())
