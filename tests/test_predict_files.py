"""Photos on disk in, predictions on disk out."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tests.red_people import RedPeople, photo_with_red

from opendensepose.predict_files import PredictionSummary, predict_files


def test_files_are_written_and_bad_ones_reported(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    Image.fromarray(photo_with_red((120, 160), (50, 20, 90, 110))).save(photos / "good.png")
    Image.fromarray(photo_with_red((30, 40))).save(photos / "nobody.jpg")
    (photos / "bad.jpg").write_bytes(b"nothing")
    seen = []
    summary = predict_files(
        [photos], out, model=RedPeople(), on_photo=lambda done, of, path: seen.append((done, of, path.name))
    )
    assert seen == [(1, 3, "bad.jpg"), (2, 3, "good.png"), (3, 3, "nobody.jpg")]
    assert [p.name for p in summary.written] == ["good.npz", "nobody.npz"]
    assert list(summary.failures) == [photos / "bad.jpg"] and summary.exit_code == 1 and summary.num_people == 1
    assert {p.name for p in out.iterdir()} == {f"{s}.{e}" for s in ("good", "nobody") for e in ("npz", "overlay.jpg")}
    with np.load(out / "good.npz") as good, np.load(out / "nobody.npz") as nobody:
        for found, size_hw, people in ((good, (120, 160), 1), (nobody, (30, 40), 0)):
            shapes = {name: (found[name].shape, found[name].dtype.name) for name in found}
            assert shapes == {
                "I": (size_hw, "uint8"),
                "U": (size_hw, "float32"),
                "V": (size_hw, "float32"),
                "instance": (size_hw, "uint8"),
                "boxes_xyxy": ((people, 4), "float32"),
                "scores": ((people,), "float32"),
                "hidden_instance": ((0,), "uint8"),
                "hidden_xy": ((0, 2), "int32"),
                "hidden_I": ((0,), "uint8"),
                "hidden_U": ((0,), "float32"),
                "hidden_V": ((0,), "float32"),
            }
        np.testing.assert_array_equal(good["instance"] > 0, good["I"] > 0)
        assert good["I"][60, 70] == 2
    with Image.open(out / "good.overlay.jpg") as overlay:
        assert overlay.size == (160, 120)


def test_exit_codes():
    assert PredictionSummary().exit_code == 0
    assert PredictionSummary(failures={"a": "bad"}).exit_code == 2
    assert PredictionSummary(written=["b"], failures={"a": "bad"}).exit_code == 1


def test_what_stops_a_batch_before_it_starts(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(photo_with_red((8, 8))).save(tmp_path / name / "same.png")
    with pytest.raises(ValueError, match="both be written as same.npz"):
        predict_files([tmp_path / "a", tmp_path / "b"], tmp_path / "out", model=RedPeople())
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="output folder .* cannot be written"):
        predict_files([tmp_path / "a"], tmp_path / "file", model=RedPeople())


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(file, **maps):
        file.write(b"half")
        raise OSError("no space left on device")

    Image.fromarray(photo_with_red((8, 8))).save(tmp_path / "p.png")
    monkeypatch.setattr(np, "savez_compressed", full)
    summary = predict_files([tmp_path / "p.png"], tmp_path / "out", model=RedPeople())
    assert summary.exit_code == 2 and "no space" in summary.failures[tmp_path / "p.png"]
    assert not list((tmp_path / "out").iterdir())


def test_extreme_shapes_are_refused_and_the_other_photos_done(tmp_path):
    Image.fromarray(photo_with_red((30, 40))).save(tmp_path / "good.png")
    for name, size_wh in {"long": (70_000, 10), "tall": (1, 1_000_000)}.items():
        Image.new("L", size_wh).save(tmp_path / f"{name}.png")
    out = tmp_path / "out"
    summary = predict_files([tmp_path], out, model=RedPeople())
    assert [path.name for path in summary.failures] == ["long.png", "tall.png"] and summary.exit_code == 1
    for path, sentence in summary.failures.items():
        assert f"the longer side of {path} must be at most 20 times the shorter" in sentence
    assert {path.name for path in out.iterdir()} == {"good.npz", "good.overlay.jpg"}


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (cv2.error("no\nreason"), "OpenCV says 'no reason'"),
        (MemoryError(), "there is too little memory"),
        (torch.OutOfMemoryError("of the GPU"), "there is too little memory"),
    ],
)
def test_what_opencv_throws_and_want_of_memory_are_of_one_photo(tmp_path, error, says):
    class Thrower(RedPeople):
        def find(self, images_rgb, min_score):
            if images_rgb[0].shape[1] > images_rgb[0].shape[0]:
                raise error
            return super().find(images_rgb, min_score)

    Image.fromarray(photo_with_red((40, 20))).save(tmp_path / "good.png")
    Image.fromarray(photo_with_red((20, 40))).save(tmp_path / "bad.png")
    summary = predict_files([tmp_path], tmp_path / "out", model=Thrower())
    assert [path.name for path in summary.written] == ["good.npz"]
    assert says in summary.failures[tmp_path / "bad.png"] and "\n" not in summary.failures[tmp_path / "bad.png"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"good.npz", "good.overlay.jpg"}
