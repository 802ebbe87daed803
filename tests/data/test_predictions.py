"""A photo's people on disk: what several claim comes back for each of them."""

import numpy as np
import pytest
from tests.formats.people import SIZE_HW, person

from opendensepose.data import load_prediction, save_prediction
from opendensepose.instance import Instance, merge_instances
from opendensepose.iuv import empty_iuv
from opendensepose.surface import SurfaceEmbedding


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
        window, confidence, (left, top) = found.own_labels(number)
        height, width = window.size_hw
        assert window.i.any(0)[[0, -1]].all() and window.i.any(1)[[0, -1]].all(), "the smallest window"
        for name in ("i", "u", "v"):
            np.testing.assert_array_equal(getattr(own, name), getattr(one.iuv, name))
            cut = getattr(one.iuv, name)[top : top + height, left : left + width]
            np.testing.assert_array_equal(getattr(window, name), cut)
        np.testing.assert_array_equal(confidence, one.confidence[top : top + height, left : left + width])
    for one, back in zip(people, found.people(), strict=True):
        np.testing.assert_array_equal(back.confidence, one.confidence)
        np.testing.assert_array_equal(back.iuv.u, one.iuv.u)
        np.testing.assert_array_equal(back.box_xyxy, one.box_xyxy)
        assert back.score == np.float32(one.score)


def test_people_who_were_read_are_written_as_the_same_file(tmp_path, people):
    save_prediction(tmp_path / "a.npz", people, SIZE_HW)
    save_prediction(tmp_path / "b.npz", load_prediction(tmp_path / "a.npz").people(), SIZE_HW)
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        assert a.files == b.files
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])


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
    assert not found.own_iuv(3).i.any() and found.own_labels(3)[0].size_hw == (0, 0)
    assert (found.own_iuv(1).i > 0).sum() == 30 * 15  # columns 5 to 20 are its own


def test_a_file_without_confidence_keeps_who_lies_on_top(tmp_path, people):
    save_prediction(tmp_path / "a.npz", people, SIZE_HW)
    with np.load(tmp_path / "a.npz") as content:
        np.savez(tmp_path / "b.npz", **{name: content[name] for name in content if "confidence" not in name})
    found = load_prediction(tmp_path / "b.npz")
    np.testing.assert_array_equal(found.confidence, found.iuv.i > 0)
    iuv, instance = merge_instances(found.people(), SIZE_HW)
    np.testing.assert_array_equal(instance, found.instance)
    np.testing.assert_array_equal(iuv.v, found.iuv.v)


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
        (lambda m: m | {"I": m["I"].astype(object)}, "a.npz is not an .npz of arrays of numbers"),
        (lambda m: m | {"confidence": m["confidence"][1:]}, "a.npz: confidence must be float32 of shape"),
        (lambda m: m | {"hidden_confidence": m["hidden_confidence"] + 1}, "a.npz: hidden_confidence must lie in"),
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


def embedded_person(rng, window, confidence, mesh="tiny"):
    x0, y0, x1, y1 = window
    vertex = rng.integers(0, 1000, (y1 - y0, x1 - x0)).astype(np.int32)
    maps = rng.standard_normal((3, 8, 8)).astype(np.float32)
    embedding = SurfaceEmbedding(mesh, np.array(window, np.int32), vertex, maps)
    return Instance(np.float32(window), 0.9, empty_iuv(SIZE_HW), np.full(SIZE_HW, confidence, np.float32), embedding)


def test_vertices_and_embeddings_are_kept_by_name(tmp_path):
    rng = np.random.default_rng(0)
    people = [embedded_person(rng, (5, 5, 40, 35), 0.4), embedded_person(rng, (20, 10, 60, 40), 0.6)]
    save_prediction(tmp_path / "a.npz", people, SIZE_HW)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        found = dict(file)
    assert found["mesh"] == "tiny" and found["embeddings"].dtype == np.float32 and found["vertex"].dtype == np.int32
    for k, one in enumerate(people, start=1):
        own = np.where(found["instance"] == k, found["vertex"], -1)
        hidden = found["hidden_instance"] == k
        x, y = found["hidden_xy"][hidden].T
        own[y, x] = found["hidden_vertex"][hidden]
        np.testing.assert_array_equal(own, one.embedding.vertex_in_photo(SIZE_HW))
        np.testing.assert_array_equal(found["embeddings"][k - 1], one.embedding.maps)
        np.testing.assert_array_equal(found["windows_xyxy"][k - 1], one.embedding.window_xyxy)
    assert (found["vertex"][found["instance"] == 0] == -1).all() and len(found["hidden_vertex"]) == 25 * 20
    assert load_prediction(tmp_path / "a.npz").scores.tolist() == [np.float32(0.9)] * 2


def test_people_of_several_meshes_are_refused(tmp_path, people):
    rng = np.random.default_rng(0)
    one, other = (embedded_person(rng, (5, 5, 40, 35), 0.4, mesh) for mesh in ("tiny", "other"))
    for some in ([one, other], [one, people[0]]):
        with pytest.raises(ValueError, match="embeddings of one mesh and size, or none"):
            save_prediction(tmp_path / "a.npz", some, SIZE_HW)
    assert not list(tmp_path.iterdir())
