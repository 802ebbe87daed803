"""The labels of a video, read back; whatever came after a mark is forgotten, and the file is the same in the end."""

import io
import zipfile

import numpy as np
import pytest
from tests.video.test_steady import SIZE, person, square

from opendensepose.video.frames_file import FramesFile, FramesWriter
from opendensepose.video.labeller import TrackedPerson

INFO = {"size_hw": SIZE, "fps": 25.0}


def people_of(k: int) -> list[TrackedPerson]:
    return [TrackedPerson(2, person(square(10 + 3 * k, 5), 0.3)), TrackedPerson(1, person(square(60, 8), 0.7))][: k % 3]


def write(path, first: int, stop: int, writer=None):
    with writer or FramesWriter(path, INFO) as writer:
        for k in range(first, stop):
            writer.append(0.04 * k, 512 * k, people_of(k))
    return path.read_bytes()


def test_people_are_read_back_with_their_tracks(tmp_path):
    write(tmp_path / "a.zip", 0, 5)
    with FramesFile(tmp_path / "a.zip") as file:
        assert len(file) == 5 and file.info["fps"] == 25 and file.times_s() == [0.04 * k for k in range(5)]
        for k, frame in enumerate(file):
            assert frame.time_stamp == 512 * k
            assert [one.track_id for one in frame.people] == [one.track_id for one in people_of(k)]
            for one, other in zip(frame.people, people_of(k), strict=True):
                np.testing.assert_array_equal(one.instance.iuv.i, other.instance.iuv.i)
                np.testing.assert_allclose(one.instance.iuv.u, other.instance.iuv.u, atol=0.5 / 255 + 1e-6)
                np.testing.assert_allclose(one.instance.confidence, other.instance.confidence, atol=0.5 / 15 + 1e-6)


def test_numpy_and_zipfile_alone_read_it(tmp_path):
    write(tmp_path / "a.zip", 0, 3)
    arrays = np.load(io.BytesIO(zipfile.ZipFile(tmp_path / "a.zip").read("000002.npz")))
    x, y = arrays["corners_xy"][0]
    i, u, _, _ = arrays["labels_0"]
    assert (x, y) == (16, 20) and i.shape == (40, 30) and (i == 5).all() and (u == round(0.3 * 255)).all()


@pytest.mark.parametrize("torn", [0, 1, 70])
def test_a_file_cut_back_to_a_mark_ends_as_if_nothing_had_happened(tmp_path, torn):
    whole = write(tmp_path / "whole.zip", 0, 9)
    writer = FramesWriter(tmp_path / "a.zip", INFO)
    for k in range(4):
        writer.append(0.04 * k, 512 * k, people_of(k))
    mark = writer.mark()
    for k in range(4, 7):
        writer.append(1.0, 1, people_of(k))
    killed, writer.zip.fp = writer.zip.fp, None
    killed.close()
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content[: len(content) - torn])  # as a kill leaves it
    assert write(tmp_path / "a.zip", 4, 9, FramesWriter.go_on(tmp_path / "a.zip", mark)) == whole


def test_marks_leave_no_trace(tmp_path):
    whole = write(tmp_path / "whole.zip", 0, 6)
    with FramesWriter(tmp_path / "a.zip", INFO) as writer:
        for k in range(6):
            writer.append(0.04 * k, 512 * k, people_of(k))
            writer.mark()
    assert (tmp_path / "a.zip").read_bytes() == whole


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.zip").write_text("no zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a.txt", "a")
    for name in ("text.zip", "other.zip"):
        with pytest.raises(ValueError, match="is not a file of a video's labels"):
            FramesFile(tmp_path / name)
    write(tmp_path / "short.zip", 0, 1)
    with pytest.raises(ValueError, match="shorter than it was"):
        FramesWriter.go_on(tmp_path / "short.zip", (10**6).to_bytes(8, "little"))
