"""A worker process: it answers, dies and is started anew; the photo that was to blame spoils no other."""

import asyncio
import os

import numpy as np
import pytest
from tests.serve.fragile import DEADLY, SLOW, Fragile, refuse_to_load
from tests.serve.serving import encoded, red_photo

from opendensepose.serve import workers
from opendensepose.serve.answers import Answer, Job, Refusal
from opendensepose.serve.limits import Limits
from opendensepose.serve.workers import ModelInfo, Worker, num_cores


def grey(size_hw):
    return encoded(np.full((*size_hw, 3), 90, np.uint8))


@pytest.fixture
def restarts():
    return []


@pytest.fixture
def worker(restarts):
    worker = Worker(Fragile, Limits(deadline_s=60), on_restart=lambda: restarts.append(True))
    info = worker.start("default")
    assert isinstance(info, ModelInfo) and info.backend == "onnxruntime" and worker.is_ready
    yield worker
    worker.stop()
    assert not worker.is_ready


def test_it_answers_and_survives_what_ends_its_process(worker, restarts):
    async def main():
        before = worker._pid
        (one,) = await worker([Job(red_photo())])
        assert isinstance(one, Answer) and one.num_people == 0
        outcomes = await worker([Job(red_photo()), Job(grey(DEADLY)), Job(red_photo())])
        assert [type(one) for one in outcomes] == [Answer, Refusal, Answer]
        assert outcomes[1] == Refusal(422, workers.DEADLY)
        assert worker.is_ready and worker._pid != before and len(restarts) == 2  # the batch, then the photo

    asyncio.run(main())


def test_it_is_stopped_when_it_hangs(restarts):
    worker = Worker(Fragile, Limits(deadline_s=2), on_restart=lambda: restarts.append(True))
    worker.start("default")
    try:
        assert asyncio.run(worker([Job(grey(SLOW))])) == [Refusal(504, workers.HUNG)]
        assert restarts == [True]
    finally:
        worker.stop()


def test_a_model_that_cannot_be_loaded_is_one_sentence():
    with pytest.raises(ValueError, match="there is no such model"):
        Worker(refuse_to_load, Limits()).start("default")


def test_there_are_cores():
    assert 1 <= num_cores() <= (os.cpu_count() or 1)
