"""Two processes do what one does with the whole batch, also where one of them has nobody to learn from; bfloat16; and
all outlive what only the first does."""

import os
import subprocess
import sys

import pytest
import torch
from tests.training.conftest import metrics_by_step, write_annotated
from tests.training.two_processes import CASES, LOW_CASES, run, steps

from opendensepose.training.processes import make_fabric
from opendensepose.training.train import seed_of_step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:tensorboard.*")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_annotated(tmp_path_factory.mktemp("data") / "annotated")


@pytest.fixture(scope="module")
def two(data, tmp_path_factory):
    """What each of two processes found, and the folder of their run."""
    out = tmp_path_factory.mktemp("two")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.training.two_processes", str(data), str(out)]
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(out / f"{rank}.pt", weights_only=False) for rank in range(2)], out / "run"


@pytest.fixture(scope="module")
def one(data):
    return steps(make_fabric("cpu"), data)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_gradients_are_those_of_one_process_with_the_whole_batch(one, two, case):
    alone = one[case]
    assert any(gradient.any() for gradient in alone["gradients"].values())
    for found in two[0]:
        shared = found[case]
        assert shared["losses"] == pytest.approx(alone["losses"], rel=1e-4)
        for name, gradient in alone["gradients"].items():
            torch.testing.assert_close(
                shared["gradients"][name], gradient, rtol=1e-3, atol=1e-4 * gradient.abs().max().item() + 1e-7, msg=name
            )


def test_a_run_has_the_loss_curve_of_one_process(two, data, tmp_path):
    run(make_fabric("cpu"), data, tmp_path)
    alone, shared = metrics_by_step(tmp_path), metrics_by_step(two[1])
    assert sorted(alone) == sorted(shared) == [1, 2, 3]
    for step in alone:
        assert shared[step] == pytest.approx(alone[step], rel=2e-3, abs=1e-4), step
    assert alone[3]["total"] != pytest.approx(alone[1]["total"], rel=1e-2)  # it did learn in between


@pytest.mark.parametrize("case", LOW_CASES, ids=str)
def test_bfloat16_computes_in_bfloat16_and_learns_in_float32(one, two, case):
    """In one process and in two, also where the second has nobody to learn from; without crops a teacher's stays in
    float32, as `FCN.losses` says."""
    for found in (one, *two[0]):
        low, full = found["bfloat16", *case], found[case]
        without_crops = case == ("teacher", True) and found is two[0][1]
        assert (torch.bfloat16 in low["dtypes"]) != without_crops and full["dtypes"] == {torch.float32}
        gradients = [gradient for gradient in low["gradients"].values() if gradient is not None]
        assert {gradient.dtype for gradient in gradients} == {torch.float32}
        assert all(gradient.isfinite().all() for gradient in gradients)
        assert low["losses"] == pytest.approx(full["losses"], rel=0.03, abs=0.01)
        assert low["losses"] != full["losses"]


def test_what_only_the_first_process_does_may_last_and_fail(two):
    """two_processes.waits: the second would have died of the timeout, had it waited where gradients are averaged."""
    for found in two[0]:
        assert found["said"] == {
            "of the first": "the disk is full",
            "of the folder": "runs must be the same folder for all processes, got states of steps [0, 1].",
        }


def test_steps_and_processes_have_seeds_of_their_own():
    seeds = [seed_of_step(7, step, rank) for step in (0, 1, 130_000) for rank in (0, 1, 1023)]
    assert len(set(seeds)) == len(seeds)
    assert seed_of_step(7, 5, 1) == seed_of_step(7, 5, 1)
    for seed in seeds:
        torch.manual_seed(seed)


def test_devices_that_are_not_there_and_foreign_precisions_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="the device must be cpu, cuda"):
        make_fabric("abacus")
    monkeypatch.setenv("LT_CLI_USED", "1")
    monkeypatch.setenv("LT_PRECISION", "bf16-mixed")
    with pytest.raises(ValueError, match="precision must be given with opendensepose train --precision"):
        make_fabric(None)
