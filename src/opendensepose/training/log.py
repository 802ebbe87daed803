"""The run's figures: one row per report in metrics.csv, the same to TensorBoard."""

import csv
import math
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["MetricsLog", "progress_bar"]

COLUMNS = ("step", "elapsed_s", "split", "name", "value")


class MetricsLog:
    """Appends to out_dir/metrics.csv (step, elapsed_s, split, name, value) and to out_dir/tensorboard."""

    def __init__(self, out_dir: Path):
        from torch.utils.tensorboard import SummaryWriter

        path = out_dir / "metrics.csv"
        new = not path.exists()
        self.file = path.open("a", newline="", encoding="utf-8")
        self.rows = csv.writer(self.file)
        if new:
            self.rows.writerow(COLUMNS)
        self.board = SummaryWriter(out_dir / "tensorboard")

    def write(self, step: int, elapsed_s: float, split: str, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self.rows.writerow([step, round(elapsed_s, 1), split, name, f"{value:.6g}"])
            if math.isfinite(value):
                self.board.add_scalar(f"{split}/{name}", value, step)
        self.file.flush()

    def close(self) -> None:
        self.file.close()
        self.board.close()


def progress_bar(shown: bool = True) -> Progress:
    """A bar with the times passed and left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        disable=not shown,
    )
