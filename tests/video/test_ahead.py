"""Items made in a thread come in order, as do their errors; who stops early stops the thread."""

import threading
import time

import pytest

from opendensepose.video.ahead import made_ahead


def test_items_come_in_order_from_another_thread():
    def items():
        for k in range(20):
            yield k, threading.current_thread()

    numbers, threads = zip(*made_ahead(items(), 2), strict=True)
    assert numbers == tuple(range(20)) and set(threads) != {threading.current_thread()}


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise ValueError("no second item")

    ahead = made_ahead(items(), 3)
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="no second item"):
        next(ahead)


def test_no_more_is_made_than_may_wait_and_an_early_stop_closes_the_source():
    made, closed = [], threading.Event()

    def items():
        try:
            for k in range(1000):
                made.append(k)
                yield k
        finally:
            closed.set()

    ahead = made_ahead(items(), 2)
    assert next(ahead) == 0
    time.sleep(0.3)
    assert len(made) <= 4  # one taken, two that wait, one in hand
    ahead.close()
    assert closed.is_set()
