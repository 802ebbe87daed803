"""The prediction service under load, beside `predict` on a folder, and against hostile files, each a process.

python benchmarks/serve_load.py load [--seconds 120] [--clients 32] [--workers 2] [--rounds 4]
python benchmarks/serve_load.py hostile [--files 600] [--workers 2] [--network default|nobody]
python benchmarks/serve_load.py memory [--requests 36000]     a network that finds nobody: only the service's own memory

`load`: clients ask for JSON as fast as they get answers, and after a 429 wait as Retry-After says. The rounds alternate
with `predict --no-overlay --format iuv-png` on the same photos in one process, which has both cores to itself then. On
a machine that others use too, compare photos per second of processor time: wall time is what the others leave.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import httpx2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the tests' hostile files
from tests.hostile import damaged

from opendensepose import example_photo

TICKS = os.sysconf("SC_CLK_TCK")
KINDS = {"JPEG": {"quality": 70}, "PNG": {}, "WEBP": {}, "GIF": {}, "TIFF": {"compression": "tiff_deflate"}, "BMP": {},
         "PPM": {}, "AVIF": {}, "JPEG2000": {}}  # fmt: skip


@dataclass
class Service:
    """`opendensepose serve` in processes, its own and its workers'."""

    url: str
    process: subprocess.Popen

    def pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [self.process.pid, *(int(pid) for file in children for pid in file.read_text().split())]

    def cpu_s(self) -> float:
        """Processor time of all its processes that live."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in self.pids()]
        return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS

    def memory_mb(self) -> float:
        """Resident memory of all its processes together; pages that they share count once each."""
        text = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids()]
        return sum(int(re.search(r"^Pss: +(\d+)", one, re.M).group(1)) for one in text) / 1024

    def metric(self, name: str) -> float:
        text = httpx2.get(f"{self.url}/metrics", timeout=300).text
        return sum(float(line.split()[-1]) for line in text.splitlines() if re.match(rf"{name}[ {{]", line))


@contextmanager
def running(command: list[str]):
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = re.search(r"http://\S+?(?=,|$)", process.stdout.readline()).group()
        try:
            yield Service(url, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def serve_command(workers: int, *options: str) -> list[str]:
    return [sys.executable, "-m", "opendensepose", "serve", "--port", "0", "--workers", str(workers), *options]


def nobody_command(workers: int) -> list[str]:
    return [sys.executable, __file__, "serve-nobody", "--workers", str(workers)]


def encoded(image_rgb: np.ndarray, kind: str = "JPEG", **options) -> bytes:
    file = BytesIO()
    Image.fromarray(image_rgb).save(file, kind, **options)
    return file.getvalue()


def make_photos(folder: Path, count: int) -> list[bytes]:
    """The example photo, mirrored, cut and scaled in other ways each time, as JPEG."""
    rng, photo, contents = np.random.default_rng(0), Image.fromarray(example_photo()), []
    for k in range(count):
        left, top = rng.integers(0, 60, 2)
        size = int(rng.integers(380, 450))
        cut = photo.crop((left, top, left + size, top + size)).resize([int(rng.integers(480, 720))] * 2)
        cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if k % 2 else cut
        contents.append(encoded(np.asarray(cut), quality=92))
        (folder / f"{k:04d}.jpg").write_bytes(contents[-1])
    return contents


# --- load ------------------------------------------------------------------------------------------------------------


@dataclass
class Load:
    """What clients saw."""

    statuses: Counter = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  # of each answer 200
    memory_mb: list[float] = field(default_factory=list)


async def ask_for(service: Service, photos: list[bytes], seconds: float, num_clients: int, load: Load) -> None:
    until = time.monotonic() + seconds

    async def client(number: int) -> None:
        async with httpx2.AsyncClient(base_url=service.url, timeout=600) as http:
            k = number
            while time.monotonic() < until:
                start = time.perf_counter()
                answer = await http.post("/v1/predict", content=photos[k % len(photos)])
                load.statuses[answer.status_code] += 1
                if answer.status_code == 429:
                    await asyncio.sleep(int(answer.headers["Retry-After"]))
                    continue
                load.seconds.append(time.perf_counter() - start)
                k += num_clients

    async def watch() -> None:
        while time.monotonic() < until:
            load.memory_mb.append(service.memory_mb())
            await asyncio.sleep(max(1.0, seconds / 20))

    await asyncio.gather(watch(), *(client(number) for number in range(num_clients)))


def predict_folder(folder: str, out: str, asked, answers) -> None:
    """In a process of its own: predict the folder each time it is asked to; photos, seconds and processor time after
    the first photo."""
    from opendensepose.predict import predict_files

    while asked.get():
        times: list[tuple[float, float]] = []
        predict_files(
            [folder], out, formats="iuv-png", overlay=False, again=True,
            on_photo=lambda *_, times=times: times.append((time.perf_counter(), time.process_time())),
        )  # fmt: skip
        answers.put((len(times) - 1, times[-1][0] - times[0][0], times[-1][1] - times[0][1]))


def measure_load(args: argparse.Namespace) -> None:
    load, served, predicted = Load(), np.zeros(3), np.zeros(3)
    context = multiprocessing.get_context("spawn")
    asked, answers = context.Queue(), context.Queue()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "photos")
        folder.mkdir()
        photos = make_photos(folder, args.photos)
        baseline = context.Process(target=predict_folder, args=(str(folder), str(Path(name, "out")), asked, answers))
        baseline.start()
        with running(serve_command(args.workers, "--deadline", str(args.deadline))) as service:
            for number in range(args.rounds):
                asked.put(True)
                predicted += answers.get()
                before, start, cpu_s = len(load.seconds), time.perf_counter(), service.cpu_s()
                asyncio.run(ask_for(service, photos, args.seconds / args.rounds, args.clients, load))
                served += (len(load.seconds) - before, time.perf_counter() - start, service.cpu_s() - cpu_s)
                print(f"round {number + 1}: predict {_rates(predicted)}; serve {_rates(served)}", flush=True)
            restarts = service.metric("opendensepose_worker_restarts_total")
            batch = service.metric("opendensepose_batch_size_sum") / service.metric("opendensepose_batch_size_count")
        asked.put(False)
        baseline.join()
    p50, p95 = np.percentile(load.seconds, [50, 95])
    wall = (served[0] / served[1]) / (predicted[0] / predicted[1])
    cpu = (served[0] / served[2]) / (predicted[0] / predicted[2])
    print(f"{args.clients} clients, {args.workers} workers: statuses {dict(load.statuses)}, restarts {restarts:g}")
    print(f"p50 {p50:.2f} s, p95 {p95:.2f} s; photos in a batch {batch:.1f}")
    print(f"throughput of predict's: {wall:.2f} by wall time, {cpu:.2f} by processor time (target .9)")
    quarter = max(1, len(load.memory_mb) // 4)
    first, last = np.median(load.memory_mb[:quarter]), np.median(load.memory_mb[-quarter:])
    print(f"memory of all processes: {first:.0f} MB in the first quarter, {last:.0f} MB in the last")


def _rates(total: np.ndarray) -> str:
    return (
        f"{total[0]:g} photos, {total[0] / total[1]:.2f}/s, {total[2] / max(total[0], 1):.3f} s of processor time each"
    )


# --- hostile files ---------------------------------------------------------------------------------------------------


def hostile_files(count: int) -> list[tuple[bytes, dict[str, str]]]:
    """Damaged copies of sound pictures of every kind, some in forms, which are damaged too."""
    rng, small = random.Random(0), np.asarray(Image.fromarray(example_photo()).resize((96, 96)))
    sound = [encoded(small, kind, **options) for kind, options in KINDS.items()]
    files = []
    for k in range(count):
        content, headers = damaged(sound[k % len(sound)], rng), {}
        if k % 5 == 4:
            head = b'--xyz\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
            content = damaged(head + content + b"\r\n--xyz--\r\n", rng)
            headers["Content-Type"] = "multipart/form-data; boundary=xyz"
        files.append((content, headers))
    return files


def measure_hostile(args: argparse.Namespace) -> None:
    files, command = hostile_files(args.files), serve_command(args.workers, "--deadline", str(args.deadline))
    with running(nobody_command(args.workers) if args.network == "nobody" else command) as service:

        async def send(part: list) -> Counter:
            statuses: Counter = Counter()
            async with httpx2.AsyncClient(base_url=service.url, timeout=600) as http:
                for content, headers in part:
                    answer = await http.post("/v1/predict", content=content, headers=headers)
                    statuses[answer.status_code] += 1
            return statuses

        async def all_at_once() -> Counter:
            parts = await asyncio.gather(*(send(files[k::4]) for k in range(4)))
            return sum(parts, Counter())

        warm = asyncio.run(send(files[: args.files // 10]))
        before = service.memory_mb()
        statuses = asyncio.run(all_at_once())
        after, restarts = service.memory_mb(), service.metric("opendensepose_worker_restarts_total")
        ready = httpx2.get(f"{service.url}/readyz", timeout=60).status_code
    print(f"{len(files)} hostile files: statuses {dict(statuses)} (before: {dict(warm)}), restarts {restarts:g}")
    print(f"/readyz {ready}; memory of all processes {before:.0f} MB before, {after:.0f} MB after")


# --- memory ----------------------------------------------------------------------------------------------------------


class Nobody:
    """A predictor that finds nobody, at once."""

    backend, device, min_score = "none", "cpu", 0.0

    def __call__(self, images_rgb):
        return [] if isinstance(images_rgb, np.ndarray) else [[] for _ in images_rgb]


def serve_nobody(workers: int) -> None:
    """In a process of its own: the service with that predictor."""
    from opendensepose.serve.limits import Limits
    from opendensepose.serve.run import run_server

    run_server("nobody", Nobody, host="127.0.0.1", port=0, workers=workers, limits=Limits(deadline_s=300))


def measure_memory(args: argparse.Namespace) -> None:
    photo = encoded(np.asarray(Image.fromarray(example_photo()).resize((128, 96))))
    with running(nobody_command(1)) as service:
        seen, statuses = [], Counter()

        async def send(count: int) -> None:
            async def client() -> None:
                async with httpx2.AsyncClient(base_url=service.url, timeout=600) as http:
                    for _ in range(count // 8):
                        statuses[(await http.post("/v1/predict", content=photo)).status_code] += 1

            await asyncio.gather(*(client() for _ in range(8)))

        for _ in range(10):
            asyncio.run(send(args.requests // 10))
            seen.append(service.memory_mb())
            print(f"{sum(statuses.values())} requests: {seen[-1]:.1f} MB", flush=True)
    print(f"statuses {dict(statuses)}; memory from a tenth to all of the requests: {seen[0]:.1f} to {seen[-1]:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["load", "hostile", "memory", "serve-nobody"])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--requests", type=int, default=36_000)
    parser.add_argument("--deadline", type=float, default=30)
    parser.add_argument("--network", choices=["default", "nobody"], default="default")
    args = parser.parse_args()
    run = {"load": measure_load, "hostile": measure_hostile, "memory": measure_memory}
    serve_nobody(args.workers) if args.what == "serve-nobody" else run[args.what](args)


if __name__ == "__main__":
    main()
