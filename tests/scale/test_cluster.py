"""A cluster of two nodes on this machine: a worker, a node and a poisonous item are lost, and nothing else is.

One test, since a cluster takes seconds to start.
"""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.scale.counting import CountingJob

from opendensepose.scale.cluster import connect
from opendensepose.scale.run import run_tasks
from opendensepose.scale.tasks import Done, Task

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'opendensepose[scale]'")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cluster(monkeypatch):
    """A head without room for workers, and two nodes with room for one each."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    # the last: other work may fill the memory of the machine, and Ray would end workers then
    for name in ("RAY_enable_worker_prestart", "RAY_prestart_worker_first_driver", "RAY_memory_monitor_refresh_ms"):
        monkeypatch.setenv(name, "0")
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [made.add_node(num_cpus=1, include_dashboard=False) for _ in range(2)]
    try:
        yield made, nodes
    finally:
        ray.shutdown()
        made.shutdown()


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_nothing_is_lost_or_done_twice_when_workers_and_nodes_die(cluster, tmp_path):
    made, nodes = cluster
    tasks = [Task(k, range(100 * k, 100 * k + 5)) for k in range(8)]
    job = CountingJob(tmp_path, poison=(302,), pause_s=0.1)
    killed = []

    def kill():
        """A worker when it has begun something; a node when something is done."""
        while not list(tmp_path.glob("begun_*")):
            time.sleep(0.05)
        killed.append(int(next(tmp_path.glob("begun_*")).name.removeprefix("begun_")))
        os.kill(killed[0], signal.SIGKILL)
        while not list(tmp_path.glob("*.txt")):
            time.sleep(0.05)
        made.remove_node(nodes[1], allow_graceful=False)

    thread = threading.Thread(target=kill)
    thread.start()
    ends = {task.number: end for task, end in run_tasks(job, tasks, ray=made.address)}
    thread.join()
    assert len(killed) == 1
    assert ends.keys() == set(range(8)) and all(isinstance(end, Done) for end in ends.values())
    assert [end.num_errors for _, end in sorted(ends.items())] == [0, 0, 0, 1, 0, 0, 0, 0]  # it was found, and left out
    written = [int(word) for path in tmp_path.glob("*.txt") for word in path.read_text().split()]
    assert sorted(written) == [item for task in tasks for item in task.items if item != 302]

    with pytest.raises(ValueError, match="there is no model"):
        list(run_tasks(CountingJob(tmp_path, error="there is no model"), tasks, ray=made.address))


def test_a_cluster_that_is_not_there_is_one_sentence():
    with pytest.raises(ValueError, match="there is no Ray cluster at 127.0.0.1:1"):
        connect("127.0.0.1:1")


@pytest.mark.parametrize("address", ["auto", "local"])
def test_a_ray_that_does_not_start_is_one_sentence(monkeypatch, address):
    def init(*_, **__):
        raise Exception("The current node timed out during startup. This could happen because\nmany things.")

    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", init)
    with pytest.raises(ValueError, match="Ray could not start on this machine: The current node timed out during"):
        connect(address)
