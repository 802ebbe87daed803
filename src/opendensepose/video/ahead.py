"""Work in a thread of its own: items are made before they are asked for."""

import queue
import threading
from collections.abc import Generator
from typing import TypeVar

__all__ = ["made_ahead"]

Item = TypeVar("Item")


def made_ahead(items: Generator[Item, None, None], most: int) -> Generator[Item, None, None]:
    """Yield the items of a generator that runs in a thread, at most so many ahead of who asks.

    What it raises is raised here. Closing this generator closes the other one, after the item that it is making.
    """
    ready: queue.Queue[Item | _End] = queue.Queue(most)
    stop = threading.Event()

    def put(one: Item | _End) -> None:
        while not stop.is_set():
            try:
                return ready.put(one, timeout=0.1)
            except queue.Full:
                pass

    def work() -> None:
        end = _End(None)
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    break
            items.close()
        except BaseException as error:  # noqa: BLE001 - raised again where the items are asked for
            end = _End(error)
        put(end)

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        thread.join()


class _End:
    """No more items, or an error instead of the next."""

    def __init__(self, error: BaseException | None):
        self.error = error
