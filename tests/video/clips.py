"""Clips for tests: red boxes that move over a grey, textured ground (see red_people), written by PyAV itself."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 44_100
CLOCK = Fraction(1, 1000)


def ground(size_hw: tuple[int, int], seed: int = 0) -> np.ndarray:
    """A smooth random texture (H, W, 3) uint8 without red."""
    import cv2

    noise = np.random.default_rng(seed).uniform(20, 150, (size_hw[0] // 4, size_hw[1] // 4))
    grey = cv2.resize(noise, size_hw[::-1], interpolation=cv2.INTER_CUBIC).clip(0, 180).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def red_frames(num_frames: int, size_hw: tuple[int, int] = (96, 128), step: int = 2) -> list[np.ndarray]:
    """A red box of 20 x 40 pixels that moves `step` pixels to the right in each frame."""
    frames = [ground(size_hw).copy() for _ in range(num_frames)]
    for k, frame in enumerate(frames):
        frame[30:70, 10 + step * k : 30 + step * k] = 250, 0, 0
    return frames


def write_video(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    times_ms: Sequence[int] | None = None,
    sound: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write frames at 25 per second, or at times_ms; sound: a codec, of a tone as long as the pictures."""
    times_ms = times_ms or [40 * k for k in range(len(frames))]
    with av.open(str(path), "w", options=options or {}) as clip:
        stream = clip.add_stream("libx264", rate=25, options={"crf": "12", "g": "5", "bf": "0"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv444p"
        stream.codec_context.time_base = CLOCK
        tone = clip.add_stream(sound, rate=RATE, layout="mono") if sound else None
        for time_ms, image in zip(times_ms, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = time_ms, CLOCK
            clip.mux(stream.encode(frame))
        clip.mux(stream.encode(None))
        if tone:
            write_tone(clip, tone, times_ms[-1] + 40)
    return path


def write_tone(clip: av.container.OutputContainer, tone: av.AudioStream, length_ms: int) -> None:
    wave = (8000 * np.sin(np.arange(RATE * length_ms // 1000) * 2 * np.pi * 440 / RATE)).astype(np.int16)
    for start in range(0, len(wave), 1024):
        part = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
        part.sample_rate, part.pts, part.time_base = RATE, start, Fraction(1, RATE)
        clip.mux(tone.encode(part))
    clip.mux(tone.encode(None))
