"""The verbs that measure: `evaluate`, `benchmark`, `annotators`."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opendensepose.cli.options import Backend, Device, Ray, TakesRay

if TYPE_CHECKING:
    from opendensepose.evaluate import Evaluation

__all__ = ["VERBS"]

app = typer.Typer()
VERBS = (app,)

Assets = Annotated[
    Path | None, typer.Option("--assets", help="Folder with the authors' files: use their surface instead of ours.")
]
Report = Annotated[Path | None, typer.Option("--report", help="Folder for a page with curves and pictures.")]
Json = Annotated[Path | None, typer.Option("--json", help="File for all numbers.")]


@app.command(cls=TakesRay)
def evaluate(
    predictions: Annotated[str, typer.Argument(help="Folder of predict's .npz or shards, or a COCO results file.")],
    annotations: Annotated[str, typer.Argument(help="COCO-DensePose annotation file.")],
    normaliser: Annotated[
        str | None, typer.Option("--normaliser", help="kappa (the paper's) or part (released evaluators'); else both.")
    ] = None,
    assets: Assets = None,
    report: Report = None,
    json: Json = None,
    ray: Ray = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes of one core each.")] = None,
) -> None:
    """Measure predictions against annotations: RCP, AUC, and AP and AR of GPS, GPSm, masks and boxes."""
    from opendensepose.evaluate import write_json

    _check_outputs(report, json)
    options = {"normaliser": normaliser, "assets": str(assets) if assets else None}
    with _progress("measuring") as show:
        evaluation = _evaluate(predictions, annotations, ray, workers, on_image=show, **options)
    _print_tables(evaluation)
    if json:
        write_json(evaluation, json)
    if report:
        _write_report(evaluation, report, f"{Path(predictions).name} against {Path(annotations).name}")


def _evaluate(predictions: str, annotations: str, ray: str | None, workers: int | None, **options: Any) -> "Evaluation":
    """In this process, or where there are several, shards or addresses, see `scale.evaluation`."""
    from opendensepose.evaluate import evaluate_files

    is_plain = not any("://" in one for one in (predictions, annotations)) and not Path(predictions, "photos").is_dir()
    if is_plain and ray is None and (workers or 1) == 1:
        return evaluate_files(predictions, annotations, **options)
    from opendensepose.scale.evaluation import evaluate_many

    return evaluate_many(predictions, annotations, ray=ray, workers=workers, **options)


@app.command()
def benchmark(
    out: Annotated[Path, typer.Option("--out", help="Folder for the set and the predictions; made if missing.")],
    model: Annotated[str, typer.Option("--model", help="Name of a model, or a checkpoint file.")] = "default",
    device: Device = None,
    backend: Backend = None,
    min_score: Annotated[float, typer.Option("--min-score", min=0, max=1, help="Drop people below this score.")] = 0.2,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes that render and label.")] = None,
    images: Annotated[int, typer.Option("--images", "--count", min=1, help="Only the first so many pictures.")] = 500,
    report: Report = None,
) -> None:
    """Measure a model on a fixed set of 500 rendered pictures; run again to resume after a stop."""
    from opendensepose.benchmark import COUNT, VERSION, run_benchmark

    _check_outputs(report, None)
    try:
        with _progress("predicting") as show_photo, _progress("measuring") as show_image:
            evaluation, results = run_benchmark(
                out,
                model=model,
                device=device,
                backend=backend,
                min_score=min_score,
                workers=workers or os.cpu_count() or 1,
                count=images,
                on_photo=show_photo,
                on_image=show_image,
            )
    except KeyboardInterrupt:
        print("opendensepose: stopped; run the same command to resume", file=sys.stderr)
        raise typer.Exit(130) from None
    part = "" if images == COUNT else f", the first {images} of {COUNT} pictures only"
    print(f"Synthetic benchmark, version {VERSION}{part}; model {model}, scores from {min_score:g}.\n")
    _print_tables(evaluation)
    print(f"\nnumbers in {results}")
    if report:
        _write_report(evaluation, report, f"Synthetic benchmark {VERSION}: {model}")


@app.command()
def annotators(
    annotations: Annotated[Path, typer.Argument(help="Annotations of rendered people, each with its `annotator`.")],
    truth: Annotated[Path, typer.Argument(help="Folder that render wrote: dense/<image_id>.npz.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for pictures of the body coloured by mean error.")
    ] = None,
    assets: Assets = None,
) -> None:
    """Measure annotators on rendered people: geodesic error in cm, by annotator and part."""
    from opendensepose.annotators import measure_annotators, write_annotator_pictures
    from opendensepose.evaluate import load_distances
    from opendensepose.evaluation.annotators import annotator_table

    _check_outputs(out, None)
    distances = load_distances(assets)
    errors = measure_annotators(annotations, truth, distances)
    print(annotator_table(errors, distances.surface))
    if out:
        for path in write_annotator_pictures(errors, out, distances.surface):
            print(path)


def _check_outputs(folder: Path | None, file: Path | None) -> None:
    """Raise before the work if the outputs cannot be written after it."""
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name a folder to write to.")
    if file is not None and file.is_dir():
        raise ValueError(f"{file} is a folder: name a file to write to.")
    if file is not None and not file.absolute().parent.is_dir():
        raise ValueError(f"there is no folder {file.absolute().parent} to write {file.name} into.")
    for place in (folder, file.absolute().parent if file else None):
        while place is not None and not place.exists():
            place = place.absolute().parent
        if place is not None and not os.access(place, os.W_OK):
            raise ValueError(f"{place} cannot be written.")


def _print_tables(evaluation: "Evaluation") -> None:
    from opendensepose.evaluation.tables import confidence_table, instance_tables, pointwise_table

    print(pointwise_table(evaluation.measures))
    print()
    print(instance_tables(evaluation.measures))
    print()
    print(confidence_table(evaluation.measures))
    for remark in evaluation.remarks:
        print(f"opendensepose: {remark}", file=sys.stderr)


def _write_report(evaluation: "Evaluation", folder: Path, title: str) -> None:
    from opendensepose.evaluate import write_report

    print(f"report in {write_report(evaluation, folder, title=title)}")


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, drawn from the first step on: only one of several is seen at a time."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = progress.add_task(what, total=None)

    def show(done: int, total: int) -> None:
        if not progress.live.is_started:
            progress.start()
        progress.update(task, completed=done, total=total)
        if done == total:
            progress.stop()

    try:
        yield show
    finally:
        progress.stop()
