"""A video in the formats of photos: numbered files that hold what the labels' file has, one coco.json, a clip."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.red_people import RedPeople
from tests.video.clips import red_frames, write_video

from opendensepose.formats import STYLES, read_labels
from opendensepose.video.formats import VideoFormats
from opendensepose.video.frames_file import FramesFile, FramesWriter
from opendensepose.video.predict_video import predict_video
from opendensepose.video.reader import read_frames, video_info


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "a.mp4", red_frames(6))


@pytest.fixture(scope="module")
def out(clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    names = "npz,iuv-png,coco,catvton,cutout,detectron2,dreampose,magicanimate"
    predict_video(clip, folder, RedPeople(), formats=names, overlay=False)
    return folder


def test_each_frame_has_its_files(out):
    frames = out / "a.frames"
    assert sorted(path.name for path in out.iterdir()) == [
        "a.densepose.zip", "a.formats.json", "a.frames", "a.magicanimate.mp4"
    ]  # fmt: skip
    assert len(list(frames.glob("a_00000?.iuv.png"))) == len(list(frames.glob("catvton/a_00000?.png"))) == 6
    with FramesFile(out / "a.densepose.zip") as labels:
        for k, frame in enumerate(labels):
            (labelled,) = read_labels(frames / f"a_{k:06d}.iuv.png", "iuv-png")
            np.testing.assert_array_equal(labelled.merged().i, frame.people[0].instance.iuv.i)
            cutout = np.array(Image.open(frames / f"a_{k:06d}.cutout_1.png"))
            assert cutout[cutout[..., 3] > 200][:, 0].mean() > 220  # the frame's own red


def test_coco_is_one_file_with_the_frames_numbers(out):
    entries = json.loads((out / "a.frames" / "coco.json").read_text())
    assert [entry["image_id"] for entry in entries] == [0, 1, 2, 3, 4, 5]
    assert not (out / "a.frames" / "coco.parts").exists()


def test_magicanimate_is_a_clip_in_its_colours(out):
    frames = list(read_frames(out / "a.magicanimate.mp4"))
    assert len(frames) == 6 and video_info(out / "a.magicanimate.mp4").fps == 25
    palette = STYLES["magicanimate"].palette().astype(int)
    image = frames[2].image_rgb.astype(int)
    assert image.shape == (512, 512, 3)
    np.testing.assert_allclose(image[30:200, 300:500].mean((0, 1)), palette[0], atol=4)
    np.testing.assert_allclose(image[210:300, 70:110].mean((0, 1)), palette[2], atol=8)


@pytest.mark.parametrize(("every", "fps"), [(1, 50), (1, 10), (3, 25)])
def test_a_clip_of_another_rate_lasts_as_long(tmp_path, every, fps):
    times_ms = [1000 * k // fps for k in range(12)]
    clip = write_video(tmp_path / "b.mp4", red_frames(12), times_ms=times_ms)
    predict_video(clip, tmp_path, RedPeople(), formats="magicanimate", overlay=False, every=every)
    num_frames = len(list(read_frames(tmp_path / "b.magicanimate.mp4")))
    assert num_frames == pytest.approx(25 * 12 / fps, abs=3)


def test_what_is_done_is_written_again_only_if_it_would_differ(clip, tmp_path):
    network = RedPeople()
    options = {"formats": "iuv-png", "overlay": False}
    predict_video(clip, tmp_path, network, **options)
    num_calls, path = len(network.calls), tmp_path / "a.frames" / "a_000003.iuv.png"
    before = path.stat().st_mtime_ns
    assert predict_video(clip, tmp_path, network, **options).was_done and path.stat().st_mtime_ns == before
    predict_video(clip, tmp_path, network, person="2", **options)
    assert path.stat().st_mtime_ns > before and not np.array(Image.open(path)).any()  # there is one person only
    assert len(network.calls) == num_calls
    (tmp_path / "a.formats.json").write_text("{")  # damaged: written again
    assert not predict_video(clip, tmp_path, network, person="2", **options).was_done


def test_a_run_that_was_killed_writes_its_formats_again(clip, tmp_path):
    def kill(what, number, total):
        if what == "formats" and number == 3:
            raise KeyboardInterrupt

    options = {"formats": "coco", "overlay": False}
    with pytest.raises(KeyboardInterrupt):
        predict_video(clip, tmp_path, RedPeople(), on_frame=kill, **options)
    assert not (tmp_path / "a.frames" / "coco.json").exists()
    predict_video(clip, tmp_path, RedPeople(), **options)
    assert len(json.loads((tmp_path / "a.frames" / "coco.json").read_text())) == 6


def test_the_largest_is_one_track_in_all_frames(tmp_path):
    """Track 1 is smaller in the first frame and larger in the others."""
    from tests.video.test_steady import SIZE, person, square

    from opendensepose.video.labeller import TrackedPerson

    small, large = square(10, 5), square(60, 8)
    small[:, 20:] = 0
    path = tmp_path / "a.densepose.zip"
    with FramesWriter(path, {"size_hw": SIZE, "fps": 25.0}) as writer:
        for k in range(3):
            first, second = (person(one) for one in ((small, large) if k == 0 else (large, small)))
            writer.append(0.04 * k, k, [TrackedPerson(1, first), TrackedPerson(2, second)])
    formats = VideoFormats("catvton")
    formats.write(path, lambda: iter(()), formats.missing(path), None)
    grey = [np.array(Image.open(tmp_path / "a.frames" / "catvton" / f"a_{k:06d}.png")) for k in range(3)]
    np.testing.assert_array_equal(grey[0], small)
    np.testing.assert_array_equal(grey[1], large)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"formats": "atlas"}, "the format atlas is of one photo, got a video"),
        ({"formats": "gif"}, "there is no format 'gif'"),
        ({"formats": "coco", "person": "0"}, "a person must be all, largest or a number from 1, got '0'"),
        ({"formats": "coco", "min_confidence": 2.0}, r"min_confidence must lie in \[0, 1\], got 2.0"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_done(clip, tmp_path, options, says):
    with pytest.raises(ValueError, match=says):
        predict_video(clip, tmp_path / "out", RedPeople(), **options)
    assert not (tmp_path / "out").exists()
