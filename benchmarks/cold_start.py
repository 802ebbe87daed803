#!/usr/bin/env python3
"""How long `opendensepose predict` of one photo takes from a cold start, beside `python -c "import torch"`.

    python benchmarks/cold_start.py [--runs 5] [--model NAME_OR_FILE] [--photo FILE] [--drop-caches]

Prints what each import costs, then the starts. Cold: before each run the files of this Python and of its packages are
evicted from the file cache (Linux), which leaves those that other processes hold open in memory: look at the column of
what was read. --drop-caches drops the cache of the whole machine as well (root only; slows everything else for
seconds). Warm: the same command again. The two commands take turns, so a busy machine burdens both. Without --photo the
photo is the astronaut, 512 x 512.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib.util import cache_from_source, find_spec
from pathlib import Path
from typing import NamedTuple

TARGET_S = 1.5
IMPORTS = ("typer", "rich.progress", "numpy", "PIL.Image", "cv2", "onnxruntime", "torch", "opendensepose.predict")


class Run(NamedTuple):
    """What one process took."""

    wall_s: float
    cpu_s: float  # user and system
    read_mb: float  # from the disk, not from the cache


def run(command: list[str]) -> Run:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Run(wall_s, cpu_s, (after.ru_inblock - before.ru_inblock) * 512 / 1e6)


def evict(drop_caches: bool) -> None:
    """Takes the files of this Python, its packages and opendensepose out of the file cache."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.add(Path(find_spec("opendensepose").origin).parent)
    os.sync()  # what is not written yet stays
    for folder in folders:
        for path in Path(folder).rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if drop_caches:
        Path("/proc/sys/vm/drop_caches").write_text("3")


def print_imports(runs: int) -> None:
    """Median CPU time of each import in a process of its own, and how many modules it brings."""
    print(f"{'import, warm':28s}{'CPU s':>8s}{'modules':>9s}")
    program = "import sys; n = len(sys.modules); import {}; print(len(sys.modules) - n)"
    nothing = statistics.median(run([sys.executable, "-c", "pass"]).cpu_s for _ in range(runs))
    for name in IMPORTS:
        command = [sys.executable, "-c", program.format(name)]
        modules = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        cpu_s = statistics.median(run(command).cpu_s for _ in range(runs)) - nothing
        print(f"{name:28s}{cpu_s:8.2f}{modules:9d}")


def print_row(name: str, runs: list[Run], baseline: list[Run]) -> None:
    wall_s, cpu_s, read_mb = (statistics.median(column) for column in zip(*runs, strict=True))
    ratio = wall_s / statistics.median(run.wall_s for run in baseline)
    worst_s, each = max(run.wall_s for run in runs), " ".join(f"{run.wall_s:.1f}" for run in runs)
    print(f"{name:28s}{wall_s:8.2f}{worst_s:8.2f}{ratio:8.2f}{cpu_s:8.2f}{read_mb:9.0f}  {each}")


def print_starts(torch: list[str], predict: list[str], runs: int, drop_caches: bool) -> None:
    print(f"\n{'start':28s}{'median s':>8s}{'worst':>8s}{'ratio':>8s}{'CPU s':>8s}{'read MB':>9s}  wall s of each run")
    states = ("warm", "cold") if hasattr(os, "posix_fadvise") else ("warm",)
    for state in states:
        took: dict[str, list[Run]] = {"import torch": [], "predict": []}
        for _ in range(runs):
            for name, command in (("import torch", torch), ("predict", predict)):
                if state == "cold":
                    evict(drop_caches)
                took[name].append(run(command))
        for name in took:
            print_row(f"{name}, {state}", took[name], took["import torch"])
    if "cold" in states:
        worst = max(run.wall_s for run in took["predict"])
        verdict = "met" if worst <= TARGET_S else "missed"
        print(f"target for predict, cold: {TARGET_S} s, {verdict}: worst {worst:.2f} s")
    else:
        print("cold: this system cannot evict files from its cache")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--model", default="default")
    parser.add_argument("--photo", default=None)
    parser.add_argument("--drop-caches", action="store_true")
    args = parser.parse_args()
    if args.drop_caches and not os.access("/proc/sys/vm/drop_caches", os.W_OK):
        parser.error("--drop-caches needs Linux and root: /proc/sys/vm/drop_caches cannot be written")

    compiled = all(Path(cache_from_source(find_spec(name).origin)).is_file() for name in ("torch", "numpy"))
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {load} before the runs")
    print(f"bytecode of the libraries: {'there' if compiled else 'MISSING, each start compiles them anew'}\n")
    print_imports(args.runs)
    with tempfile.TemporaryDirectory() as folder:
        photo = [args.photo] if args.photo else ["--example"]
        predict = ["-m", "opendensepose", "predict", *photo, "--out", folder, "--model", args.model]
        print_starts([sys.executable, "-c", "import torch"], [sys.executable, *predict], args.runs, args.drop_caches)


if __name__ == "__main__":
    main()
