"""A photo's people on disk: what several claim comes back for each of them."""

import numpy as np
import pytest

from opendensepose.data import load_prediction, save_prediction
from opendensepose.instance import Instance
from opendensepose.iuv import IUV

SIZE_HW = (40, 60)


def person(rng, left, right, score, confidence):
    """One who covers columns left to right, with random labels and one confidence everywhere."""
    covered = np.zeros(SIZE_HW, bool)
    covered[5:35, left:right] = True
    i = np.where(covered, rng.integers(1, 25, SIZE_HW), 0).astype(np.uint8)
    u, v = (np.where(covered, rng.random(SIZE_HW), 0).astype(np.float32) for _ in range(2))
    sure = np.where(covered, confidence, 0).astype(np.float32)
    return Instance(np.float32([left, 5, right, 35]), score, IUV(i, u, v), sure)


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    return [person(rng, 5, 40, 0.9, 0.4), person(rng, 20, 50, 0.7, 0.6), person(rng, 22, 30, 0.2, 0.5)]


def test_each_person_comes_back_whole(tmp_path, people):
    save_prediction(tmp_path / "a.npz", people, SIZE_HW)
    found = load_prediction(tmp_path / "a.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    np.testing.assert_array_equal(found.boxes_xyxy, [one.box_xyxy for one in people])
    np.testing.assert_array_equal(found.scores, np.float32([0.9, 0.7, 0.2]))
    assert set(np.unique(found.instance)) == {0, 1, 2}, "the third lies under the second"
    for number, one in enumerate(people, start=1):
        own = found.own_iuv(number)
        for name in ("i", "u", "v"):
            np.testing.assert_array_equal(getattr(own, name), getattr(one.iuv, name))


def test_instances_are_the_people_with_their_score_as_confidence(tmp_path, people):
    save_prediction(tmp_path / "a.npz", people, SIZE_HW)
    for got, one in zip(load_prediction(tmp_path / "a.npz").instances(), people, strict=True):
        np.testing.assert_array_equal(got.iuv.v, one.iuv.v)
        np.testing.assert_array_equal(got.confidence, np.where(one.iuv.i > 0, np.float32(one.score), 0))
        np.testing.assert_array_equal(got.box_xyxy, one.box_xyxy)


def test_nobody_and_people_apart_hide_nothing(tmp_path, people):
    for some in ([], people[:1]):
        save_prediction(tmp_path / "a.npz", some, SIZE_HW)
        found = load_prediction(tmp_path / "a.npz")
        assert found.iuv.size_hw == SIZE_HW and found.boxes_xyxy.shape == (len(some), 4)
        assert len(found.hidden_instance) == 0


def test_a_file_with_the_map_alone_is_read(tmp_path, people):
    save_prediction(tmp_path / "a.npz", people, SIZE_HW)
    with np.load(tmp_path / "a.npz") as content:
        np.savez(tmp_path / "b.npz", **{name: content[name] for name in content if not name.startswith("hidden")})
    found = load_prediction(tmp_path / "b.npz")
    np.testing.assert_array_equal(found.own_iuv(2).i, people[1].iuv.i)
    assert not found.own_iuv(3).i.any()
    assert (found.own_iuv(1).i > 0).sum() == 30 * 15  # columns 5 to 20 are its own


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: {k: m[k] for k in m if k != "V"}, "a.npz: .*V"),
        (lambda m: {k: m[k] for k in m if k != "hidden_U"}, "a.npz: it has hidden_instance, but no hidden_U"),
        (lambda m: m | {"hidden_xy": m["hidden_xy"] + 40}, "a.npz: hidden_xy must lie in the photo of 60 x 40"),
        (lambda m: m | {"hidden_xy": m["hidden_xy"][1:]}, "a.npz: hidden_xy and hidden_I must be"),
        (lambda m: m | {"hidden_xy": m["hidden_xy"] + 0.5}, "a.npz: hidden_xy must be whole numbers"),
        (lambda m: m | {"hidden_U": m["hidden_U"] + 2}, "a.npz: u must lie in"),
        (lambda m: m | {"hidden_instance": m["hidden_instance"] + 9}, "a.npz: hidden_instance must be 1 to 3"),
        (lambda m: m | {"instance": m["instance"] + 9}, "a.npz: instance must be 0 to 3"),
    ],
)
def test_invalid_files_are_one_sentence(tmp_path, people, change, says):
    save_prediction(tmp_path / "a.npz", people, SIZE_HW)
    with np.load(tmp_path / "a.npz") as content:
        maps = dict(content)
    np.savez(tmp_path / "a.npz", **change(maps))
    with pytest.raises(ValueError, match=says):
        load_prediction(tmp_path / "a.npz")


def test_a_failed_write_leaves_what_was_there(tmp_path, people, monkeypatch):
    save_prediction(tmp_path / "a.npz", people, SIZE_HW)
    before = (tmp_path / "a.npz").read_bytes()

    def full_disk(file, **_):
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save_prediction(tmp_path / "a.npz", people[:1], SIZE_HW)
    assert (tmp_path / "a.npz").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
