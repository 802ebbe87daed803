"""Reading videos: any clip that FFmpeg decodes becomes RGB frames with their times, decoded in a thread."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from opendensepose.data.photos import MAX_PIXELS, check_aspect
from opendensepose.video.ahead import made_ahead

__all__ = ["Frame", "ReadReport", "VideoInfo", "open_video", "read_frames", "video_info"]

FRAMES_AHEAD = 3  # decoded before they are asked for
USUAL_STEP = 0.25  # of the usual time between two frames: one that differs by more is another rate


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of itself: frames per second, its length in seconds (None: it does not say), whether it has
    sound."""

    fps: Fraction
    duration_s: float | None
    has_audio: bool


@dataclass(frozen=True)
class Frame:
    """A frame the right way up: image_rgb (H, W, 3) uint8, time_s since the clip's start, time_stamp the file's own."""

    image_rgb: np.ndarray
    time_s: float
    time_stamp: int


@dataclass
class ReadReport:
    """What was met while a clip was read."""

    num_decoded: int = 0
    num_broken: int = 0  # frames or packets that could not be decoded, or only in part
    num_other_steps: int = 0  # frames that came earlier or later than the frame rate says
    last_time_s: float = 0.0
    is_cut_off: bool = False

    def warnings(self, info: VideoInfo, end_s: float | None) -> list[str]:
        """Sentences without a full stop, none for a sound clip."""
        said = []
        if self.num_broken:
            said.append(f"{self.num_broken} broken frames were skipped or are damaged")
        if self.num_other_steps > max(2, 0.05 * self.num_decoded):
            said.append("its frame rate varies, so each frame keeps its own time")
        if self.is_cut_off or (
            end_s is None
            and info.duration_s is not None
            and self.last_time_s + max(0.25, 0.03 * info.duration_s) < info.duration_s
        ):
            length = "" if info.duration_s is None else f" of {info.duration_s:.1f} s"
            said.append(f"it is cut off after {self.last_time_s:.1f} s{length}: what was there is kept")
        return said


@contextmanager
def open_video(path: str | Path) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
    """Open a clip and its video stream. FileNotFoundError if there is none; ValueError, one sentence, if it is no
    video, has no video stream, or one of a codec that cannot be decoded."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    try:
        container = av.open(str(path), metadata_errors="ignore")
    except (av.FFmpegError, OSError) as error:
        raise ValueError(f"{path} is not a video that can be read: {_reason(error)}.") from error
    with closing(container):
        streams = [one for one in container.streams.video if not one.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            raise ValueError(f"{path} has no video stream.")
        stream = streams[0]
        if stream.codec_context is None:
            raise ValueError(f"{path} has a video stream of a codec that cannot be decoded.")
        yield container, stream


def video_info(path: str | Path) -> VideoInfo:
    """Read a clip's header. Errors: see `open_video`."""
    with open_video(path) as (container, stream):
        fps = stream.average_rate or stream.guessed_rate or stream.base_rate or Fraction(25)
        duration_s = None
        if stream.duration is not None and stream.time_base is not None:
            duration_s = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration_s = container.duration / av.time_base
        return VideoInfo(Fraction(fps), duration_s, bool(container.streams.audio))


def read_frames(
    path: str | Path,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    after: int | None = None,
    report: ReadReport | None = None,
) -> Generator[Frame, None, None]:
    """Yield the frames with start_s <= time_s < end_s, and a time stamp above `after`, decoded in a thread.

    Frames that cannot be decoded are left out and counted in the report; a file that ends too early ends the frames.
    ValueError for what `open_video` refuses, frames above 50 megapixels, and frames that change their size.
    """
    return made_ahead(_decoded(path, start_s, end_s, after, report or ReadReport()), FRAMES_AHEAD)


@dataclass
class _Clock:
    """Times of frames, for files with and without time stamps."""

    time_base: Fraction
    first: int
    step: int  # time stamps from one frame to the next, as the frame rate says
    last: int | None = field(default=None)

    def stamp(self, frame: av.VideoFrame) -> int:
        """A frame's time stamp, larger than that of the frame before."""
        stamp = frame.pts
        if stamp is None or (self.last is not None and stamp <= self.last):
            stamp = self.first if self.last is None else self.last + self.step
        return stamp


def _decoded(
    path: str | Path,
    start_s: float,
    end_s: float | None,
    after: int | None,
    report: ReadReport,
) -> Generator[Frame, None, None]:
    with open_video(path) as (container, stream):
        fps = stream.average_rate or stream.guessed_rate or Fraction(25)
        time_base = stream.time_base or 1 / Fraction(fps)
        clock = _Clock(time_base, stream.start_time or 0, max(1, round(1 / (fps * time_base))))
        seek_to = max(clock.first + int(start_s / time_base), -1 if after is None else after)
        if seek_to > clock.first:
            container.seek(seek_to, stream=stream, backward=True)
        size_hw: tuple[int, int] | None = None
        for raw in _raw_frames(container, stream, report):
            stamp = clock.stamp(raw)
            if clock.last is not None and abs(stamp - clock.last - clock.step) > max(1, USUAL_STEP * clock.step):
                report.num_other_steps += 1
            clock.last = stamp
            time_s = float((stamp - clock.first) * time_base)
            if end_s is not None and time_s >= end_s:
                return
            if time_s < start_s - 1e-9 or (after is not None and stamp <= after):
                continue
            image_rgb = _upright(raw, path)
            if size_hw is None:
                size_hw = image_rgb.shape[:2]
            if image_rgb.shape[:2] != size_hw:
                raise ValueError(f"{path} changes its frames' size from {size_hw} to {image_rgb.shape[:2]}.")
            report.num_decoded += 1
            report.last_time_s = time_s + float(clock.step * time_base)
            yield Frame(image_rgb, time_s, stamp)


def _raw_frames(
    container: av.container.InputContainer, stream: av.VideoStream, report: ReadReport
) -> Iterator[av.VideoFrame]:
    """Decode packet by packet; one that fails costs its own frames only."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, OSError):  # the file ends or is damaged here
            report.is_cut_off = True
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            report.num_broken += 1
            continue
        for frame in frames:
            report.num_broken += bool(frame.is_corrupt)
            yield frame


def _upright(frame: av.VideoFrame, path: str | Path) -> np.ndarray:
    """The frame as (H, W, 3) uint8 RGB, turned as the file says (phones film lying on their side)."""
    if frame.width * frame.height > MAX_PIXELS:
        raise ValueError(f"{path} has frames of {frame.width} x {frame.height} pixels: make it smaller.")
    check_aspect((frame.height, frame.width), str(path))
    image_rgb = frame.to_ndarray(format="rgb24")
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image_rgb, quarter_turns)) if quarter_turns else image_rgb


def _reason(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(said.split()).rstrip(".")
