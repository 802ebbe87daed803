"""Reading clips: frames and times as written, parts, damage that costs its own frames only, refusals in a sentence."""

import random

import av
import numpy as np
import pytest
from tests.hostile import damaged, is_read_or_refused
from tests.video.clips import red_frames, write_tone, write_video

from opendensepose.video.reader import ReadReport, read_frames, video_info


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "a.mp4", red_frames(20), sound="aac")


def test_frames_are_what_was_written_in_order_and_time(clip):
    frames = list(read_frames(clip))
    assert [round(frame.time_s, 3) for frame in frames] == [round(0.04 * k, 3) for k in range(20)]
    for frame, image in zip(frames, red_frames(20), strict=True):
        assert np.abs(frame.image_rgb.astype(int) - image).mean() < 6
    info = video_info(clip)
    assert info.fps == 25 and info.duration_s == pytest.approx(0.8) and info.has_audio


def test_a_part_of_a_clip_is_the_same_as_of_the_whole(clip):
    whole = list(read_frames(clip))
    part = list(read_frames(clip, start_s=0.28, end_s=0.6))
    assert [frame.time_stamp for frame in part] == [frame.time_stamp for frame in whole[7:15]]
    for one, other in zip(part, whole[7:15], strict=True):
        np.testing.assert_array_equal(one.image_rgb, other.image_rgb)
    rest = list(read_frames(clip, after=whole[12].time_stamp))
    assert [frame.time_stamp for frame in rest] == [frame.time_stamp for frame in whole[13:]]


def test_phones_film_lying_on_their_side(clip, tmp_path):
    turned = tmp_path / "turned.mp4"
    with av.open(str(clip)) as source, av.open(str(turned), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write a rotation")
        stream.set_display_rotation(90)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert next(read_frames(turned)).image_rgb.shape == (128, 96, 3)


def test_times_that_vary_are_kept_and_said(tmp_path):
    times_ms = [0, 40, 80, 200, 240, 400, 440, 480, 600, 640]
    path = write_video(tmp_path / "vary.mkv", red_frames(10), times_ms=times_ms)
    report = ReadReport()
    assert [round(1000 * frame.time_s) for frame in read_frames(path, report=report)] == times_ms
    assert report.warnings(video_info(path), None) == ["its frame rate varies, so each frame keeps its own time"]


def test_what_is_left_of_a_clip_that_is_cut_off_is_read(tmp_path):
    """The header is in front, as in streamed files; in an ordinary mp4 it is at the end and lost."""
    whole = write_video(tmp_path / "whole.mp4", red_frames(60), options={"movflags": "+faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    report = ReadReport()
    assert 20 < len(list(read_frames(cut, report=report))) < 60
    assert any(
        "cut off after" in sentence and "is kept" in sentence for sentence in report.warnings(video_info(cut), None)
    )
    assert ReadReport(60, last_time_s=2.4).warnings(video_info(whole), None) == []


def test_a_broken_frame_costs_a_warning(clip, tmp_path):
    content = bytearray(clip.read_bytes())
    with av.open(str(clip)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.pos is not None]
    content[places[6] + 4 : places[6] + 40] = bytes(36)
    (tmp_path / "broken.mp4").write_bytes(content)
    report = ReadReport()
    frames = list(read_frames(tmp_path / "broken.mp4", report=report))
    assert len(frames) >= 15 and report.num_broken
    assert any("broken frames" in sentence for sentence in report.warnings(video_info(clip), None))


def test_what_is_no_video_is_refused(tmp_path):
    text, sound = tmp_path / "text.mp4", tmp_path / "sound.mp4"
    text.write_text("no video")
    with av.open(str(sound), "w") as only_sound:
        write_tone(only_sound, only_sound.add_stream("aac", rate=44_100, layout="mono"), 200)
    for path, says in ((text, "not a video that can be read"), (sound, "has no video stream")):
        with pytest.raises(ValueError, match=says):
            list(read_frames(path))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        video_info(tmp_path / "missing.mp4")


def test_an_unknown_codec_is_refused(clip, tmp_path):
    content = clip.read_bytes().replace(b"avc1", b"zzzz")
    (tmp_path / "odd.mp4").write_bytes(content)
    with pytest.raises(ValueError, match="codec that cannot be decoded"):
        list(read_frames(tmp_path / "odd.mp4"))


def test_damaged_files_are_read_or_refused(clip, tmp_path):
    rng, content = random.Random(3), clip.read_bytes()
    for _ in range(30):
        path = tmp_path / "damaged.mp4"
        path.write_bytes(damaged(content, rng))
        is_read_or_refused(lambda path=path: (video_info(path), list(read_frames(path))))


def test_a_reader_that_stops_early_ends_its_thread(clip):
    import threading

    frames = read_frames(clip)
    next(frames)
    frames.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "decode"]
