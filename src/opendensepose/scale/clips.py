"""Clips in chunks, each labelled by one of many workers, and joined again: `predict` of videos with `--ray`.

A chunk's worker begins some seconds before its chunk, so that the labels are steady and the tracks are there when it
begins. Those frames are labelled twice; people whose boxes agree in them are one person in both chunks. The result is
<stem>.densepose.zip, as `predict` writes it. Per frame the labels are those of a worker who saw the last seconds only.

Three rounds of tasks: each clip's length; the chunks, out/chunks/<stem>/00000.zip ...; each clip's file.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.models.prediction import Network
from opendensepose.predict import model_identity
from opendensepose.scale.addresses import base_name, join, local_copy, names_in, upload
from opendensepose.scale.run import run_tasks
from opendensepose.scale.settings import keep_settings
from opendensepose.scale.tasks import Done, Reports, Task, TaskFailed, Worker
from opendensepose.video.frames_file import FramesFile, FramesWriter, LabelledFrame
from opendensepose.video.labeller import TrackedPerson, VideoLabeller
from opendensepose.video.reader import ReadReport, read_frames, video_info
from opendensepose.video.tracks import match_boxes

__all__ = ["ClipSummary", "predict_clips", "same_people"]

CHUNK_S, OVERLAP_S = 60.0, 2.0
CHUNKS = "chunks"
MOST_LATE_FRAMES = 1000  # kept to be compared with the next chunk's first ones
SAME_PLACE = 0.5  # intersection over union of two chunks' boxes of one person in one frame


@dataclass(frozen=True)
class Chunk:
    """A part of a clip: frames from start_s to before end_s (None: the clip's end), labelled from warm_s on."""

    clip: str
    number: int
    warm_s: float
    start_s: float
    end_s: float | None

    @property
    def stem(self) -> str:
        return Path(base_name(self.clip)).stem


@dataclass
class ClipSummary:
    """What became of the clips: frames and people by clip; failures: sentences; warnings: of clips that are there."""

    num_frames: dict[str, int] = field(default_factory=dict)
    num_people: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)  # done before
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Return 0 all done, 1 some clips failed or were cut off, 2 nothing was done."""
        if not self.num_frames and not self.skipped:
            return 2
        return 1 if self.failures or any("cut off" in one for one in self.warnings) else 0


@dataclass(frozen=True)
class LengthJob:
    """Reads clips' headers: a task's item is a clip; its result is the length in seconds, or a sentence."""

    def start(self) -> Worker:
        return self._work

    def _work(self, task: Task) -> Iterator[int | Done]:
        (clip,) = task.items
        try:
            with local_copy(clip) as path:
                try:
                    yield Done(1, result=video_info(path).duration_s or 0.0)
                except ValueError as error:
                    yield Done(1, 1, str(error).replace(str(path), clip))
        except (FileNotFoundError, PermissionError):
            yield Done(1, 1, f"there is no file {clip}, or it may not be read.")


@dataclass(frozen=True)
class ChunkJob:
    """Labels chunks: a task's item is one. Its result is what the clip was found to be, in sentences."""

    out: str
    network: tuple[Any, ...]  # of `VideoLabeller`
    every: int
    num_gpus: float = 0

    def start(self) -> Worker:
        make_labeller = partial(VideoLabeller, *self.network)
        make_labeller()  # says now if the model is not there
        return partial(self._work, make_labeller)

    def _work(self, make_labeller: Callable[[], VideoLabeller], task: Task) -> Iterator[int | Done]:
        (chunk,) = task.items
        reports, report, labeller = Reports(task), ReadReport(), make_labeller()
        with local_copy(chunk.clip) as path, tempfile.TemporaryDirectory() as folder:
            info = video_info(path)
            part = Path(folder, chunk_name(chunk.number))
            writer: FramesWriter | None = None
            frames = read_frames(path, start_s=chunk.warm_s, end_s=chunk.end_s, report=report)
            try:
                for frame in frames:
                    if round(frame.time_s * float(info.fps)) % self.every:
                        continue
                    if reports.is_due():
                        yield 0
                    if writer is None:
                        about = {"file": base_name(chunk.clip), "every": self.every, "start_s": 0.0, "end_s": None}
                        about |= {"fps": float(info.fps / self.every), "size_hw": frame.image_rgb.shape[:2]}
                        writer = FramesWriter(part, about | {"model": str(self.network[0])})
                    writer.append(frame.time_s, frame.time_stamp, labeller(frame.image_rgb))
                said = report.warnings(info, chunk.end_s)
            except ValueError as error:
                yield Done(1, 1, [str(error).replace(str(path), chunk.clip)])
                return
            finally:
                frames.close()
                if writer is not None:
                    writer.zip.close()
            if writer is not None:
                upload(part, join(join(join(self.out, CHUNKS), chunk.stem), part.name))
            yield Done(1, result=said)


@dataclass(frozen=True)
class JoinJob:
    """Joins the chunks of a clip, a task's items; the result is the numbers of frames and of people."""

    out: str

    def start(self) -> Worker:
        return self._work

    def _work(self, task: Task) -> Iterator[int | Done]:
        chunks: Sequence[Chunk] = task.items
        stem = chunks[0].stem
        folder = join(join(self.out, CHUNKS), stem)
        there = names_in(folder)
        with tempfile.TemporaryDirectory() as scratch:
            whole = Path(scratch, f"{stem}.densepose.zip")
            tracks = JoinedTracks()
            writer: FramesWriter | None = None
            for chunk in chunks:
                if chunk_name(chunk.number) not in there:
                    continue  # the clip ends before it
                with local_copy(join(folder, chunk_name(chunk.number))) as path, FramesFile(path) as part:
                    if writer is None:
                        writer = FramesWriter(whole, part.info)
                    for frame in tracks.joined(part, chunk.start_s):
                        writer.append(frame.time_s, frame.time_stamp, frame.people)
            if writer is None:
                yield Done(1, 1, f"{chunks[0].clip} has no frame that can be decoded.")
                return
            writer.zip.close()
            upload(whole, join(self.out, whole.name))
            yield Done(1, result=(writer.num_frames, tracks.num_people))


class JoinedTracks:
    """Numbers of people in a whole clip, chunk after chunk."""

    def __init__(self) -> None:
        self.num_people = 0
        self.last: dict[int, np.ndarray] = {}  # time stamp of a late frame -> people (N, 5): number, box

    def joined(self, chunk: FramesFile, start_s: float) -> Iterator[LabelledFrame]:
        """The chunk's frames from start_s on, with the whole clip's numbers. Frames before it tell who is who."""
        votes: Counter[tuple[int, int]] = Counter()
        numbers: dict[int, int] | None = None
        late: dict[int, np.ndarray] = {}
        for frame in chunk:
            if frame.time_s < start_s - 1e-9:
                votes.update(same_people(self.last.get(frame.time_stamp), frame.people))
                continue
            if numbers is None:
                numbers = elected(votes)
            for person in frame.people:
                if person.track_id not in numbers:
                    self.num_people += 1
                    numbers[person.track_id] = self.num_people
            people = [TrackedPerson(numbers[person.track_id], person.instance) for person in frame.people]
            late[frame.time_stamp] = np.array([(p.track_id, *p.instance.box_xyxy) for p in people]).reshape(-1, 5)
            if len(late) > MOST_LATE_FRAMES:
                del late[next(iter(late))]
            yield LabelledFrame(frame.time_s, frame.time_stamp, people)
        self.last = late


def same_people(known: np.ndarray | None, people: Sequence[TrackedPerson]) -> list[tuple[int, int]]:
    """Pairs (track of the new chunk, number in the clip) of people whose boxes agree in one frame. known (N, 5): number
    and box xyxy of the frame's people in the chunk before, None if it does not have the frame."""
    if known is None or not people or not len(known):
        return []
    boxes = np.array([person.instance.box_xyxy for person in people])
    pairs = match_boxes(boxes, known[:, 1:], SAME_PLACE)
    return [(people[row].track_id, int(known[column, 0])) for row, column in pairs]


def elected(votes: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """The number of each track that agrees with one, those with most frames first; each number once."""
    numbers: dict[int, int] = {}
    for (track, number), _ in sorted(votes.items(), key=lambda one: (-one[1], one[0])):
        if track not in numbers and number not in numbers.values():
            numbers[track] = number
    return numbers


def chunk_name(number: int) -> str:
    """The name of a chunk's file."""
    return f"{number:05d}.zip"


def chunks_of(clip: str, length_s: float, chunk_s: float, overlap_s: float) -> list[Chunk]:
    """Part a clip; the last chunk has no end, since a header may be wrong about the length."""
    num_chunks = max(1, round(length_s / chunk_s))
    return [
        Chunk(
            clip, k, max(0.0, k * chunk_s - overlap_s), k * chunk_s, None if k + 1 == num_chunks else (k + 1) * chunk_s
        )
        for k in range(num_chunks)
    ]


def predict_clips(
    clips: Sequence[str],
    out: str,
    model: str | Path | Network = "default",
    device: str | None = None,
    min_score: float | None = None,
    *,
    backend: str | None = None,
    every: int = 1,
    chunk_s: float = CHUNK_S,
    overlap_s: float = OVERLAP_S,
    workers: int | None = None,
    ray: str | None = None,
    on_chunk: Callable[[int, int], None] | None = None,
) -> ClipSummary:
    """Label clips in chunks of chunk_s seconds and join them to out/<stem>.densepose.zip.

    clips, out: addresses, see `addresses`. overlap_s: what two chunks share. Clips and chunks that are there are not
    labelled again. workers, ray: see `run_tasks`. on_chunk(number done, number of all). ValueError, one sentence: two
    clips of one name, chunks not longer than what they share, chunks there that were made with other settings, an
    unknown model, no cluster.
    """
    if every < 1 or not 0 <= overlap_s < chunk_s:
        raise ValueError(f"a chunk must be longer than its overlap, and every at least 1, got {chunk_s}, {overlap_s}.")
    stems = Counter(Path(base_name(clip)).stem for clip in clips)
    twice = [stem for stem, number in stems.items() if number > 1]
    if twice:
        raise ValueError(f"two clips would be written as {twice[0]}: rename one.")
    summary, there = ClipSummary(), names_in(out)
    waiting = [clip for clip in clips if f"{Path(base_name(clip)).stem}.densepose.zip" not in there]
    summary.skipped = [clip for clip in clips if clip not in waiting]
    settings = {"model": model_identity(model), "min_score": min_score, "every": every}
    keep_settings(join(out, CHUNKS), settings | {"chunk_s": chunk_s, "overlap_s": overlap_s})
    run = partial(run_tasks, workers=workers, ray=ray)
    lengths: dict[str, float] = {}
    for task, end in run(LengthJob(), [Task(k, (clip,)) for k, clip in enumerate(waiting)]):
        if isinstance(end, TaskFailed) or end.num_errors:
            summary.failures.append(end.sentence if isinstance(end, TaskFailed) else end.result)
        else:
            lengths[task.items[0]] = end.result
    chunks = {clip: chunks_of(clip, lengths[clip], chunk_s, overlap_s) for clip in waiting if clip in lengths}
    failed = _label_chunks(chunks, ChunkJob(out, (model, device, min_score, backend), every), run, summary, on_chunk)
    tasks = [Task(k, chunks[clip]) for k, clip in enumerate(chunks) if clip not in failed]
    for task, end in run(JoinJob(out), tasks):
        if isinstance(end, TaskFailed) or end.num_errors:
            summary.failures.append(end.sentence if isinstance(end, TaskFailed) else end.result)
        else:
            clip = task.items[0].clip
            summary.num_frames[clip], summary.num_people[clip] = end.result
    return summary


def _label_chunks(
    chunks: Mapping[str, Sequence[Chunk]],
    job: ChunkJob,
    run: Callable[..., Iterator[tuple[Task, Done | TaskFailed]]],
    summary: ClipSummary,
    on_chunk: Callable[[int, int], None] | None,
) -> set[str]:
    """Label the chunks that are not there; returns the clips of those that failed."""
    missing, num_all = [], sum(map(len, chunks.values()))
    for parts in chunks.values():
        there = names_in(join(join(job.out, CHUNKS), parts[0].stem))
        missing += [part for part in parts if chunk_name(part.number) not in there]
    num_done, failed = num_all - len(missing), set()
    said: dict[str, set[str]] = defaultdict(set)
    for task, end in run(job, [Task(k, (part,)) for k, part in enumerate(missing)]):
        clip, num_done = task.items[0].clip, num_done + 1
        if isinstance(end, TaskFailed):
            failed.add(clip)
            summary.failures.append(f"{clip}: {end.sentence}")
        elif end.num_errors:
            failed.add(clip)
            summary.failures += [one for one in end.result if one not in summary.failures]
        else:
            said[clip].update(end.result)
        if on_chunk:
            on_chunk(num_done, num_all)
    summary.warnings += [f"{clip}: {sentence}" for clip in said for sentence in sorted(said[clip])]
    return failed
