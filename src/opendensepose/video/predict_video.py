"""A video file -> its people's labels in every frame, in one file, and an overlay clip with the sound.

The labels come first, the clip is drawn from them afterwards. Both files appear when they are complete. A run that was
killed goes on where it was, and its labels are those of a run that was not.
"""

import json
import os
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from opendensepose.atomic_write import atomic_file
from opendensepose.models.prediction import Network
from opendensepose.video.ahead import made_ahead
from opendensepose.video.clip_writer import write_clip
from opendensepose.video.formats import Progress, VideoFormats
from opendensepose.video.frames_file import FramesFile, FramesWriter
from opendensepose.video.labeller import TrackedPerson, VideoLabeller
from opendensepose.video.reader import Frame, ReadReport, VideoInfo, read_frames, video_info
from opendensepose.video.state import labeller_state, restore_labeller
from opendensepose.visualize import draw_overlay

__all__ = ["VideoSummary", "labelled_frames", "predict_video"]

SECONDS_BETWEEN_MARKS = 10.0  # what a killed run loses at most
PICTURES_AHEAD = 3  # of an overlay clip: drawn while others are encoded
FORMAT = 3  # of the state file: a run of another version starts anew


@dataclass
class VideoSummary:
    """What became of a video: its files, frames, different people, and sentences about what was wrong with it."""

    labels_file: Path
    overlay_file: Path | None
    num_frames: int = 0
    num_people: int = 0
    warnings: list[str] = field(default_factory=list)
    was_done: bool = False  # before this call, which did nothing

    @property
    def is_cut_off(self) -> bool:
        """Whether the file ended too early."""
        return any("cut off" in sentence for sentence in self.warnings)


def predict_video(
    path: str | Path,
    out_dir: str | Path,
    model: str | Path | Network = "default",
    device: str | None = None,
    min_score: float | None = None,
    *,
    backend: str | None = None,
    every: int = 1,
    start_s: float = 0.0,
    end_s: float | None = None,
    formats: str = "npz",
    person: str | None = None,
    min_confidence: float = 0.0,
    overlay: bool = True,
    again: bool = False,
    on_frame: Progress | None = None,
) -> VideoSummary:
    """Label a video: write <stem>.densepose.zip (see `frames_file`) and, if overlay, <stem>.overlay.mp4 into out_dir.

    every: label each so many frames only. start_s, end_s: the part of the clip, in seconds. formats, person,
    min_confidence: other formats, and who is in them, see `VideoFormats`. again: repeat what is done already.
    on_frame(what, number done, number of all) is called after each frame. Broken frames, a rate that varies and a file
    that ends too early cost a warning in the summary. FileNotFoundError, ValueError, one sentence, and no file: what
    `read_frames` or `VideoFormats` refuse, no frame in the part, an out_dir that cannot be written.
    """
    others = VideoFormats(formats, person, min_confidence)
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every}.")
    if start_s < 0 or (end_s is not None and end_s <= start_s):
        raise ValueError(f"start and end must be 0 or more, and start before end, got {start_s} and {end_s}.")
    path, out_dir = Path(path), Path(out_dir)
    info = video_info(path)
    out = out_dir / f"{path.stem}.densepose.zip"
    clip = out_dir / f"{path.stem}.overlay.mp4" if overlay else None
    summary = VideoSummary(out, clip)
    asked = {"file": path.name, "every": every, "start_s": start_s, "end_s": end_s}
    labels = _Labels(path, info, out, asked, (model, device, min_score, backend))
    is_new = again or not labels.are_complete()
    if is_new:
        labels.write(summary, on_frame)
    missing = others.missing(out)
    if clip is not None and (is_new or not clip.is_file()):
        _write_overlay(path, info, labels, clip, on_frame)
    elif not is_new and not missing:
        summary.was_done = True
    others.write(out, lambda: labelled_frames(path, out), missing, on_frame)
    with FramesFile(out) as done:
        summary.num_frames = len(done)
    return summary


class _Labels:
    """The file of a video's labels: written frame by frame, gone on with after a kill."""

    def __init__(self, path: Path, info: VideoInfo, out: Path, asked: dict[str, Any], network: tuple):
        self.path, self.info, self.out, self.asked, self.network = path, info, out, asked, network
        self.part = out.with_name(f".{out.name}.part")
        self.state_file = out.with_name(f".{out.name}.state.npz")
        self.start_s, self.end_s, self.every = asked["start_s"], asked["end_s"], asked["every"]

    def are_complete(self) -> bool:
        """Whether the file is there, with what is asked for: only the overlay is missing then."""
        if not self.out.is_file():
            return False
        with FramesFile(self.out) as done:
            return all(done.info.get(name) == value for name, value in self.asked.items())

    def num_expected(self) -> int | None:
        """About how many frames will be labelled."""
        end_s = min((end for end in (self.end_s, self.info.duration_s) if end is not None), default=None)
        if end_s is None:
            return None
        return max(1, round((end_s - self.start_s) * float(self.info.fps) / self.every))

    def write(self, summary: VideoSummary, on_frame: Progress | None) -> None:
        labeller, report = VideoLabeller(*self.network), ReadReport()
        writer, seen, after = self._gone_on(labeller, report)
        last_mark, total = time.monotonic(), self.num_expected()
        frames = read_frames(self.path, start_s=self.start_s, end_s=self.end_s, after=after, report=report)
        try:
            for frame in frames:
                seen += 1
                if (seen - 1) % self.every:
                    continue
                if writer is None:  # only now is it sure that there is something to write
                    writer = self._new_file(frame)
                writer.append(frame.time_s, frame.time_stamp, labeller(frame.image_rgb))
                if time.monotonic() - last_mark > SECONDS_BETWEEN_MARKS:
                    self._save_state(writer, labeller, report, seen, frame.time_stamp)
                    last_mark = time.monotonic()
                if on_frame:
                    on_frame("labels", writer.num_frames, total)
        finally:
            frames.close()
            if writer is not None:
                writer.zip.close()
        if writer is None:
            part = "" if self.start_s == 0 and self.end_s is None else " in the part asked for"
            raise ValueError(f"{self.path} has no frame that can be decoded{part}.")
        os.replace(self.part, self.out)
        self.state_file.unlink(missing_ok=True)
        summary.num_people = labeller.num_tracks
        summary.warnings = report.warnings(self.info, self.end_s)

    def _new_file(self, frame: Frame) -> FramesWriter:
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.out.parent):
                pass
        except OSError as error:
            folder = self.out.parent
            raise ValueError(f"the output folder {folder} cannot be written: {error.strerror or error}.") from error
        self.state_file.unlink(missing_ok=True)
        fps = Fraction(self.info.fps) / self.every
        about = {**self.asked, "fps": float(fps), "size_hw": frame.image_rgb.shape[:2], "model": str(self.network[0])}
        return FramesWriter(self.part, about)

    # --- going on after a kill ----------------------------------------------------------------------------------------

    def _fingerprint(self) -> str:
        """What a state must be of: this clip, these options."""
        status = self.path.stat()
        source = (status.st_size, status.st_mtime_ns)
        return json.dumps([FORMAT, *source, self.asked, [str(one) for one in self.network]])

    def _save_state(
        self, writer: FramesWriter, labeller: VideoLabeller, report: ReadReport, seen: int, time_stamp: int
    ) -> None:
        mark = np.frombuffer(writer.mark(), np.uint8)
        counters = [seen, time_stamp, report.num_decoded, report.num_broken, report.num_other_steps]
        arrays: dict[str, Any] = {
            "fingerprint": np.array(self._fingerprint()),
            "mark": mark,
            "seen": np.array(counters, np.int64),
            **labeller_state(labeller),
        }
        with atomic_file(self.state_file) as part, part.open("wb") as file:
            np.savez(file, **arrays)

    def _gone_on(self, labeller: VideoLabeller, report: ReadReport) -> tuple[FramesWriter | None, int, int | None]:
        """The unfinished file, the number of frames seen and the last one's time stamp, or a new start."""
        if not (self.part.is_file() and self.state_file.is_file()):
            return None, 0, None
        try:
            with np.load(self.state_file, allow_pickle=False) as arrays:
                if str(arrays["fingerprint"]) != self._fingerprint():
                    return None, 0, None
                writer = FramesWriter.go_on(self.part, arrays["mark"].tobytes())
                restore_labeller(labeller, arrays)
                seen, after, report.num_decoded, report.num_broken, report.num_other_steps = (
                    int(value) for value in arrays["seen"]
                )
        except Exception:  # a damaged state: everything is done anew
            return None, 0, None
        return writer, seen, after


def labelled_frames(
    path: str | Path, labels_file: str | Path
) -> Generator[tuple[np.ndarray, list[TrackedPerson]], None, None]:
    """Yield the frames of a video that a labels file has, (H, W, 3) uint8 RGB, with the people in them.

    A writer of any format can take them from here, one after the other. ValueError if the file is not this video's.
    """
    with FramesFile(labels_file) as labels:
        start_s, end_s = labels.info["start_s"], labels.info["end_s"]
        frames = read_frames(path, start_s=start_s, end_s=end_s)
        try:
            for labelled in labels:
                image_rgb = next((one.image_rgb for one in frames if one.time_stamp == labelled.time_stamp), None)
                if image_rgb is None:
                    raise ValueError(f"{labels_file} has a frame at {labelled.time_s:.3f} s that {path} does not have.")
                yield image_rgb, labelled.people
        finally:
            frames.close()


def _write_overlay(path: Path, info: VideoInfo, labels: _Labels, clip: Path, on_frame: Progress | None) -> None:
    with FramesFile(labels.out) as file:
        times_s = file.times_s()
    first_s = times_s[0]

    def drawn() -> Generator[np.ndarray, None, None]:
        for image_rgb, people in labelled_frames(path, labels.out):
            yield draw_overlay(image_rgb, [person.instance for person in people])

    def pictures() -> Iterator[np.ndarray]:
        with closing(made_ahead(drawn(), PICTURES_AHEAD)) as ahead:
            for number, picture in enumerate(ahead, start=1):
                yield picture
                if on_frame:
                    on_frame("overlay", number, len(times_s))

    write_clip(
        clip,
        pictures(),
        info.fps / labels.every,
        times_s=[time_s - first_s for time_s in times_s],
        sound_of=path if info.has_audio else None,
        start_s=first_s,
    )
