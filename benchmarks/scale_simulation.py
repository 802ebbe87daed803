#!/usr/bin/env python3
"""What labelling very many photos costs, and what bounds it at 1, 100 and 10,000 cores: measured rates, simulated.

    python benchmarks/scale_simulation.py [--measure] [--photos 10000000] [--photo-cpu-s 0.28] ...

--measure prints the processor time of reading, labelling and writing the example photo on one core of this machine, and
the bytes of its row; without it the figures below (ASSUMPTIONS) are used. The simulation is of events: a driver that is
one thread, workers that start, take shards, wait for the store for each photo, compute, and write; nodes that fail.
"""

import argparse
import heapq
import tempfile
import time
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Assumptions:
    """Times in seconds, sizes in bytes, money in dollars."""

    photos: int = 10_000_000
    photo_bytes: int = 150_000
    row_bytes: int = 66_000
    photo_cpu_s: float = 0.31  # measured: reading, labelling and writing a photo of 512 x 512 with one person
    photo_cpu_spread: float = 0.5  # standard deviation of its logarithm: photos differ in people and in size
    store_latency_s: float = 0.03  # until the first byte of a GET or the end of a PUT
    gets_per_s: float = 5_500.0  # per prefix of the store
    prefixes: int = 1
    worker_bytes_per_s: float = 30e6  # one core's share of its node's network
    list_s: float = 0.2  # per 1000 names
    worker_start_s: float = 15.0  # a process, its imports, the model: on a busy node
    starts_per_s: float = 50.0  # that the cluster makes
    driver_shard_s: float = 0.0015  # measured: the driver's own time per shard
    driver_report_s: float = 0.0004  # measured: ... per report of progress
    report_every_s: float = 20.0
    shard_size: int = 256
    cores_of_a_node: int = 16
    node_hours_between_failures: float = 200.0
    lost_node_s: float = 30.0  # until its work is given out again
    core_hour: float = 0.04
    spot_core_hour: float = 0.015
    gb_month: float = 0.023
    million_gets: float = 0.40
    million_puts: float = 5.00


def simulate(cores: int, given: Assumptions, seed: int = 0) -> dict[str, float]:
    """Run the job on so many cores. Returns hours, core hours that are paid, and the share of them by what they went
    into: labelling, the store's latency and limits, starting, lost work, waiting at the end."""
    rng = np.random.default_rng(seed)
    num_shards = -(-given.photos // given.shard_size)
    list_s = given.photos / 1000 * given.list_s + given.photos * 2e-6  # names, and the plan's file
    used = dict.fromkeys(("labelling", "store", "start", "driver", "lost"), 0.0)
    free = []  # (when a worker is free, its number)
    for worker in range(min(cores, num_shards)):
        begin = worker / given.starts_per_s
        free.append((begin + given.worker_start_s, worker))
        used["start"] += given.worker_start_s + begin
    heapq.heapify(free)
    # all workers at once ask for so many photos a second; the store serves at most its limit
    photo_s = given.photo_cpu_s + given.store_latency_s + given.photo_bytes / given.worker_bytes_per_s
    asked = len(free) / photo_s
    slow_down = max(1.0, asked / (given.gets_per_s * given.prefixes))
    driver_free, end, waiting = 0.0, 0.0, num_shards
    mean = np.exp(given.photo_cpu_spread**2 / 2)
    while waiting:
        ready, worker = heapq.heappop(free)
        begin = max(ready, driver_free)
        driver_free = begin + given.driver_shard_s
        used["driver"] += driver_free - ready
        size = min(given.shard_size, given.photos)
        cpu_s = given.photo_cpu_s * rng.lognormal(0, given.photo_cpu_spread, size).sum() / mean
        transfer_s = size * (given.photo_bytes + given.row_bytes) / given.worker_bytes_per_s
        plain_s = cpu_s + size * given.store_latency_s + 2 * given.store_latency_s + transfer_s
        total_s = max(plain_s, plain_s * slow_down)
        failed = rng.random() < total_s / 3600 / given.node_hours_between_failures
        if failed:
            lost = rng.random() * total_s + given.lost_node_s
            used["lost"] += lost
            heapq.heappush(free, (driver_free + lost + given.worker_start_s, worker))
            continue
        waiting -= 1
        used["labelling"] += cpu_s
        used["store"] += total_s - cpu_s
        reports_s = total_s / given.report_every_s * given.driver_report_s
        driver_free += reports_s
        end = max(end, driver_free + total_s)
        heapq.heappush(free, (driver_free + total_s, worker))
    paid = end * cores
    shares = {name: value / paid for name, value in used.items()}
    shares["idle at the end"] = max(0.0, 1 - sum(shares.values()))
    return {"hours": (end + list_s) / 3600, "core hours": paid / 3600, "listing hours": list_s / 3600} | shares


def money(core_hours: float, given: Assumptions) -> dict[str, float]:
    """Dollars: for cores, on demand and spot; for requests; for a month of the rows."""
    requests = given.photos / 1e6 * given.million_gets + given.photos / given.shard_size / 1e6 * given.million_puts
    rows = given.photos * given.row_bytes / 1e9 * given.gb_month
    return {
        "cores": core_hours * given.core_hour,
        "spot cores": core_hours * given.spot_core_hour,
        "requests": requests,
        "rows per month": rows,
    }


def measure() -> None:
    """Processor time of the parts of one photo, on one core."""
    import cv2

    cv2.setNumThreads(1)
    from opendensepose.data import example_photo, read_photo
    from opendensepose.predict import Predictor
    from opendensepose.scale.rows import Choice, photo_row
    from opendensepose.scale.shards import open_shard

    predictor, rounds = Predictor(device="cpu"), 12
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder, "photo.jpg")
        cv2.imwrite(str(photo), example_photo()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
        people = predictor(read_photo(photo))
        times: dict[str, list[float]] = {"read": [], "label": [], "write": []}
        shard_path = Path(folder, "shard.parquet")
        shard = open_shard("parquet", shard_path)
        for round_ in range(rounds):
            marks = [time.process_time()]
            image_rgb = np.roll(read_photo(photo), 7 * round_, axis=1)  # rows that differ
            marks.append(time.process_time())
            people = predictor(image_rgb)
            marks.append(time.process_time())
            shard.add("", photo_row(("photo", 1), image_rgb.shape[:2], people, Choice()))
            marks.append(time.process_time())
            for name, before, after in zip(times, marks, marks[1:], strict=False):
                times[name].append(after - before)
        begin = time.process_time()
        shard.close()
        times["compress"] = [(time.process_time() - begin) / rounds]
        for name, values in times.items():
            print(f"{name}: {1000 * float(np.median(values)):.1f} ms of processor time")
        print(f"photo: {photo.stat().st_size:,} bytes, row: {shard_path.stat().st_size / rounds:,.0f} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true")
    for one in fields(Assumptions):
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=type(one.default), default=one.default)
    given = vars(parser.parse_args())
    if given.pop("measure"):
        measure()
        return
    assumptions = Assumptions(**given)
    for one in fields(assumptions):
        print(f"  {one.name} = {getattr(assumptions, one.name):,}")
    cases = [(1, assumptions), (100, assumptions), (10_000, assumptions)]
    cases.append((10_000, replace(assumptions, shard_size=64)))
    cases.append((10_000, replace(assumptions, shard_size=64, prefixes=16)))
    print(
        "\n| cores | photos of a shard, prefixes | hours | core hours | "
        + " | ".join(("listing hours", "labelling", "store", "start", "driver", "lost", "idle at the end"))
        + " |"
    )
    for cores, case in cases:
        found = simulate(cores, case)
        shares = " | ".join(f"{found[name]:.1%}" for name in ("labelling", "store", "start", "driver", "lost"))
        print(
            f"| {cores:,} | {case.shard_size}, {case.prefixes} | {found['hours']:,.1f} | {found['core hours']:,.0f}"
            f" | {found['listing hours']:.1f} | {shares} | {found['idle at the end']:.1%} |"
        )
    found = simulate(100, assumptions)
    print("\n" + ", ".join(f"{name} ${value:,.0f}" for name, value in money(found["core hours"], assumptions).items()))


if __name__ == "__main__":
    main()
