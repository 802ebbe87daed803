import operator
import os
from functools import partial

import pytest

from opendensepose.worker_processes import call_in_processes


def test_every_call_is_run_once_with_one_thread_after_the_start(tmp_path):
    calls = [partial(operator.add, k, 10) for k in range(5)] + [partial(os.getenv, "OMP_NUM_THREADS"), os.getcwd]
    results = list(call_in_processes(calls, 2, partial(os.chdir, tmp_path)))
    assert sorted(map(str, results)) == sorted(["10", "11", "12", "13", "14", "1", str(tmp_path)])


def test_an_error_in_a_call_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        list(call_in_processes([partial(operator.truediv, 1, 0)], 1))
