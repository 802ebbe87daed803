"""What the verbs say that work in shards: progress on the screen, sentences at the end."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from opendensepose.data.photos import PHOTO_SUFFIXES
from opendensepose.models.checkpoints.official import OFFICIAL, fetch_official
from opendensepose.scale.addresses import find_files
from opendensepose.scale.photos import SHARD_SIZE, predict_shards

__all__ = ["predict_many", "print_failures", "shown_progress"]


def predict_many(
    addresses: Sequence[str],
    out: str,
    video_suffixes: tuple[str, ...],
    *,
    every: int,
    shards: str | None,
    **options: Any,
) -> int:
    """Label photos into shards and videos in chunks, see `scale`. Returns the exit code."""
    if not addresses:
        raise ValueError("no photo was named: give photos, videos, folders or patterns")
    if options["model"] in OFFICIAL:
        fetch_official(options["model"])
    found = find_files(addresses, (*PHOTO_SUFFIXES, *video_suffixes))
    videos = [address for address, _ in found if address.lower().endswith(video_suffixes)]
    photos = [one for one in found if one[0] not in set(videos)]
    exit_codes = []
    if videos:
        of_photos = [name for name in ("person", "min_confidence", "assets", "shard_size") if options[name]]
        if of_photos or shards:
            raise ValueError(f"--{(of_photos or ['shards'])[0].replace('_', '-')} is for photos, got a video")
        network = {name: options[name] for name in ("model", "device", "min_score", "backend", "workers", "ray")}
        exit_codes.append(_label_clips(videos, out, every=every, **network))
    if photos:
        exit_codes.append(_label_photos(photos, out, shards, **options))
    return exit_codes[0] if len(set(exit_codes)) == 1 else 1


def _label_clips(clips: Sequence[str], out: str, **options: Any) -> int:
    from opendensepose.scale.clips import predict_clips

    with shown_progress("chunks of clips") as show:
        summary = predict_clips(clips, out, on_chunk=show, **options)
    for clip, num_frames in summary.num_frames.items():
        print(f"{clip}: frames labelled: {num_frames}, people: {summary.num_people[clip]}, written to {out}")
    for clip in summary.skipped:
        print(f"{clip}: done before, in {out}")
    for sentence in (*summary.warnings, *summary.failures):
        print(f"opendensepose: {sentence}", file=sys.stderr)
    return summary.exit_code


def _label_photos(photos: Sequence[tuple[str, int]], out: str, kind: str | None, **options: Any) -> int:
    """Label photos into shards, see `scale.predict_shards`; print what became of them. Returns the exit code."""
    options["shard_size"] = options["shard_size"] or SHARD_SIZE
    with shown_progress("labelling") as show:
        summary = predict_shards(photos, out, kind=kind or "parquet", on_photo=show, **options)
    if summary.num_photos:
        print(
            f"photos done: {summary.num_photos - summary.num_errors}, people found: {summary.num_people},"
            f" written to {out}"
        )
    if summary.num_skipped:
        print(f"photos skipped, which were done before: {summary.num_skipped}")
    if summary.num_errors:
        print(
            f"opendensepose: {summary.num_errors} photos could not be labelled: {out}/errors says why", file=sys.stderr
        )
    if summary.changed:
        print(
            f"opendensepose: {len(summary.changed)} photos have changed since they were labelled, such as"
            f" {summary.changed[0][0]}: their rows are of before.",
            file=sys.stderr,
        )
    print_failures(summary.failures)
    return summary.exit_code


def print_failures(failures: Sequence[str]) -> None:
    """Say which shards are missing, and that the same command does them."""
    for sentence in failures:
        print(f"opendensepose: {sentence}", file=sys.stderr)
    if failures:
        print("opendensepose: the same command does what is missing", file=sys.stderr)


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr; Ctrl-C ends with a sentence and exit code 130."""
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(what, total=None)
        try:
            yield lambda done, total: progress.update(bar, completed=done, total=total)
        except KeyboardInterrupt:
            progress.stop()
            print("opendensepose: stopped; the same command goes on from here", file=sys.stderr)
            raise typer.Exit(130) from None
