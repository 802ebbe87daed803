"""What all tests share: one thread per library, and a cache of their own."""

import os

# For the tests' small arrays, threads that wait for each other cost more than they save. Before numpy and torch are
# imported, and for the processes that tests start.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import cv2  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

cv2.setNumThreads(1)
torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """An empty cache, so that no test depends on what the user has fetched or made, or leaves something there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: a worker for each core, at most eight, as each takes up to 2 GB."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
