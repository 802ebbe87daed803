"""Photos on a Ray cluster of two nodes on this machine: what kills lose, how two workers compare with one, memory.

    python benchmarks/scale_kills.py FOLDER [--photos 2000] [--photo-pixels 64] [--speed-photos 48] [--repeats 3]

Two raylets are started, each in a session of its own and bound to one core. (1) Speed: the same photos are labelled
with one worker and with two in turn, with the default model; ratio of photos per second, and seconds of processor time
per photo. (2) Kills: while the photos are labelled, a worker is killed (SIGKILL), then a node with all its processes,
which is started anew later, then the driver, which is run again. Every photo must be in one row of the shards or the
errors. (3) The workers' resident memory, sampled every 2 s, in the first and the second half of (2).

The machine may be shared with other work: the ratio of (1) is of runs in turn, and the processor time stands beside.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from opendensepose.data import example_photo
from opendensepose.scale import read_rows

PORT = 26379
ADDRESS = f"127.0.0.1:{PORT}"
SHARD_SIZE = 50
NUM_BAD = 7
TICKS = os.sysconf("SC_CLK_TCK")
SLOW_START = {  # a loaded machine starts slowly; workers are started when they are needed
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_memory_monitor_refresh_ms": "0",  # other work on the machine may fill its memory
}


def make_photos(folder: Path, count: int, side: int) -> None:
    """Photos of `side` pixels, all different, a person in every 8th; of them NUM_BAD are no photos."""
    folder.mkdir(parents=True, exist_ok=True)
    person = cv2.resize(example_photo(), (side, side), interpolation=cv2.INTER_AREA)[..., ::-1]
    for k in range(count):
        path = folder / f"{k:06d}.png"
        if k % (count // NUM_BAD) == 5:
            path.write_bytes(b"no photo")
            continue
        picture = person.copy() if k % 8 == 0 else np.full((side, side, 3), 90 + k % 100, np.uint8)
        picture[0, 0] = k % 256, k // 256, 0
        cv2.imwrite(str(path), picture)


class Node:
    """A raylet with its helpers and workers: a session of its own on one core."""

    def __init__(self, core: int, is_head: bool):
        where = ["--head", f"--port={PORT}", "--include-dashboard=false"] if is_head else [f"--address={ADDRESS}"]
        command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", *where]
        command += ["--num-cpus=1", f"--dashboard-agent-listen-port={52400 + core}", "--block", "--disable-usage-stats"]
        self.core = core

        def prepare() -> None:
            os.sched_setaffinity(0, {core})

        log = open(f"/tmp/scale_node_{core}.log", "w")  # noqa: SIM115 - open as long as the process
        self.process = subprocess.Popen(
            command, start_new_session=True, preexec_fn=prepare, env=os.environ | SLOW_START, stdout=log, stderr=log
        )

    def pids(self) -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid or int(fields[1]) in found:
                found.append(int(folder.name))
        return found

    def workers(self) -> list[int]:
        return [pid for pid in self.pids() if b"_Actor" in _command(pid)]

    def kill(self) -> None:
        for pid in self.pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.process.wait()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def cpu_s(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


def wait_for_nodes(count: int, limit_s: float = 300) -> None:
    script = f"import ray; ray.init('{ADDRESS}', logging_level='ERROR');"
    script += " print('nodes', sum(n['Alive'] for n in ray.nodes()))"
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ | SLOW_START
        )
        if f"nodes {count}" in done.stdout:
            return
        time.sleep(2)
    raise SystemExit(f"the cluster did not get {count} nodes in {limit_s:.0f} s: {done.stderr[-500:]}")


def start_driver(photos: Path, out: Path, workers: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "opendensepose", "predict", str(photos), "--out", str(out), "--ray", ADDRESS]
    command += ["--shard-size", str(SHARD_SIZE), "--workers", str(workers)]
    return subprocess.Popen(command, env=os.environ | SLOW_START, start_new_session=True)


def shards(out: Path) -> int:
    return len(list((out / "photos").glob("[0-9]*.parquet")))


def speed(folder: Path, nodes: list[Node], count: int, repeats: int) -> None:
    """Photos per second of the time between a run's first and last worker's processor time: without the start."""
    photos = folder / "speed_photos"
    make_photos(photos, count, 64)
    rates: dict[int, list[float]] = {1: [], 2: []}
    costs: dict[int, list[float]] = {1: [], 2: []}
    for repeat in range(repeats):
        for workers in (1, 2):
            out = folder / f"speed_{repeat}_{workers}"
            script = SPEED_SCRIPT.format(address=ADDRESS, photos=str(photos), out=str(out), workers=workers)
            done = subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ | SLOW_START
            )
            lines = [line.split() for line in done.stdout.splitlines() if line.startswith("RESULT")]
            if not lines:
                raise SystemExit(done.stderr[-2000:])
            rate, cost = (float(value) for value in lines[0][1:])
            rates[workers].append(rate)
            costs[workers].append(cost)
            print(
                f"repeat {repeat}, {workers} workers: {rate:.2f} photos/s, {cost:.3f} s of processor time per photo",
                flush=True,
            )
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    print(f"two workers against one: {statistics.median(ratios):.2f} (median of {[round(one, 2) for one in ratios]})")
    one, two = (statistics.median(costs[k]) for k in (1, 2))
    print(
        f"processor time per photo: {one:.3f} s with one, {two:.3f} s with two: {2 * one / two:.2f} on free cores",
        flush=True,
    )


SPEED_SCRIPT = """
import time
from functools import partial
from opendensepose.data.photos import PHOTO_SUFFIXES
from opendensepose.predict import Predictor
from opendensepose.scale import cluster
from opendensepose.scale.addresses import find_files
from opendensepose.scale.photos import PhotoJob
from opendensepose.scale.rows import Choice
from opendensepose.scale.tasks import Done, Task

class Timed(PhotoJob):
    def _work(self, predictor, task):
        begun, cpu = time.time(), time.process_time()
        for said in super()._work(predictor, task):
            if isinstance(said, Done):
                said = Done(said.num_items, said.num_errors, (begun, time.time(), time.process_time() - cpu))
            yield said

files = find_files(["{photos}"], PHOTO_SUFFIXES)
size = len(files) // 8
tasks = [Task(k, files[k * size : (k + 1) * size]) for k in range(8)]
job = Timed("{out}", "parquet", Predictor, Choice())
ends = [end for _, end in cluster.run_on_ray(job, tasks, {workers}, "{address}", None)]
times = [end.result for end in ends]
# from when all workers are at work to when the first of them has nothing more to do
begin = sorted(one[0] for one in times)[{workers} - 1]
end = sorted(one[1] for one in times)[-{workers}]
num = sum(size * max(0.0, min(one[1], end) - max(one[0], begin)) / (one[1] - one[0]) for one in times)
print("RESULT", num / (end - begin), sum(one[2] for one in times) / (8 * size))
"""


def kills(folder: Path, nodes: list[Node], count: int, side: int) -> None:
    photos, out = folder / "kill_photos", folder / "kill_out"
    make_photos(photos, count, side)
    all_shards = -(-count // SHARD_SIZE)
    driver = start_driver(photos, out, 2)
    killed, memory = [], []
    begun = time.monotonic()
    plan = {"worker": 0.15, "node": 0.35, "node again": 0.5, "driver": 0.65}
    while driver.poll() is None or "driver" not in killed:
        time.sleep(2)
        done = shards(out)
        memory += [(done / all_shards, rss_mb(pid)) for node in nodes for pid in node.workers()]
        due = [name for name, part in plan.items() if name not in killed and done >= part * all_shards]
        if driver.poll() is not None and "driver" not in killed:
            raise SystemExit(f"the driver ended by itself, exit code {driver.returncode}, {done} shards")
        if not due:
            continue
        what = due[0]
        victims = [pid for node in nodes for pid in node.workers()]
        if what == "worker" and victims:
            os.kill(victims[0], signal.SIGKILL)
        elif what == "node":
            nodes[1].kill()
        elif what == "node again":
            nodes[1] = Node(1, False)
        elif what == "driver":
            os.killpg(driver.pid, signal.SIGKILL)
            driver.wait()
            time.sleep(5)
            print(f"after the driver's death: {shards(out)} shards", flush=True)
            driver = start_driver(photos, out, 2)
        else:
            continue
        killed.append(what)
        print(f"{time.monotonic() - begun:.0f} s, {done} of {all_shards} shards: {what}", flush=True)
    print(f"{time.monotonic() - begun:.0f} s, {shards(out)} of {all_shards} shards, exit code {driver.returncode}")
    seen = Counter(Path(row["photo"]).name for row in read_rows(str(out)))
    for path in (out / "errors").glob("*.parquet"):
        seen.update(Path(photo).name for photo in pq.read_table(path)["photo"].to_pylist())
    wanted = {path.name for path in photos.iterdir()}
    num_errors = sum(pq.read_metadata(path).num_rows for path in (out / "errors").glob("*.parquet"))
    print(
        f"{len(wanted)} photos: {len(wanted - seen.keys())} lost, {sum(n > 1 for n in seen.values())} doubled,"
        f" {len(seen.keys() - wanted)} unknown, {num_errors} rows of errors for"
        f" {NUM_BAD + (count % NUM_BAD > 5)} bad files"
    )
    halves = [[mb for part, mb in memory if (part >= 0.5) == late] for late in (False, True)]
    for name, values in zip(("first", "second"), halves, strict=True):
        if values:
            print(
                f"resident memory of a worker, {name} half: at most {max(values):.0f} MB,"
                f" median {statistics.median(values):.0f} MB"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--photo-pixels", type=int, default=64)
    parser.add_argument("--speed-photos", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=("speed", "kills"))
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    nodes = [Node(0, True)]
    try:
        wait_for_nodes(1)
        nodes.append(Node(1, False))
        wait_for_nodes(2)
        if given.only != "kills":
            speed(given.folder, nodes, given.speed_photos, given.repeats)
        if given.only != "speed":
            kills(given.folder, nodes, given.photos, given.photo_pixels)
    finally:
        for node in nodes:
            node.kill()


if __name__ == "__main__":
    main()
