"""What the fuzz tests share: damaged copies of a sound file, and the promise that each is refused in one sentence."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXTREME_BYTES = (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x80")


@contextmanager
def memory_limit(num_bytes: int) -> Iterator[None]:
    """Inside, the process may map so many bytes more than it has: whoever asks for more gets a MemoryError. On Linux
    only, elsewhere nothing is limited."""
    if sys.platform != "linux":
        yield
        return
    import resource

    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The content with flipped bits, cut off, or with extreme or foreign bytes in it."""
    result = bytearray(content)
    place = rng.randrange(len(result))
    kind = rng.randrange(5)
    if kind == 0:
        for _ in range(rng.choice([1, 4, 32])):
            result[rng.randrange(len(result))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del result[place:]
    elif kind == 2:
        extreme = rng.choice(EXTREME_BYTES)
        result[place : place + len(extreme)] = extreme
    elif kind == 3:  # in the head, where sizes stand
        for _ in range(rng.choice([1, 2, 6])):
            result[rng.randrange(min(len(result), 200))] = rng.randrange(256)
    else:
        start = rng.randrange(len(result))
        result[place:place] = result[start : start + rng.randrange(100)]
    return bytes(result)


def is_read_or_refused(read: Callable[[], object]) -> bool:
    """Whether `read` returns. Fails if it raises anything but a ValueError or OSError of one sentence, or if that was
    for want of memory."""
    try:
        read()
    except (ValueError, OSError) as error:
        sentence = str(error)
        assert sentence and "\n" not in sentence and len(sentence) < 1000, sentence
        cause: BaseException | None = error
        while cause is not None:
            assert not isinstance(cause, MemoryError) and "allocate" not in str(cause), repr(cause)
            cause = cause.__cause__ or cause.__context__
        return False
    return True
