"""Threads: short calls wait in a line, slow ones beside it."""

import threading
from functools import partial

import anyio
import pytest

from opendensepose.annotate.server.requests import Threads


def test_slow_calls_hold_up_no_short_ones_and_only_so_many_run_at_once():
    """Slow calls that end only when short ones have run."""
    done, most, running, lock = threading.Event(), 0, 0, threading.Lock()

    def slow():
        assert done.wait(20)

    def short():
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1

    async def all_of_them():
        threads = Threads(num_short=2)
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(partial(threads.run, slow, is_slow=True))
            async with anyio.create_task_group() as shorts:
                for _ in range(12):
                    shorts.start_soon(threads.run, short)
            done.set()

    anyio.run(all_of_them)
    assert most == 2


def test_what_a_call_raises_arrives():
    def refuse(text):
        raise ValueError(text)

    async def call():
        await Threads().run(refuse, "no")

    with pytest.raises(ValueError, match="no"):
        anyio.run(call)
