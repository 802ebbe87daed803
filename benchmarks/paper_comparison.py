"""The paper's comparison of networks, repeated on rendered people with a protocol that fits two cores.

python benchmarks/paper_comparison.py --out runs/paper [--stage table ...] [--steps 800] [--images 600] [--minutes M]

One backbone, the default model's encoder, is frozen and its features are computed once; each line is a head on them,
trained for as many steps of as many images with the best of the same learning rates, with several seeds. Stages: rates,
first (one run of what tells most), table, cause, data, teacher, seeds, longer; each is a list of runs, and one that has
a row in runs.csv of --rows is done. The sets, the features and a run depend on seeds alone: a fresh machine makes them
again and goes on where the last one ended. docs/paper.md tells what came of it; `paper_page.py` makes its tables and
curves.
"""

import argparse
import csv
import sys
import time
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path

import numpy as np
import torch

from opendensepose.atomic_write import atomic_write
from opendensepose.models.targets import Targets
from opendensepose.surface import CHARTS_EDITION
from paper.features import FrozenEncoder
from paper.judge import Judge
from paper.labels import TEACHERS, Maker, balanced, nearest_maker, read_labels, teacher_maker, write_labels
from paper.learn import NUM_IMAGES, learn, region_losses, window_losses
from paper.networks import SCALES, FrozenFCN, region_network
from paper.people import SIZE_HW, Annotators, RenderedSet

ROWS = Path(__file__).parents[1] / "docs" / "paper"
ROWS_EDITION = 1  # of the charts, when these were measured
RATES = (1e-3, 3e-3, 1e-2)
SEARCHED = ("rcnn", "fcn", "dense")  # one of each family
SEEDS = (1, 2, 3)
NUM_TEST, NUM_SELECT = 150, 60
FEW_STEPS = 0.3  # of a run's steps, in the search for a rate
SHOWN = ("boxes_auc10", "boxes_auc30", "found_auc30", "found_ap")
LABELLED = 40  # images on which dense labels are measured


@dataclass(frozen=True)
class Line:
    """A line of a table. family: fcn or rcnn; network: keyword arguments of its network; labels: dense ones, none,
    nearest, true, balanced (true ones, as many of each part), or a teacher's by name; scales: of an FCN's test."""

    family: str
    network: dict = field(default_factory=dict)
    labels: str = "none"
    scales: tuple[float, ...] = (1.0,)
    whole: bool = False  # the FCN learns from whole images instead of windows


CASCADE = {"cascade": True}
LINES = {
    "fcn": Line("fcn"),
    "fcn_multi_scale": Line("fcn", scales=SCALES),
    "rcnn": Line("rcnn"),
    "nearest": Line("rcnn", labels="nearest"),
    "distilled": Line("rcnn", labels="teacher"),
    "dense": Line("rcnn", labels="true"),
    "cascade": Line("rcnn", CASCADE),
    "cascade_masks": Line("rcnn", CASCADE | {"masks": True}),
    "cascade_keypoints": Line("rcnn", CASCADE | {"keypoints": True}),
    "cascade_both": Line("rcnn", CASCADE | {"keypoints": True, "masks": True}),
    "masks": Line("rcnn", {"masks": True}),
    "keypoints": Line("rcnn", {"keypoints": True}),
    "rcnn_no_norm": Line("rcnn", {"head_norm": False}),
    "rcnn_released_losses": Line("rcnn", {"losses": "released"}),
    "rcnn_as_before": Line("rcnn", {"head_norm": False, "losses": "released"}),
    "fcn_whole": Line("fcn", whole=True),
    "dense_jittered": Line("rcnn", {"jitter": True}, labels="true"),
    "dense_balanced": Line("rcnn", labels="balanced"),
    "distilled_anchored": Line("rcnn", labels="teacher_anchored"),
    "distilled_one_scale": Line("rcnn", labels="teacher_one_scale"),
    "distilled_background": Line("rcnn", labels="teacher_background"),
    "cascade_keypoints_distilled": Line("rcnn", CASCADE | {"keypoints": True}, labels="teacher"),
    "cascade_keypoints_dense": Line("rcnn", CASCADE | {"keypoints": True}, labels="true"),
}
TABLE = list(LINES)[:10]
WHY = (
    "rcnn_as_before",
    "dense_jittered",
    "dense_balanced",
    "rcnn_no_norm",
    "rcnn_released_losses",
    "keypoints",
    "masks",
    "fcn_whole",
)
AT_PIXELS = [(line, "test") for line in ("rcnn", "dense", "dense_jittered", "dense_balanced", "nearest", "distilled")]
FIRST = ("rcnn", "fcn", "cascade_keypoints", "dense", "distilled", "cascade", "nearest", "fcn_multi_scale")


@dataclass(frozen=True)
class Run:
    """A line trained once."""

    line: str
    seed: int
    steps: int
    images: int
    rate: float | None = None  # None: the best of the search for its line
    annotators: Annotators = Annotators()
    split: str = "test"
    searched: int | None = None  # steps of the runs for which the search for the rate was; None: its own

    @property
    def key(self) -> dict[str, str]:
        """What names the run in the table of runs."""
        values = {"line": self.line, "split": self.split, "images": self.images, "share": self.annotators.share}
        values |= {"noise": self.annotators.noise, "steps": self.steps, "rate": f"{self.rate:g}", "seed": self.seed}
        return {name: f"{value}" for name, value in values.items()}

    @property
    def name(self) -> str:
        return "-".join(self.key.values())


class Comparison:
    """Runs on the sets of a folder; rows of finished ones in another."""

    def __init__(self, out: Path, rows: Path, images: int):
        self.out, self.rows_folder, self.images = out, rows, images
        self.encoder = FrozenEncoder()
        self.table = rows / "runs.csv"

    def rendered(self, name: str, count: int) -> RenderedSet:
        return RenderedSet(name, self.out, count, self.encoder)

    @cached_property
    def train_set(self) -> RenderedSet:
        return self.rendered("train", self.images)

    @cached_property
    def judges(self) -> dict[str, Judge]:
        counts = {"test": NUM_TEST, "select": NUM_SELECT}
        return {name: Judge(self.rendered(name, count)) for name, count in counts.items()}

    def rows(self) -> list[dict[str, str]]:
        """The finished runs."""
        return rows_of(self.table)

    def best_rate(self, line: str, steps: int) -> float:
        """See `best_rate`. Ends the program if the stage rates has not come so far."""
        rate = best_rate(self.rows(), line, steps)
        if rate is None:
            raise SystemExit(f"{line} has no rate yet: run the stage rates first.")
        return rate

    def do(self, run: Run) -> None:
        """Train, measure and keep a run unless it is done."""
        if run.rate is None:
            run = replace(run, rate=self.best_rate(run.line, run.searched or run.steps))
        if done(self.rows(), run):
            return
        start = time.time()
        network, seconds = self.trained(run)
        numbers, sums = self.judges[run.split].figures(network)
        if run.split == "test":
            self.keep_sums(run, sums)
        row = run.key | {"train_s": f"{seconds:.0f}"} | {name: f"{value:.4f}" for name, value in numbers.items()}
        append(self.table, row)
        shown = ", ".join(f"{name} {numbers[name]:.3f}" for name in SHOWN)
        took = f"{seconds:.0f} s of training, {time.time() - start:.0f} s in all"
        print(f"{time.strftime('%H:%M')} {run.name}: {shown}; {took}", flush=True)

    def do_pixels(self, run: Run) -> None:
        """Measure a run's network at random pixels instead of points, unless it was."""
        run, table = replace(run, rate=self.best_rate(run.line, run.steps)), self.rows_folder / "pixels.csv"
        if not done(rows_of(table), run):
            numbers = self.judges[run.split].at_random_pixels(self.trained(run)[0])
            append(table, run.key | {name: f"{value:.4f}" for name, value in numbers.items()})

    def keep_sums(self, run: Run, sums: np.ndarray) -> None:
        """Of each person, for the bootstrap: as hundredths, in a file of their own."""
        file = BytesIO()
        np.savez_compressed(file, sums=np.round(100 * sums).astype(np.uint16))
        folder = self.rows_folder / "people"
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(folder / f"{run.name}.npz", file.getvalue())
        people = folder / "people.npy"
        if not people.exists():
            np.save(people, np.round(self.judges["test"].people).astype(np.uint16))

    def trained(self, run: Run):
        """The network of a run, and the processor time of its training."""
        line, data = LINES[run.line], self.train_set
        torch.manual_seed(run.seed)
        rng = np.random.default_rng(run.seed)
        targets = self.targets(run, line.labels)
        if line.family == "fcn":
            network = FrozenFCN(self.encoder, SIZE_HW, line.scales)
            losses = window_losses(network, data, targets, rng, line.whole)
        else:
            network = region_network(**line.network)
            losses = region_losses(network, data, targets, rng)
        path = self.out / "weights" / f"{run.name.replace(run.line, trained_as(run.line), 1)}.pt"
        if path.exists():
            kept = torch.load(path, weights_only=True)
            network.load_state_dict(kept["weights"])
            return network.eval(), kept["train_s"]
        with_people = np.unique(data.boxes[1][data.boxes[1] < run.images])
        seconds = learn(
            network, lambda rows: losses(with_people[rows].tolist()), len(with_people), NUM_IMAGES, run.steps, run.rate,
            run.seed,
        )  # fmt: skip
        path.parent.mkdir(exist_ok=True)
        torch.save({"weights": network.state_dict(), "train_s": seconds}, path)
        return network, seconds

    def targets(self, run: Run, labels: str) -> list[Targets]:
        """What a run learns from."""
        data, annotators = self.train_set, run.annotators
        if labels == "none":
            return data.targets(annotators)
        if labels == "true":
            return data.targets(annotators, data.truth)
        if labels == "balanced":
            return data.targets(annotators, lambda image_id: balanced(data.truth(image_id)))
        return data.targets(annotators, partial(read_labels, self.dense_labels(run, labels), run.images))

    def dense_labels(self, run: Run, name: str) -> Path:
        """The folder of the dense labels of a run's images, made now as far as they are not yet, and measured.

        A teacher learns as long as its student, from the same annotations, with the rate of the FCN.
        """
        rate = self.best_rate("fcn", run.steps)
        own, data = replace(run, line=name, rate=rate, split="train"), self.train_set
        folder = self.out / "labels" / own.name

        def maker() -> Maker:
            if name == "nearest":
                return nearest_maker(data, run.annotators)
            alike = next(one for one, how in TEACHERS.items() if how == TEACHERS[name].learned)
            weights = folder.with_name(f"{replace(own, line=alike).name}.pt")
            settings = (run.annotators, run.images, run.steps, rate, run.seed)
            return teacher_maker(name, self.encoder, data, *settings, weights)

        if write_labels(folder, data.ids[: run.images], maker):
            numbers = Judge(data).label_quality(partial(read_labels, folder, run.images), min(LABELLED, run.images))
            append(self.rows_folder / "labels.csv", own.key | {key: f"{value:.4f}" for key, value in numbers.items()})
        return folder


def family(line: str) -> str:
    """The line whose rate serves all of its kind: FCNs and teachers, dense labels, and other R-CNNs."""
    how = LINES.get(line, LINES["fcn"])
    if how.family == "fcn":
        return "fcn"
    return "rcnn" if how.labels == "none" else "dense"


def best_rate(rows: list[dict[str, str]], line: str, steps: int) -> float | None:
    """The rate with which the line's family did best (AUC30 at true boxes) in fewer steps on the set for that; None if
    not all have been tried."""
    wanted = family(line), "select", str(round(FEW_STEPS * steps))
    found = [row for row in rows if (row["line"], row["split"], row["steps"]) == wanted]
    if len(found) < len(RATES):
        return None
    return float(max(found, key=lambda row: float(row["boxes_auc30"]))["rate"])


def trained_as(line: str) -> str:
    """The line that is trained: a test at several scales is no training of its own."""
    return "fcn" if line == "fcn_multi_scale" else line


def rows_of(table: Path) -> list[dict[str, str]]:
    """The rows of a table in a file; none without it."""
    if not table.exists():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def done(rows: list[dict[str, str]], run: Run) -> bool:
    """Whether a run has a row."""
    return any(all(row[name] == value for name, value in run.key.items()) for row in rows)


def append(table: Path, row: dict[str, str]) -> None:
    """Add a row to a table in a file."""
    table.parent.mkdir(parents=True, exist_ok=True)
    is_new = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, row, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def runs_of(stage: str, steps: int, images: int) -> list[Run]:
    """The runs of a stage, those that matter most first."""
    few = round(FEW_STEPS * steps)
    if stage == "rates":
        return [Run(line, 1, few, images, rate, split="select") for line in SEARCHED for rate in RATES]
    if stage == "table":
        lines = dict.fromkeys((*FIRST, *TABLE))
        return [Run(line, seed, steps, images) for seed in SEEDS for line in lines]
    if stage == "first":
        sparse = [Run(line, 1, steps, images, annotators=Annotators(share=0.1)) for line in ("rcnn", "dense")]
        full = [Run(line, 1, steps, images) for line in FIRST]
        return full[:3] + sparse + [Run(line, 1, steps, images) for line in ("dense_balanced", WHY[0])] + full[3:]
    if stage == "cause":
        few_points = (Annotators(share=0.1), Annotators(noise=0.1), Annotators(share=0.1, noise=0.1))
        lines = ("rcnn", "distilled", "nearest", "dense")
        sparse = [Run(line, 1, steps, images, annotators=one) for one in few_points for line in lines]
        return sparse[:4] + [Run(line, 1, steps, images) for line in WHY] + sparse[4:]
    if stage == "data":
        return [
            Run(line, 1, steps, images // part) for part in (10, 4, 2) for line in ("fcn", "rcnn", "distilled", "dense")
        ]
    if stage == "teacher":
        return [Run(f"distilled_{how}", 1, steps, images) for how in ("one_scale", "background", "anchored")]
    if stage == "seeds":  # one more of the two lines that lie nearest to each other
        return [Run(line, len(SEEDS) + 1, steps, images) for line in ("rcnn", "cascade_keypoints")]
    if stage == "longer":
        return [Run(line, 1, 2 * steps, images, searched=steps) for line in ("rcnn", "dense")]
    raise ValueError(f"unknown stage {stage}")


STAGES = ("rates", "first", "table", "cause", "data", "teacher", "seeds", "longer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="sets, features and weights: about 10 GB")
    parser.add_argument("--rows", type=Path, default=ROWS, help="tables of finished runs (default: docs/paper)")
    parser.add_argument("--stage", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--lines", nargs="+", choices=LINES, default=list(LINES), help="only these")
    parser.add_argument("--steps", type=int, default=800, help="of every line, the teacher too")
    parser.add_argument("--images", type=int, default=600, help="to learn from")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no run after so many")
    parser.add_argument("--list", action="store_true", help="only show the runs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    runs = [run for stage in arguments.stage for run in runs_of(stage, arguments.steps, arguments.images)]
    runs = [run for run in runs if run.line in arguments.lines]
    if arguments.list:
        print(*runs, sep="\n")
        return
    if arguments.rows == ROWS and CHARTS_EDITION != ROWS_EDITION:
        sys.exit(
            f"the rows of docs/paper are of edition {ROWS_EDITION} of the charts, got edition {CHARTS_EDITION}: give "
            "another folder with --rows."
        )
    comparison = Comparison(arguments.out, arguments.rows, arguments.images)
    end = time.time() + 60 * arguments.minutes
    for run in runs:
        if time.time() > end:
            sys.exit(f"{arguments.minutes:g} minutes are over: the same command goes on.")
        comparison.do(run)
        if (run.line, run.split) in AT_PIXELS and run.annotators == Annotators() and run.images == arguments.images:
            comparison.do_pixels(run)


if __name__ == "__main__":
    main()
