"""Tasks are done once each, here or in processes, and one that fails does not end the others."""

import pytest
from tests.scale.counting import CountingJob

from opendensepose.scale import tasks as module
from opendensepose.scale.run import run_tasks
from opendensepose.scale.tasks import Done, Reports, Task, TaskFailed

TASKS = [Task(k, range(10 * k, 10 * k + 4)) for k in range(3)]


@pytest.mark.parametrize("workers", [None, 2])
def test_every_task_is_done_once_and_one_fails_alone(tmp_path, workers):
    ends = dict(
        (task.number, end) for task, end in run_tasks(CountingJob(tmp_path, away=(12,)), TASKS, workers=workers)
    )
    assert ends[0] == Done(4, 0, 6) and ends[2] == Done(4, 0, 86)
    assert ends[1] == TaskFailed(TASKS[1], "the server of 12 is away")
    assert sorted(path.name for path in tmp_path.glob("*.txt")) == ["0.txt", "2.txt"]


def test_a_job_that_cannot_start_says_so(tmp_path):
    with pytest.raises(ValueError, match="there is no model"):
        list(run_tasks(CountingJob(tmp_path, error="there is no model"), TASKS))
    assert list(run_tasks(CountingJob(tmp_path, error="there is no model"), [])) == []


def test_reports_are_seldom_but_at_careful_tasks(monkeypatch, tmp_path):
    assert [Reports(TASKS[0]).is_due() for _ in range(3)] == [False] * 3
    careful = Reports(Task(0, range(3), is_careful=True))
    assert [careful.is_due() for _ in range(3)] == [True] * 3
    monkeypatch.setattr(module, "SECONDS_BETWEEN_REPORTS", -1)
    said = []
    list(run_tasks(CountingJob(tmp_path), TASKS[:1], on_item=lambda task, place: said.append((task.number, place))))
    assert said == [(0, 0), (0, 1), (0, 2), (0, 3)]
