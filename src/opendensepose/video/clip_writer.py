"""Writing videos: pictures, with the sound of another file, become an H.264 mp4 that browsers and phones play."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from opendensepose.atomic_write import atomic_file

__all__ = ["write_clip"]

CLOCK = Fraction(1, 90_000)  # seconds: divides 24, 25, 30, 50, 60 and 29.97 frames per second
QUALITY = "20"  # x264's constant rate factor: hardly any loss can be seen
# Without it x264 may write other bytes for the same pictures: its vector code reads what lies beyond a row's end.
SAME_BYTES = "mbtree=0"
COPIED_AUDIO = {"aac", "mp3", "ac3", "eac3", "alac", "opus"}  # what an mp4 may hold; other sound is encoded as AAC


def write_clip(
    path: str | Path,
    pictures_rgb: Iterable[np.ndarray],
    fps: float | Fraction,
    *,
    times_s: Sequence[float] | None = None,
    sound_of: str | Path | None = None,
    start_s: float = 0.0,
) -> None:
    """Write pictures (H, W, 3) uint8 RGB, all of one size, as an mp4, atomically.

    times_s: when each picture is shown, increasing; None: fps of them per second. sound_of: a file whose sound is
    kept, from start_s to the last picture; without sound there is none. Sides of odd length gain a pixel, as H.264
    wants even ones. ValueError without pictures or for other shapes.
    """
    fps = Fraction(fps).limit_denominator(1001)
    with atomic_file(path) as part, ExitStack() as stack:
        clip = stack.enter_context(av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}))
        stream, audio, size_hw = None, None, None
        for k, picture in enumerate(pictures_rgb):
            if stream is None:
                size_hw = picture.shape
                stream = _video_stream(clip, fps, picture)
                audio = _Audio(stack.enter_context(av.open(str(sound_of))), clip, start_s) if sound_of else None
            if picture.dtype != np.uint8 or picture.shape != size_hw or picture.shape[2:] != (3,):
                raise ValueError(
                    f"pictures must be uint8 (H, W, 3) of one size, {size_hw}, got {picture.dtype} {picture.shape}."
                )
            time_s = float(k / fps) if times_s is None else times_s[k]
            frame = av.VideoFrame.from_ndarray(_even(picture), format="rgb24")
            frame.pts, frame.time_base = round(time_s / CLOCK), CLOCK
            for packet in stream.encode(frame):
                clip.mux(packet)
            if audio:
                audio.write_until(time_s + float(1 / fps))
        if stream is None:
            raise ValueError(f"no picture is there to be written to {path}.")
        for packet in stream.encode(None):
            clip.mux(packet)
        if audio:
            audio.close()
        clip.close()


def _video_stream(clip: av.container.OutputContainer, fps: Fraction, picture: np.ndarray) -> av.VideoStream:
    stream = clip.add_stream(
        "libx264", rate=fps, options={"crf": QUALITY, "preset": "veryfast", "x264-params": SAME_BYTES}
    )
    stream.height, stream.width = _even(picture).shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = CLOCK
    return stream


def _even(picture: np.ndarray) -> np.ndarray:
    odd = [(0, side % 2) for side in picture.shape[:2]]
    return np.pad(picture, [*odd, (0, 0)], mode="edge") if picture.shape[0] % 2 or picture.shape[1] % 2 else picture


class _Audio:
    """The sound of one file on its way into another, never far ahead of the pictures."""

    def __init__(self, source: av.container.InputContainer, clip: av.container.OutputContainer, start_s: float):
        self.clip, self.start_s = clip, start_s
        self.packets: Iterator[tuple[float, av.Packet]] = iter(())
        self.waiting: tuple[float, av.Packet] | None = None
        if not source.streams.audio:
            return
        sound = source.streams.audio[0]
        time_base = sound.time_base or Fraction(1, sound.rate)
        if sound.codec_context.name in COPIED_AUDIO:
            self.packets = self._copied(source, sound, time_base, clip.add_stream_from_template(sound))
        else:
            self.packets = self._encoded(source, sound, time_base, clip.add_stream("aac", rate=sound.rate))
        self.waiting = next(self.packets, None)

    def write_until(self, time_s: float) -> None:
        """Write the sound up to a time of the written clip."""
        while self.waiting is not None and self.waiting[0] <= time_s:
            self.clip.mux(self.waiting[1])
            self.waiting = next(self.packets, None)

    def close(self) -> None:
        """Leave the rest of the sound out."""
        self.packets, self.waiting = iter(()), None

    def _copied(
        self, source: av.container.InputContainer, sound: av.AudioStream, time_base: Fraction, target: av.AudioStream
    ) -> Iterator[tuple[float, av.Packet]]:
        shift = round(self.start_s / time_base) + (sound.start_time or 0)
        if self.start_s:
            source.seek(shift, stream=sound, backward=True)
        for packet in source.demux(sound):
            if packet.dts is None or packet.pts is None or packet.pts < shift:
                continue
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, target
            yield float(packet.pts * time_base), packet

    def _encoded(
        self, source: av.container.InputContainer, sound: av.AudioStream, time_base: Fraction, target: av.AudioStream
    ) -> Iterator[tuple[float, av.Packet]]:
        first = sound.start_time or 0
        shift = round(self.start_s / time_base) + first
        if self.start_s:
            source.seek(shift, stream=sound, backward=True)
        for frame in source.decode(sound):
            if frame.pts is None or float((frame.pts - first) * time_base) < self.start_s:
                continue
            frame.pts -= shift
            for packet in target.encode(frame):
                yield _time_s(packet), packet
        for packet in target.encode(None):
            yield _time_s(packet), packet


def _time_s(packet: av.Packet) -> float:
    assert packet.pts is not None and packet.time_base is not None  # an encoder sets both
    return float(packet.pts * packet.time_base)
