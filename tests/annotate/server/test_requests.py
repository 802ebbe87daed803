"""How endpoints run: limits of bodies, decoding, threads."""

import asyncio
import threading
from functools import partial

import anyio
import pytest
from starlette.requests import Request

from opendensepose.annotate.server.requests import IMPORT_BYTES, JSON_BYTES, Threads, read_body
from opendensepose.annotate.work.errors import RequestError


def test_large_bodies_are_refused_unread(alone):
    said = alone.put("/api/tasks/1/parts", content=b"x" * (JSON_BYTES + 1))
    assert said.status_code == 413
    assert alone.post("/api/import", content=b"", headers={"Content-Length": str(IMPORT_BYTES + 1)}).status_code == 413
    assert alone.put("/api/tasks/1/parts", content=b"{}", headers={"Content-Length": "-5"}).status_code in (400, 413)


@pytest.mark.parametrize("said, most_read", [({"content-length": "1000000000"}, 0), ({}, 11)])
def test_a_gigabyte_is_not_waited_for(said, most_read):
    """RequestError at its head, or, where that does not say how long it is, when the limit is passed."""
    read = []

    async def receive():
        read.append(100_000)
        return {"type": "http.request", "body": b"x" * 100_000, "more_body": True}

    headers = [(name.encode(), value.encode()) for name, value in said.items()]
    request = Request({"type": "http", "method": "PUT", "headers": headers}, receive)
    with pytest.raises(RequestError) as refusal:
        asyncio.run(read_body(request, JSON_BYTES))
    assert refusal.value.status == 413 and len(read) <= most_read


def test_bodies_that_are_no_json_objects(alone):
    for body in (b"[1, 2]", b"\xff\xfe", b"{", b'"text"', b"[" * 100_000, b'{"version": 1e999}'):
        answer = alone.put("/api/tasks/1/parts", content=body)
        assert answer.status_code in (400, 404), body[:20]
        assert "error" in answer.json()
    for body in (b"[" * 100_000, b"{", b"\xff"):
        assert alone.post("/api/import", content=body).status_code == 422


@pytest.mark.parametrize("number", ["-1", "99999999999999999999", "1.5", "x", "%2e%2e", "1;DROP"])
def test_odd_numbers_in_paths(alone, number):
    assert alone.get(f"/api/tasks/{number}").status_code in (404, 405)
    assert alone.get(f"/api/photos/{number}/image").status_code in (404, 405)


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
