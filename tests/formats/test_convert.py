"""Files of one format to another: what is the same after, what is refused, what is said to be lost."""

import numpy as np
import pytest
from PIL import Image
from tests.formats.people import SIZE_HW, assert_same_map, assert_same_people, nobody, two_people

from opendensepose.formats import FORMATS, convert_files, format_of, read_labels

FULL = ("npz", "coco", "detectron2")


def written(name, folder, *labelled):
    """The files of a format with these photos."""
    folder.mkdir(exist_ok=True)
    paths = [path for one in labelled for path in FORMATS[name].write(folder, one)]
    return FORMATS[name].join(folder, paths) if FORMATS[name].join else paths


@pytest.mark.parametrize("source", FULL)
@pytest.mark.parametrize("to", FULL)
def test_full_formats_become_each_other(tmp_path, source, to):
    paths = written(source, tmp_path / "in", two_people("a.jpg"), two_people("b.jpg"))
    conversion = convert_files(paths, to, tmp_path / "out")
    assert not conversion.failures and conversion.exit_code == 0
    photos = [one for path in conversion.written for one in read_labels(path, to)]
    assert [one.stem for one in photos] == ["a", "b"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(p.name for p in conversion.written)
    for one in photos:
        assert_same_people(one.people, two_people().people, step=0.5 / 255 if "coco" in (source, to) else 0)


def test_what_is_lost_is_said(tmp_path):
    (path,) = written("npz", tmp_path / "in", two_people())
    assert convert_files([path], "npz", tmp_path / "a").losses == []
    assert convert_files([path], "detectron2", tmp_path / "a").losses == ["detectron2 does not hold confidence"]
    lost, steps = convert_files([path], "iuv-png", tmp_path / "a").losses
    assert lost == (
        "iuv-png does not hold which person a pixel is of, boxes and scores, labels that lie under another person's and"
        " confidence"
    )
    assert steps == "U and V are stored in 255ths"
    losses = convert_files([path], "viton", tmp_path / "a").losses
    assert "viton is of one person, by default the largest" in losses
    assert "the part map is fitted into 768 x 1024 pixels" in losses
    assert "viton cannot be read back: JPEG blurs the colours and U and V are not in it" in losses


@pytest.mark.parametrize(
    ("source", "to", "says"),
    [
        ("iuv-png", "npz", "npz needs which person a pixel is of and boxes and scores, which iuv-png does not hold"),
        ("iuv-legacy", "coco", "coco needs boxes and scores, which iuv-legacy does not hold"),
        ("catvton", "iuv-png", "iuv-png needs U and V, which catvton does not hold"),
        ("npz", "atlas", "atlas needs the photos: name them, or their folder, with --photos"),
        ("viton", "cvton", "viton cannot be read back: JPEG blurs the colours"),
        ("dreampose", "npz", "dreampose cannot be read back: it holds U and V, but no chart"),
        ("cutout", "npz", "cutout cannot be read back: it holds colours, but no labels"),
        ("npz", "nosuch", "there is no format 'nosuch'"),
        ("npz", "cvton,catvton", "files are converted to one format at a time"),
    ],
)
def test_what_is_missing_is_said_and_nothing_written(tmp_path, source, to, says):
    paths = written(source, tmp_path / "in", two_people())
    with pytest.raises(ValueError, match=says):
        convert_files(paths[:1], to, tmp_path / "out", source=source)
    assert not (tmp_path / "out").exists()


def test_maps_of_parts_become_each_other(tmp_path):
    (path,) = written("catvton", tmp_path, two_people())
    (path,) = convert_files([path], "controlnet-viridis", tmp_path / "out").written
    (path,) = convert_files([path], "cvton", tmp_path / "out").written
    (found,) = read_labels(path, "cvton")
    np.testing.assert_array_equal(found.merged().i, two_people().merged().i)


def test_a_chosen_person_and_sure_labels_only(tmp_path):
    (path,) = written("npz", tmp_path, two_people())
    first, second = two_people().people
    for options, expected in (({"person": "2"}, [second]), ({"person": "largest"}, [first]), ({"person": "3"}, []),
                              ({"min_confidence": 0.5}, [second]), ({}, [first, second])):  # fmt: skip
        (made,) = convert_files([path], "npz", tmp_path / "out", **options).written
        assert_same_people(next(read_labels(made, "npz")).people, expected)
    (made,) = convert_files([path], "catvton", tmp_path / "out").written
    np.testing.assert_array_equal(np.array(Image.open(made)), first.iuv.i, "the largest, the other not over it")
    (made,) = convert_files([path], "dreampose", tmp_path / "out", person="all").written
    np.testing.assert_array_equal(np.load(made)[0], two_people().merged().u)
    with pytest.raises(ValueError, match="a person must be"):
        convert_files([path], "npz", tmp_path / "out", person="tallest")


def test_photos_bring_colours_and_names(tmp_path):
    (path,) = written("iuv-png", tmp_path / "in", two_people())
    Image.fromarray(two_people().image_rgb).save(tmp_path / "two.png")
    (made,) = convert_files([path], "atlas", tmp_path / "out", photos=[tmp_path / "two.png"]).written
    assert made.name == "two.atlas_1.png"
    Image.new("RGB", (9, 9)).save(tmp_path / "two.png")
    conversion = convert_files([path], "cutout", tmp_path / "out", photos=[tmp_path / "two.png"])
    assert conversion.exit_code == 2 and "60 x 40" in conversion.failures[path]


def test_folders_and_file_names_tell_the_format(tmp_path):
    for name in ("npz", "iuv-png", "iuv-legacy", "coco", "detectron2", "pose-with-style", "catvton", "cvton",
                 "controlnet-parula", "controlnet-viridis"):  # fmt: skip
        paths = written(name, tmp_path / "all", two_people())
        assert format_of(paths[0]) == name
    assert format_of(tmp_path / "photo.png") is None
    with pytest.raises(
        ValueError, match="holds files of coco, detectron2, iuv-legacy, iuv-png and npz: say --from NAME"
    ):
        convert_files([tmp_path / "all"], "cvton", tmp_path / "out")
    assert len(convert_files([tmp_path / "all"], "cvton", tmp_path / "out", source="npz").written) == 1
    assert len(convert_files([tmp_path / "all" / "cvton"], "catvton", tmp_path / "out").written) == 1
    with pytest.raises(ValueError, match="holds no file of a format that can be read"):
        (tmp_path / "empty").mkdir()
        convert_files([tmp_path / "empty"], "npz", tmp_path / "out")
    with pytest.raises(ValueError, match="photo.jpg does not tell its format by its name: say --from NAME"):
        (tmp_path / "photo.jpg").touch()
        convert_files([tmp_path / "photo.jpg"], "npz", tmp_path / "out")
    with pytest.raises(ValueError, match="there is no file or folder"):
        convert_files([tmp_path / "gone.npz"], "npz", tmp_path / "out")


def test_one_bad_file_does_not_stop_the_others(tmp_path):
    good = written("npz", tmp_path, two_people())
    (tmp_path / "bad.npz").write_bytes(b"bad")
    conversion = convert_files([tmp_path], "iuv-png", tmp_path / "out")
    assert list(conversion.failures) == [tmp_path / "bad.npz"] and conversion.exit_code == 1
    assert len(conversion.written) == len(good)


def test_photos_of_one_name_do_not_overwrite_each_other(tmp_path):
    paths = written("npz", tmp_path / "a", two_people()) + written("npz", tmp_path / "b", nobody("two.jpg"))
    conversion = convert_files(paths, "iuv-png", tmp_path / "out")
    assert "both have a photo two: convert them into two folders" in conversion.failures[paths[1]]
    (found,) = read_labels(conversion.written[0], "iuv-png")
    assert_same_map(found.merged(), two_people().merged(), step=0.5 / 255)


def test_nobody_converts(tmp_path):
    (path,) = written("npz", tmp_path, nobody())
    for name in set(FORMATS) - {"atlas", "cutout"}:
        assert convert_files([path], name, tmp_path / "out").exit_code == 0
    assert np.asarray(Image.open(tmp_path / "out" / "image-densepose" / "nobody.jpg")).shape == (1024, 768, 3)
    assert SIZE_HW == np.load(tmp_path / "out" / "dreampose" / "nobody_densepose.npy").shape[1:]
