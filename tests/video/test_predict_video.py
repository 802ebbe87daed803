"""A clip becomes its files, or a sentence and nothing; killed and gone on with, the files are the same."""

import numpy as np
import pytest
from tests.red_people import RedPeople
from tests.video.clips import red_frames, write_video

from opendensepose.video import predict_video as module
from opendensepose.video.frames_file import FramesFile
from opendensepose.video.predict_video import labelled_frames, predict_video
from opendensepose.video.reader import read_frames, video_info


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "a.mp4", red_frames(20), sound="aac")


def test_labels_and_overlay_of_all_frames(clip, tmp_path):
    calls = []
    summary = predict_video(clip, tmp_path, RedPeople(), on_frame=lambda *one: calls.append(one))
    assert (summary.num_frames, summary.num_people, summary.warnings) == (20, 1, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.densepose.zip", "a.overlay.mp4"]
    assert calls == [("labels", k, 20) for k in range(1, 21)] + [("overlay", k, 20) for k in range(1, 21)]
    overlay = list(read_frames(tmp_path / "a.overlay.mp4"))
    assert len(overlay) == 20 and video_info(tmp_path / "a.overlay.mp4").has_audio
    with FramesFile(tmp_path / "a.densepose.zip") as labels:
        assert [[one.track_id for one in frame.people] for frame in labels] == [[1]] * 20


@pytest.mark.parametrize("every", [1, 3])
def test_a_part_of_the_clip_and_each_k_th_frame(clip, tmp_path, every):
    predict_video(clip, tmp_path, RedPeople(), start_s=0.2, end_s=0.6, every=every)
    with FramesFile(tmp_path / "a.densepose.zip") as labels:
        assert labels.times_s() == pytest.approx([0.2 + 0.04 * k for k in range(0, 10, every)])
        assert labels.info["fps"] == pytest.approx(25 / every)
    assert len(list(read_frames(tmp_path / "a.overlay.mp4"))) == len(range(0, 10, every))


class KilledError(Exception):
    pass


@pytest.mark.parametrize("killed_at", [6, 13])
def test_a_killed_run_goes_on_and_writes_the_same_file(clip, tmp_path, monkeypatch, killed_at):
    predict_video(clip, tmp_path / "whole", RedPeople())
    monkeypatch.setattr(module, "SECONDS_BETWEEN_MARKS", -1.0)  # a mark after each frame

    def kill(what, number, total):
        if number == killed_at:
            monkeypatch.setattr(module.FramesWriter, "mark", None)
            raise KilledError

    with monkeypatch.context(), pytest.raises(KilledError):
        predict_video(clip, tmp_path / "again", RedPeople(), on_frame=kill)
    monkeypatch.undo()
    assert not (tmp_path / "again" / "a.densepose.zip").exists()
    done = []
    predict_video(clip, tmp_path / "again", RedPeople(), on_frame=lambda what, number, total: done.append(number))
    assert done[0] == killed_at + 1
    for name in ("a.densepose.zip", "a.overlay.mp4"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert len(list((tmp_path / "again").iterdir())) == 2


def test_a_killed_run_with_other_options_starts_anew(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_MARKS", -1.0)

    def kill(what, number, total):
        if number == 5:
            raise KilledError

    with pytest.raises(KilledError):
        predict_video(clip, tmp_path, RedPeople(), on_frame=kill)
    done = []
    predict_video(clip, tmp_path, RedPeople(), every=2, on_frame=lambda what, number, total: done.append(number))
    assert done[0] == 1 and done[9] == 10


def test_what_is_done_is_not_repeated_unless_asked_for(clip, tmp_path):
    network = RedPeople()
    predict_video(clip, tmp_path, network)
    num_calls = len(network.calls)
    assert predict_video(clip, tmp_path, network).was_done and len(network.calls) == num_calls
    (tmp_path / "a.overlay.mp4").unlink()
    assert not predict_video(clip, tmp_path, network).was_done and len(network.calls) == num_calls
    assert (tmp_path / "a.overlay.mp4").is_file()
    predict_video(clip, tmp_path, network, again=True)
    assert len(network.calls) > num_calls


def test_no_overlay(clip, tmp_path):
    predict_video(clip, tmp_path, RedPeople(), overlay=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.densepose.zip"]


def test_frames_come_with_their_people(clip, tmp_path):
    predict_video(clip, tmp_path, RedPeople(), every=4)
    pairs = list(labelled_frames(clip, tmp_path / "a.densepose.zip"))
    for image_rgb, people in pairs:
        red = image_rgb[..., 0] > 200
        assert np.count_nonzero(red != (people[0].instance.iuv.i > 0)) < 120
    assert len(pairs) == 5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"every": 0}, "every must be at least 1"),
        ({"start_s": 2.0, "end_s": 1.0}, "start before end, got 2.0 and 1.0"),
        ({"start_s": 5.0}, "has no frame that can be decoded in the part asked for"),
    ],
)
def test_bad_input_leaves_nothing(clip, tmp_path, options, says):
    with pytest.raises(ValueError, match=says):
        predict_video(clip, tmp_path / "out", RedPeople(), **options)
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_written(clip, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ValueError, match="the output folder .* cannot be written"):
        predict_video(clip, tmp_path / "out", RedPeople())
