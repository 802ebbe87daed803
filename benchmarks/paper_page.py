"""The tables and curves of docs/paper.md, from the rows and sums of finished runs in docs/paper.

python benchmarks/paper_page.py [--steps 800] [--images 600]

Writes docs/images/paper/*.png and, between the marks of docs/paper.md, its tables.
"""

import argparse
import csv
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from paper.intervals import difference, figure, interval, stacked
from paper_comparison import best_rate

DOCS = Path(__file__).parents[1] / "docs"
TABLES = DOCS / "paper"
PICTURES = DOCS / "images" / "paper"
NAMES = {  # name, the paper's AUC10 and AUC30 on multi-person COCO, AP with ResNet-50
    "fcn": ("FCN", ".253", ".418", ""),
    "fcn_multi_scale": ("FCN, three scales", "", "", ""),
    "rcnn": ("R-CNN, points only", ".315", ".567", "51.0"),
    "nearest": ("+ nearest point's labels", "", "", ""),
    "distilled": ("+ teacher's labels (distillation)", ".381", ".645", ""),
    "dense": ("+ true dense labels", "", "", ""),
    "masks": ("R-CNN + masks, one stage", "", "", "51.9"),
    "keypoints": ("R-CNN + keypoints, one stage", "", "", "52.8"),
    "cascade": ("cascade", ".390", ".664", ""),
    "cascade_masks": ("cascade + masks", "", "", ""),
    "cascade_keypoints": ("cascade + keypoints", "", "", "55.8"),
    "cascade_both": ("cascade + masks + keypoints", "", "", ""),
    "cascade_keypoints_distilled": ("cascade + keypoints, teacher's labels", "", "", ""),
    "cascade_keypoints_dense": ("cascade + keypoints, true dense labels", "", "", ""),
    "dense_jittered": ("+ true dense labels, between the cells' centres", "", "", ""),
    "dense_balanced": ("+ true dense labels, as many of each part", "", "", ""),
    "rcnn_as_before": ("R-CNN, no norm, released losses", "", "", ""),
    "rcnn_no_norm": ("R-CNN, no norm", "", "", ""),
    "rcnn_released_losses": ("R-CNN, released losses", "", "", ""),
    "fcn_whole": ("FCN, learned on whole images", "", "", ""),
    "distilled_one_scale": ("teacher at one scale", "", "", ""),
    "distilled_background": ("teacher that sees the background", "", "", ""),
    "distilled_anchored": ("teacher corrected around annotated points", "", "", ""),
}
STEPS_OF_ORDER = (
    ("fcn", "rcnn"),
    ("fcn_multi_scale", "rcnn"),
    ("rcnn", "nearest"),
    ("rcnn", "distilled"),
    ("nearest", "distilled"),
    ("rcnn", "dense"),
    ("dense", "dense_balanced"),
    ("rcnn", "cascade"),
    ("rcnn", "cascade_keypoints"),
    ("distilled", "cascade_keypoints"),
    ("cascade", "cascade_masks"),
    ("cascade", "cascade_keypoints"),
    ("cascade_keypoints", "cascade_both"),
)
HEIGHTS = (100, 200, 320)  # pixels
IOUS = (50, 85)  # per cent
GROUPED = ["fcn", "fcn_multi_scale", "rcnn", "distilled", "cascade_keypoints"]
FIGURES = ("boxes_auc10", "boxes_auc30", "found_auc10", "found_auc30")


@dataclass(frozen=True)
class Setting:
    """What else than the line and the seed differs between runs."""

    images: int
    share: float = 1.0
    noise: float = 0.0


class Results:
    """Finished runs of so many steps."""

    def __init__(self, steps: int):
        with (TABLES / "runs.csv").open(newline="") as file:
            every = list(csv.DictReader(file))
        best = {line: best_rate(every, line, steps) for line in NAMES}
        rows = [row for row in every if (row["split"], row["steps"]) == ("test", str(steps))]
        rows = [row for row in rows if float(row["rate"]) == best[row["line"]]]
        self.rows = sorted(rows, key=lambda row: int(row["seed"]))

    @cached_property
    def people(self) -> np.ndarray:
        """Number of points, height in pixels, and IoU in per cent of the detector's best box (people, 3)."""
        return np.load(TABLES / "people" / "people.npy").astype(float)

    @property
    def num_points(self) -> np.ndarray:
        return self.people[:, 0]

    def of(self, line: str, setting: Setting) -> list[dict[str, str]]:
        """The rows of a line, one for each seed."""
        wanted = (line, setting.images, setting.share, setting.noise)
        return [
            row
            for row in self.rows
            if (row["line"], int(row["images"]), float(row["share"]), float(row["noise"])) == wanted
        ]

    def sums(self, line: str, setting: Setting, name: str) -> np.ndarray:
        """(seeds, people)."""
        keys = ("line", "split", "images", "share", "noise", "steps", "rate", "seed")
        files = ["-".join(row[key] for key in keys) for row in self.of(line, setting)]
        return stacked([np.load(TABLES / "people" / f"{one}.npz")["sums"] for one in files], name)

    def shown(self, line: str, setting: Setting, name: str) -> str:
        """A figure with its interval."""
        sums = self.sums(line, setting, name)
        low, high = interval(sums, self.num_points)
        return f"{_short(figure(sums, self.num_points))} ({_short(low)}-{_short(high)})"

    def mean(self, line: str, setting: Setting, name: str) -> float:
        return float(np.mean([float(row[name]) for row in self.of(line, setting)]))


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def lines_table(results: Results, setting: Setting, lines: list[str]) -> str:
    """Figures of each line beside the paper's."""
    head = ["network", "seeds", "true boxes: AUC10", "AUC30", "people found: AUC10", "AUC30", "AP", "AR", "no label"]
    head += ["paper: AUC10", "AUC30", "AP"]
    rows = []
    for line in lines:
        if own := results.of(line, setting):
            name, *published = NAMES[line]
            ours = [results.shown(line, setting, one) for one in FIGURES]
            ap, ar = (f"{100 * results.mean(line, setting, f'found_{one}'):.1f}" for one in ("ap", "ar"))
            missed = f"{100 * results.mean(line, setting, 'found_missed'):.0f} %"
            rows.append([name, str(len(own)), *ours, ap, ar, missed, *published])
    return table(head, rows)


def order_table(results: Results, setting: Setting) -> str:
    """Each step of the paper's order: the difference, paired over people and seeds."""
    rows = []
    for before, after in STEPS_OF_ORDER:
        if results.of(before, setting) and results.of(after, setting):
            cells = []
            for name in FIGURES:
                sums = (results.sums(line, setting, name) for line in (before, after))
                cells.append(_gain(*difference(*sums, results.num_points)))
            rows.append([f"{NAMES[before][0]} → {NAMES[after][0]}", *cells])
    return table(["step, thousandths", "true boxes: AUC10", "AUC30", "people found: AUC10", "AUC30"], rows)


def _gain(gain: float, low: float, high: float) -> str:
    """A difference in thousandths, bold where its interval is beyond zero."""
    mark = "**" if low > 0 or high < 0 else ""
    return f"{mark}{1000 * gain:+.0f}{mark} ({1000 * low:+.0f} to {1000 * high:+.0f})"


def groups_table(results: Results, setting: Setting, lines: list[str], column: int, ends: tuple[int, ...]) -> str:
    """AUC30 at true boxes and on people found by a column of `Results.people`, which is divided at `ends`."""
    value, rows = results.people[:, column], []
    groups = [(value >= low) & (value < high) for low, high in zip((0, *ends), (*ends, np.inf), strict=True)]
    for line in (line for line in lines if results.of(line, setting)):
        cells = []
        for name in ("boxes_auc30", "found_auc30"):
            sums = results.sums(line, setting, name)
            cells += [_short(figure(sums[:, own], results.num_points[own])) for own in groups]
        rows.append([NAMES[line][0], *cells])
    if results.of("fcn", setting) and results.of("rcnn", setting):
        cells = []
        for name in ("boxes_auc30", "found_auc30"):
            fcn, rcnn = (results.sums(line, setting, name) for line in ("fcn", "rcnn"))
            cells += [_gain(*difference(fcn[:, own], rcnn[:, own], results.num_points[own])) for own in groups]
        rows.append(["R-CNN, points only, less FCN, thousandths", *cells])
    said = [f"below {ends[0]}", *(f"{low} to {high}" for low, high in pairwise(ends)), f"from {ends[-1]}"]
    head = [f"{what} ({own.sum()})" for what, own in zip(said, groups, strict=True)]
    return table(["AUC30", *(f"boxes: {one}" for one in head), *(f"found: {one}" for one in head)], rows)


def cause_table(results: Results, images: int) -> str:
    """What dense labels give where annotations are sparser or noisy."""
    rows = []
    for share, noise in ((1.0, 0.0), (0.1, 0.0), (1.0, 0.1), (0.1, 0.1)):
        setting = Setting(images, share, noise)
        own = {line: results.of(line, setting) for line in ("rcnn", "nearest", "distilled", "dense")}
        if any(own.values()):
            cells = [
                " / ".join(_short(results.mean(line, setting, name)) for name in FIGURES[:2]) if found else "-"
                for line, found in own.items()
            ]
            gains = ["-", "-"]
            if own["rcnn"] and own["dense"]:
                pairs = ([results.sums(line, setting, name) for line in ("rcnn", "dense")] for name in FIGURES[:2])
                gains = [_gain(*difference(*pair, results.num_points)) for pair in pairs]
            rows.append([f"{100 * share:.0f} %", f"{noise:g}", *cells, *gains])
    head = ["points kept", "noise of U, V", "points only", "nearest", "teacher", "true"]
    return table([*head, "true less points only, thousandths: AUC10", "AUC30"], rows)


def labels_table() -> str:
    """How good dense labels are."""
    if not (TABLES / "labels.csv").exists():
        return ""
    with (TABLES / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = {"nearest": "nearest annotated point of the part", "teacher": "teacher: background removed, three scales"}
    names |= {"teacher_one_scale": "one scale", "teacher_background": "background left in"}
    names |= {"teacher_anchored": "corrected around annotated points (`--anchored`)"}
    cells = [
        [names[row["line"]], f"{100 * float(row['share']):.0f} %", row["noise"], row["images"], row["seed"],
         *(_short(float(row[name])) for name in ("chart_right", "auc10", "auc30")), f"{float(row['median_cm']):.1f} cm"]
        for row in rows
    ]  # fmt: skip
    return table(
        ["labels", "points kept", "noise", "images", "seed", "chart right", "AUC10", "AUC30", "median error"], cells
    )


def draw_data(results: Results, images: int) -> None:
    """Accuracy against the number of images learned from."""
    plot = Figure(figsize=(6, 3.2), layout="constrained")
    axes = plot.subplots(1, 2)
    for line in ("fcn", "rcnn", "distilled", "dense", "cascade_keypoints"):
        counts = sorted({int(row["images"]) for row in results.rows if row["line"] == line})
        counts = [count for count in counts if results.of(line, Setting(count))]
        for ax, name in zip(axes, ("boxes_auc10", "boxes_auc30"), strict=True):
            values = [results.mean(line, Setting(count), name) for count in counts]
            ax.plot(counts, values, "o-", label=NAMES[line][0], markersize=3, linewidth=1)
    for ax, name in zip(axes, ("AUC10", "AUC30"), strict=True):
        ax.set_xscale("log")
        ax.set_xticks([60, 150, 300, 600], ["60", "150", "300", "600"])
        ax.minorticks_off()
        ax.set_title(f"{name}, true boxes", fontsize=9)
        ax.set_xlabel("images to learn from", fontsize=8)
        ax.tick_params(labelsize=7)
        ax.grid(alpha=0.3)
    plot.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=6)
    _save(plot, "data")


def draw_lines(results: Results, setting: Setting, lines: list[str]) -> None:
    """All lines with intervals, at true boxes and on people found."""
    lines = [line for line in lines if results.of(line, setting)]
    plot = Figure(figsize=(6.5, 0.32 * len(lines) + 1), layout="constrained")
    for ax, name in zip(plot.subplots(1, 2, sharey=True), ("boxes_auc30", "found_auc30"), strict=True):
        for k, line in enumerate(lines):
            sums = results.sums(line, setting, name)
            low, high = interval(sums, results.num_points)
            ax.plot([low, high], [k, k], color="tab:blue", linewidth=1)
            ax.plot((sums.sum(1) / results.num_points.sum()), [k] * len(sums), "o", color="tab:orange", markersize=3)
        ax.set_yticks(range(len(lines)), [NAMES[line][0] for line in lines], fontsize=7)
        ax.set_title({"boxes_auc30": "AUC30, true boxes", "found_auc30": "AUC30, people found"}[name], fontsize=9)
        ax.tick_params(labelsize=7)
        ax.grid(alpha=0.3)
    ax.invert_yaxis()
    _save(plot, "lines")


def _save(plot: Figure, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    plot.savefig(PICTURES / f"{name}.png", dpi=110, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--images", type=int, default=600)
    arguments = parser.parse_args()
    results, setting = Results(arguments.steps), Setting(arguments.images)
    names = list(NAMES)
    why = ["fcn", "fcn_whole", "rcnn", *(line for line in names if line.startswith("rcnn_"))]
    teachers = ["distilled", *(line for line in names if line.startswith("distilled_"))]
    main_lines = [line for line in names if line in ("fcn", "rcnn", "distilled") or line not in (*why, *teachers)]
    parts = {
        "lines": lines_table(results, setting, main_lines),
        "sizes": groups_table(results, setting, GROUPED, 1, HEIGHTS),
        "detector": groups_table(results, setting, GROUPED, 2, IOUS),
        "order": order_table(results, setting),
        "why": lines_table(results, setting, why),
        "cause": cause_table(results, arguments.images),
        "teachers": lines_table(results, setting, teachers),
        "labels": labels_table(),
    }
    draw_lines(results, setting, names[:12])
    if len({row["images"] for row in results.rows}) > 1:
        draw_data(results, arguments.images)
    page = DOCS / "paper.md"
    text = page.read_text()
    for name, part in parts.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = marks.subn(lambda found, part=part: f"{found[1]}\n{part}\n\n{found[2]}", text)
        if not count:
            print(f"{page} has no marks of {name}: its table is left out.")
    page.write_text(text)


if __name__ == "__main__":
    main()
