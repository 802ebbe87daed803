"""A clip in chunks: every frame once, and a person keeps one number across chunks."""

import numpy as np
import pytest
from tests.red_people import RedPeople, photo_with_red
from tests.video.clips import write_video

from opendensepose.scale.clips import JoinedTracks, chunks_of, elected, predict_clips, same_people
from opendensepose.video.frames_file import FramesFile
from opendensepose.video.labeller import TrackedPerson
from opendensepose.video.predict_video import predict_video

pytest.importorskip("fsspec", reason="needs fsspec: pip install 'opendensepose[scale]'")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    frames = [photo_with_red((64, 96), (10 + k // 4, 10, 40 + k // 4, 50)) for k in range(50)]
    return write_video(tmp_path_factory.mktemp("clip") / "a.mp4", frames)


@pytest.mark.parametrize("every", [1, 3])
def test_chunks_give_the_frames_of_the_whole_clip_and_one_person(clip, tmp_path, every):
    predict_video(clip, tmp_path / "whole", RedPeople(), overlay=False, every=every)
    options = {"every": every, "chunk_s": 0.8, "overlap_s": 0.4}
    summary = predict_clips([str(clip)], str(tmp_path / "out"), RedPeople(), **options)
    assert (summary.failures, summary.warnings, summary.exit_code) == ([], [], 0)
    assert summary.num_people == {str(clip): 1} and len(list((tmp_path / "out" / "chunks" / "a").iterdir())) == 2
    whole, joined = (FramesFile(tmp_path / name / "a.densepose.zip") for name in ("whole", "out"))
    with whole, joined:
        assert joined.times_s() == whole.times_s() and joined.info == whole.info
        for one, other in zip(joined, whole, strict=True):
            assert [person.track_id for person in one.people] == [1]
            same = one.people[0].instance.iuv.i == other.people[0].instance.iuv.i
            assert same.mean() > 0.99
    again = predict_clips([str(clip)], str(tmp_path / "out"), RedPeople(), **options)
    assert again.skipped == [str(clip)] and again.exit_code == 0


def test_chunks_that_are_there_are_not_labelled_again(clip, tmp_path):
    options = {"chunk_s": 0.8, "overlap_s": 0.4}
    predict_clips([str(clip)], str(tmp_path), RedPeople(), **options)
    before = (tmp_path / "a.densepose.zip").read_bytes()
    (tmp_path / "a.densepose.zip").unlink()
    (tmp_path / "chunks" / "a" / "00001.zip").unlink()
    network = RedPeople()
    predict_clips([str(clip)], str(tmp_path), network, **options)
    assert (tmp_path / "a.densepose.zip").read_bytes() == before
    num_calls = len(network.calls)
    (tmp_path / "a.densepose.zip").unlink()
    predict_clips([str(clip)], str(tmp_path), network, **options)
    assert len(network.calls) == num_calls and (tmp_path / "a.densepose.zip").read_bytes() == before


def test_chunks_of_other_settings_are_not_joined(clip, tmp_path):
    options = {"chunk_s": 0.8, "overlap_s": 0.4}
    predict_clips([str(clip)], str(tmp_path), RedPeople(), **options)
    (tmp_path / "a.densepose.zip").unlink()
    with pytest.raises(ValueError, match="was made with every 1, not 2: name another folder"):
        predict_clips([str(clip)], str(tmp_path), RedPeople(), every=2, **options)
    assert not (tmp_path / "a.densepose.zip").exists()


def test_a_bad_clip_costs_itself_only(clip, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no clip")
    summary = predict_clips(
        [str(tmp_path / "bad.mp4"), str(clip), str(tmp_path / "gone.mp4")], str(tmp_path), RedPeople()
    )
    assert list(summary.num_frames.values()) == [50] and summary.exit_code == 1
    assert len(summary.failures) == 2 and "bad.mp4 is not a video" in " ".join(summary.failures)
    with pytest.raises(ValueError, match="two clips would be written as a"):
        predict_clips(["x/a.mp4", "y/a.mp4"], str(tmp_path), RedPeople())
    with pytest.raises(ValueError, match="longer than its overlap"):
        predict_clips([str(clip)], str(tmp_path), RedPeople(), chunk_s=1, overlap_s=1)


def test_the_parts_cover_a_clip_whatever_its_header_says():
    for length_s in (0.0, 0.4, 59.0, 60.0, 61.0, 200.0):
        parts = chunks_of("a/b.mp4", length_s, 60, 2)
        assert parts[0].warm_s == parts[0].start_s == 0 and parts[-1].end_s is None
        for one, following in zip(parts, parts[1:], strict=False):
            assert one.end_s == following.start_s and following.warm_s == following.start_s - 2


def person(track_id, box):
    return TrackedPerson(track_id, _Instance(np.float32(box)))


class _Instance:
    def __init__(self, box_xyxy):
        self.box_xyxy = box_xyxy


class _Frame:
    def __init__(self, time_s, *people):
        self.time_s, self.time_stamp, self.people = time_s, round(time_s * 100), list(people)


def test_two_people_who_cross_a_border_keep_their_numbers_and_a_new_one_gets_another():
    left, right, new = (0, 0, 10, 20), (30, 0, 40, 20), (60, 0, 70, 20)
    tracks = JoinedTracks()
    first = list(tracks.joined([_Frame(k / 10, person(1, left), person(2, right)) for k in range(10)], 0.0))
    assert [one.track_id for one in first[-1].people] == [1, 2]
    chunk = [_Frame(0.7 + k / 10, person(1, right), person(2, left)) for k in range(3)]
    chunk += [_Frame(1.0, person(1, right), person(2, left), person(3, new))]
    (frame,) = tracks.joined(chunk, 1.0)
    assert [one.track_id for one in frame.people] == [2, 1, 3] and tracks.num_people == 3


def test_who_is_who_is_voted_and_each_number_is_given_once():
    assert elected({(1, 7): 3, (2, 7): 5, (1, 8): 1}) == {2: 7, 1: 8}
    assert same_people(None, [person(1, (0, 0, 1, 1))]) == []
    known = np.array([[7, 0, 0, 10, 10], [8, 100, 0, 110, 10]])
    assert same_people(known, [person(3, (101, 0, 111, 10)), person(4, (50, 50, 60, 60))]) == [(3, 8)]
