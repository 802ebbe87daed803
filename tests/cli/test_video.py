"""`predict` of videos: which paths are clips, what times mean, codes and sentences."""

import pytest
from tests.red_people import RedPeople
from tests.video.clips import red_frames, write_video

from opendensepose.cli.video import predict_videos, seconds_of, split_videos


def test_clips_are_parted_from_photos_also_in_folders(tmp_path):
    for name in ("both/a.mp4", "both/a.jpg", "clips/b.MOV", "photos/c.png", "d.webm", "e.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    given = [tmp_path / name for name in ("both", "clips", "photos", "d.webm", "e.jpg", "gone.mp4", "gone")]
    videos, rest = split_videos(given)
    assert videos == [tmp_path / name for name in ("both/a.mp4", "clips/b.MOV", "d.webm", "gone.mp4")]
    assert rest == [tmp_path / name for name in ("both", "photos", "e.jpg", "gone")]


def test_times():
    assert [seconds_of(text) for text in ("12.5", "1:30", "1:02:03", "0")] == [12.5, 90, 3723, 0]
    assert seconds_of(None) is None
    for text in ("soon", "-1", "1:2:3:4", "", "nan", "inf"):
        with pytest.raises(ValueError, match="a time must be seconds"):
            seconds_of(text)


def test_bad_clips_cost_a_sentence_and_the_others_are_done(tmp_path, capsys):
    good, bad = write_video(tmp_path / "good.mp4", red_frames(4)), tmp_path / "bad.mp4"
    bad.write_text("no video")
    out = tmp_path / "out"
    assert predict_videos([bad], out, model=RedPeople()) == 2 and not out.exists()
    assert predict_videos([bad, good], out, model=RedPeople()) == 1
    said = capsys.readouterr()
    assert said.err.count("bad.mp4 is not a video that can be read") == 2
    assert said.out == f"good.mp4: frames labelled: 4, written to {out}\n"
    assert predict_videos([good], out, model=RedPeople()) == 0
    assert "done before" in capsys.readouterr().out


def test_two_clips_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="would both be written as a"):
        predict_videos([tmp_path / "x" / "a.mp4", tmp_path / "y" / "a.mov"], tmp_path)


def test_formats_are_those_of_photos_and_one_that_makes_no_sense_is_refused(tmp_path, capsys):
    clip, out = write_video(tmp_path / "a.mp4", red_frames(3)), tmp_path / "out"
    assert predict_videos([clip], out, model=RedPeople(), formats="atlas") == 2 and not out.exists()
    assert "the format atlas is of one photo, got a video" in capsys.readouterr().err
    assert predict_videos([clip], out, model=RedPeople(), formats="iuv-png", person="1", overlay=False) == 0
    assert len(list((out / "a.frames").iterdir())) == 3
