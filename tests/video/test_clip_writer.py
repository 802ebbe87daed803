"""Written clips: the same pictures, times and sound when they are read again."""

from fractions import Fraction

import av
import numpy as np
import pytest
from tests.video.clips import red_frames, write_video

from opendensepose.video.clip_writer import write_clip
from opendensepose.video.reader import read_frames, video_info


def sound_of(path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray().astype(float)[0] for frame in container.decode(audio=0)])


def tone_hz(samples: np.ndarray, rate: int = 44_100) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


def test_pictures_come_back_at_their_rate(tmp_path):
    pictures = red_frames(12, (97, 129))
    write_clip(tmp_path / "a.mp4", iter(pictures), Fraction(30_000, 1001))
    frames = list(read_frames(tmp_path / "a.mp4"))
    assert [frame.time_s for frame in frames] == pytest.approx([k * 1001 / 30_000 for k in range(12)], abs=1e-4)
    for frame, picture in zip(frames, pictures, strict=True):
        assert frame.image_rgb.shape == (98, 130, 3)  # H.264 wants even sides
        assert np.abs(frame.image_rgb[:97, :129].astype(int) - picture).mean() < 8
    assert not video_info(tmp_path / "a.mp4").has_audio


def test_times_of_their_own_are_kept(tmp_path):
    times_s = [0, 0.04, 0.2, 0.24, 0.5]
    write_clip(tmp_path / "a.mp4", red_frames(5), 25, times_s=times_s)
    assert [frame.time_s for frame in read_frames(tmp_path / "a.mp4")] == pytest.approx(times_s, abs=1e-4)


@pytest.mark.parametrize(("codec", "suffix"), [("aac", ".mp4"), ("pcm_s16le", ".mkv")])
@pytest.mark.parametrize("start_s", [0.0, 0.5])
def test_the_sound_is_kept_from_the_start_to_the_last_picture(tmp_path, codec, suffix, start_s):
    source = write_video(tmp_path / f"source{suffix}", red_frames(40), sound=codec)
    write_clip(tmp_path / "a.mp4", red_frames(20), 25, sound_of=source, start_s=start_s)
    samples = sound_of(tmp_path / "a.mp4")
    assert tone_hz(samples) == pytest.approx(440, abs=3)
    assert len(samples) / 44_100 == pytest.approx(0.8, abs=0.12)


def test_a_source_without_sound_gives_none(tmp_path):
    source = write_video(tmp_path / "source.mp4", red_frames(5))
    write_clip(tmp_path / "a.mp4", red_frames(5), 25, sound_of=source)
    assert not video_info(tmp_path / "a.mp4").has_audio


@pytest.mark.parametrize("pictures", [[], [*red_frames(2), red_frames(1, (48, 64))[0]], [np.zeros((8, 8), np.uint8)]])
def test_what_is_no_clip_is_refused_and_leaves_nothing(tmp_path, pictures):
    with pytest.raises(ValueError, match="no picture is there|pictures must be uint8"):
        write_clip(tmp_path / "a.mp4", pictures, 25)
    assert not list(tmp_path.iterdir())
