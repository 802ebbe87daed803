"""What `predict` does with videos and cameras: progress on the screen, sentences at the end."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["VIDEO_SUFFIXES", "predict_camera", "predict_videos", "seconds_of", "split_videos"]

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv", ".3gp", ".ogv",
)  # fmt: skip


def split_videos(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Part paths into videos, also those in folders, and the rest; a folder of videos alone is in the first only."""
    videos, rest = [], []
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        clips = [one for one in inside if one.suffix.lower() in VIDEO_SUFFIXES and not one.is_dir()]
        videos += clips
        if not clips or len(clips) < len(inside):
            rest.append(path)
    return videos, rest


def seconds_of(text: str | None) -> float | None:
    """Read a time: "12.5" seconds, "1:30" or "1:02:03"; None stays None. ValueError for anything else."""
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
        if len(parts) > 3 or min(parts) < 0 or not max(parts) < 1e6:
            raise ValueError
    except ValueError:
        raise ValueError(f"a time must be seconds, minutes:seconds or hours:minutes:seconds, got {text!r}.") from None
    return sum(part * 60**k for k, part in enumerate(reversed(parts)))


def predict_videos(videos: Sequence[Path], out: Path, **options: Any) -> int:
    """Label videos, see `video.predict_video`; print what became of each. Returns 0 all done, 1 some failed or were cut
    off, 2 none done. ValueError if two would share a name in `out`."""
    from opendensepose.video.predict_video import predict_video

    stems = [path.stem for path in videos]
    twice = [path for path in videos if stems.count(path.stem) > 1]
    if twice:
        raise ValueError(f"{twice[0]} and {twice[1]} would both be written as {twice[0].stem}: rename one.")
    num_done, num_wrong = 0, 0
    for path in videos:
        try:
            with _progress(path.name) as show:
                summary = predict_video(path, out, on_frame=show, **options)
        except (ValueError, OSError) as error:
            print(f"opendensepose: {error}", file=sys.stderr)
            num_wrong += 1
            continue
        num_done += 1
        num_wrong += summary.is_cut_off
        for sentence in summary.warnings:
            print(f"opendensepose: {path}: {sentence}.", file=sys.stderr)
        if summary.was_done:
            print(f"{path.name}: done before, in {out}; --again repeats it")
        else:
            print(f"{path.name}: frames labelled: {summary.num_frames}, written to {out}")
    return 0 if not num_wrong else 1 if num_done else 2


@contextmanager
def _progress(name: str) -> Iterator[Any]:
    """A bar with frames per second and the time left, on a terminal; what to call after each frame."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Any) -> Text:
            return Text("" if not task.speed else f"{task.speed:.1f} frames/s")

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), Speed(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bars: dict[str, Any] = {}

        def show(what: str, num_done: int, num_all: int | None) -> None:
            if what not in bars:
                bars[what] = progress.add_task(f"{name} {what}", total=num_all)
            progress.update(bars[what], completed=num_done, total=None if num_all is None else max(num_all, num_done))

        yield show


def predict_camera(number: int, port: int = 8008, **options: Any) -> None:
    """Label what a camera sees and show it on a page of this machine until Ctrl-C."""
    from opendensepose.video.live import camera_frames, serve_live

    frames = camera_frames(number)
    print(f"open http://127.0.0.1:{port} in a browser; Ctrl-C ends")
    serve_live(frames, port=port, **options)
