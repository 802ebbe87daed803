"""Photos -> shards of rows: `predict` with `--shards` or `--ray`."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from opendensepose.data.photos import PHOTO_SUFFIXES
from opendensepose.models.checkpoints.model_files import weights_path
from opendensepose.models.prediction import Network
from opendensepose.predict import Predictor, model_identity
from opendensepose.scale.addresses import FoundFile, find_files, join, names_in, upload
from opendensepose.scale.plan import plan_shards
from opendensepose.scale.rows import Choice, label_photos
from opendensepose.scale.run import run_tasks
from opendensepose.scale.shards import ERRORS, KINDS, PHOTOS, open_shard, write_errors
from opendensepose.scale.tasks import Done, Reports, Task, TaskFailed, Worker

__all__ = ["PhotoJob", "ShardSummary", "predict_shards"]

SHARD_SIZE = 256  # photos: a minute of one core, so that a killed run loses little
PHOTOS_AT_ONCE = 16  # are read before they are labelled, those of one size together


@dataclass
class ShardSummary:
    """What became of the photos, counted; failures: sentences about shards that could not be done."""

    num_photos: int = 0  # done now, errors among them
    num_errors: int = 0
    num_people: int = 0
    num_skipped: int = 0  # done before
    changed: list[FoundFile] = field(default_factory=list)  # done before they changed
    failures: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Return 0 all done, 1 some photos or shards failed, 2 nothing was done."""
        good = self.num_photos + self.num_skipped > self.num_errors
        return 2 if not good else 1 if self.failures or self.num_errors or self.changed else 0


@dataclass(frozen=True)
class PhotoJob:
    """Labels the photos of a shard and writes their rows to `out`, and to errors/ those that have none."""

    out: str
    kind: str
    make_predictor: Callable[[], Predictor]
    choice: Choice
    num_gpus: float = 0

    def start(self) -> Worker:
        return partial(self._work, self.make_predictor())

    def _work(self, predictor: Predictor, task: Task) -> Iterator[int | Done]:
        num_people, errors = 0, {task.items[place][0]: "workers died of it." for place in task.skipped}
        reports = Reports(task)
        with tempfile.TemporaryDirectory() as folder:
            shard = Path(folder, shard_name(task.number, self.kind))
            writer = open_shard(self.kind, shard)
            for places in self._batches(task):
                if reports.is_due():
                    yield places[0]
                for k, row in label_photos([task.items[place] for place in places], predictor, self.choice):
                    if isinstance(row, str):
                        errors[task.items[places[k]][0]] = row
                    else:
                        writer.add(f"{task.number:05d}-{places[k]:05d}", row)
                        num_people += len(row["scores"])
            writer.close()
            if errors:  # before the shard, which says that the task is done
                path = Path(folder, "errors.parquet")
                write_errors(path, errors)
                upload(path, join(join(self.out, ERRORS), f"{task.number:05d}.parquet"))
            upload(shard, join(join(self.out, PHOTOS), shard.name))
        yield Done(len(task.items), len(errors), num_people)

    def _batches(self, task: Task) -> Iterator[list[int]]:
        """Places of photos that are read together: of a careful task one by one."""
        left = [place for place in range(len(task.items)) if place not in task.skipped]
        size = 1 if task.is_careful else PHOTOS_AT_ONCE
        return (left[k : k + size] for k in range(0, len(left), size))


def shard_name(number: int, kind: str) -> str:
    """The name of a shard's file."""
    return f"{number:05d}.{KINDS[kind]}"


def predict_shards(
    photos: Sequence[str] | Sequence[FoundFile],
    out: str,
    model: str | Path | Network = "default",
    device: str | None = None,
    min_score: float | None = None,
    *,
    backend: str | None = None,
    assets: str | None = None,
    kind: str = "parquet",
    person: str | None = None,
    min_confidence: float = 0.0,
    shard_size: int = SHARD_SIZE,
    workers: int | None = None,
    ray: str | None = None,
    on_photo: Callable[[int, int], None] | None = None,
) -> ShardSummary:
    """Label photos and write their rows, see `rows`, in shards of shard_size photos: out/photos/00000.parquet ...

    photos: files, folders or patterns, see `addresses`, or files that were found. out: a folder's address. kind: of
    `shards.KINDS`. A photo that cannot be read or labelled is a row of out/errors/. workers, ray: see `run_tasks`. A
    run that was interrupted goes on with the shards that are missing; each photo is in one row of all shards, or in one
    of the errors. on_photo(number done, number of all) is called when photos are done. Other options: see `Predictor`
    and `formats.OutputFolder`. ValueError, one sentence: no photos, an unknown model or kind, an `out` made with
    other settings or cannot be written, no cluster.
    """
    if kind not in KINDS:
        raise ValueError(f"shards must be {' or '.join(KINDS)}, got {kind!r}.")
    if shard_size < 1:
        raise ValueError(f"a shard must have at least 1 photo, got {shard_size}.")
    choice = Choice(person, min_confidence)
    if isinstance(model, str | Path) and Path(model).suffix not in (".onnx", ".xml"):
        weights_path(model)  # an unknown model is named before workers start
    settings = {"model": model_identity(model), "min_score": min_score, "assets": assets, "kind": kind}
    settings |= {"person": person, "min_confidence": min_confidence}
    files = [one for one in photos if not isinstance(one, str)]
    files = files or find_files([one for one in photos if isinstance(one, str)], PHOTO_SUFFIXES)
    tasks, changed = plan_shards(out, files, settings, shard_size)
    there = names_in(join(out, PHOTOS))
    waiting = [task for task in tasks if shard_name(task.number, kind) not in there]
    summary = ShardSummary(changed=[one for one in changed if one[0] not in _names(waiting)])
    num_all = sum(len(task.items) for task in tasks)
    summary.num_skipped = num_all - sum(len(task.items) for task in waiting)
    make_predictor = partial(Predictor, model, device, min_score, backend=backend, assets=assets)
    job = PhotoJob(out, kind, make_predictor, choice, num_gpus=float((device or "cpu").startswith("cuda")))
    begun: dict[int, int] = {}  # by task: photos done so far

    def show(task: Task, place: int) -> None:
        begun[task.number] = place
        if on_photo:
            on_photo(summary.num_skipped + summary.num_photos + sum(begun.values()), num_all)

    for task, end in run_tasks(job, waiting, workers=workers, ray=ray, on_item=show):
        begun.pop(task.number, None)
        if isinstance(end, TaskFailed):
            summary.failures.append(f"shard {task.number} of {len(task.items)} photos: {end.sentence}")
            continue
        summary.num_photos += end.num_items
        summary.num_errors += end.num_errors
        summary.num_people += end.result
        if on_photo:
            on_photo(summary.num_skipped + summary.num_photos + sum(begun.values()), num_all)
    return summary


def _names(tasks: Sequence[Task]) -> set[str]:
    return {photo for task in tasks for photo, _ in task.items}
