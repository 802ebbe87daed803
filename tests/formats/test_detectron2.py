"""Dumps: torch and detectron2's own classes read ours, ours reads theirs, and anything else in one is refused."""

import os
import pickle
import random
import subprocess
import sys
import types
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image
from tests.formats.people import SIZE_HW, assert_same_people, nobody, person, two_people
from tests.hostile import damaged, is_read_or_refused, memory_limit

from opendensepose.formats.detectron2 import read_dump, write_dump
from opendensepose.formats.labelled_photo import LabelledPhoto, photo_finder
from opendensepose.restricted_pickle import reader


@dataclass
class DensePoseChartResultWithConfidences:
    """The fields that detectron2's class has; it stands in for it under its name."""

    labels: torch.Tensor
    uv: torch.Tensor
    sigma_1: torch.Tensor | None = None
    sigma_2: torch.Tensor | None = None
    kappa_u: torch.Tensor | None = None
    kappa_v: torch.Tensor | None = None
    fine_segm_confidence: torch.Tensor | None = None
    coarse_segm_confidence: torch.Tensor | None = None


@pytest.fixture
def result_class(monkeypatch):
    """The class, where detectron2 has it, for pickle to find."""
    name = "densepose.structures.chart_result"
    for place in ("densepose", "densepose.structures", name):
        monkeypatch.setitem(sys.modules, place, types.ModuleType(place))
    monkeypatch.setattr(DensePoseChartResultWithConfidences, "__module__", name)
    sys.modules[name].DensePoseChartResultWithConfidences = DensePoseChartResultWithConfidences
    return DensePoseChartResultWithConfidences


def their_dump(path, result_class, people, name="photos/two.jpg", **changes):
    """What `apply_net.py dump` would save of these people."""
    boxes = torch.tensor(np.array([one.box_xyxy for one in people]))
    results = []
    for one in people:
        x0, y0, x1, y1 = one.box_xyxy.astype(int)
        window = np.s_[y0:y1, x0:x1]
        labels = torch.from_numpy(one.iuv.i[window].astype(np.int64))
        uv = torch.from_numpy(np.stack([one.iuv.u[window], one.iuv.v[window]]))
        results.append(result_class(labels=labels, uv=uv, sigma_1=torch.ones(labels.shape)))
    scores = torch.tensor([one.score for one in people])
    entry = {"file_name": name, "scores": scores, "pred_boxes_XYXY": boxes, "pred_densepose": results}
    torch.save([entry | changes], path)
    return path


@pytest.fixture
def find_photo(tmp_path):
    Image.new("RGB", SIZE_HW[::-1]).save(tmp_path / "two.jpg")
    return photo_finder([tmp_path / "two.jpg"])


def test_torch_and_the_class_read_ours(tmp_path, result_class):
    (path,) = write_dump(tmp_path, two_people())
    (entry,) = torch.load(path, weights_only=False)
    assert entry["file_name"] == "two.jpg" and path.name == "two.pkl"
    assert entry["scores"].dtype == torch.float32 and entry["scores"].tolist() == pytest.approx([0.9, 0.7])
    assert entry["pred_boxes_XYXY"].tolist() == [[5, 5, 40, 35], [25, 5, 50, 35]]
    for result, one in zip(entry["pred_densepose"], two_people().people, strict=True):
        assert type(result) is result_class and result.fine_segm_confidence is None and result.kappa_v is None
        x0, y0, x1, y1 = one.box_xyxy.astype(int)
        assert result.labels.dtype == torch.int64 and result.uv.dtype == torch.float32
        np.testing.assert_array_equal(result.labels, one.iuv.i[y0:y1, x0:x1])
        np.testing.assert_array_equal(result.uv, [one.iuv.u[y0:y1, x0:x1], one.iuv.v[y0:y1, x0:x1]])


@pytest.mark.parametrize("labelled", [two_people(), nobody()], ids=["two", "nobody"])
def test_ours_comes_back_without_the_photo(tmp_path, labelled):
    (path,) = write_dump(tmp_path, labelled)
    (found,) = read_dump(path)
    assert (found.name, found.size_hw) == (labelled.name, SIZE_HW)
    assert_same_people(found.people, labelled.people)


def test_theirs_is_read_with_the_photo_for_its_size(tmp_path, result_class, find_photo):
    path = their_dump(tmp_path / "a.pkl", result_class, two_people().people)
    (found,) = read_dump(path, find_photo)
    assert found.stem == "two" and found.size_hw == SIZE_HW
    assert_same_people(found.people, two_people().people)
    with pytest.raises(ValueError, match="a.pkl: photo 0: it does not state the photos' sizes: .*--photos"):
        list(read_dump(path))


def test_u_and_v_beyond_0_and_1_are_cut_off(tmp_path, result_class, find_photo):
    uv = torch.tensor([[[1.5, 0.25]], [[-0.5, 0.75]]])
    result = result_class(labels=torch.tensor([[3, 0]]), uv=uv)
    boxes = torch.tensor([[10.9, 4.2, 12.9, 5.2]])
    entry = {"file_name": "two.jpg", "scores": torch.ones(1), "pred_boxes_XYXY": boxes, "pred_densepose": [result]}
    torch.save([entry], tmp_path / "a.pkl")
    iuv = next(read_dump(tmp_path / "a.pkl", find_photo)).people[0].iuv
    assert (iuv.i[4, 10], iuv.u[4, 10], iuv.v[4, 10]) == (3, 1, 0), "the box is cut off to whole pixels"
    assert (iuv.i > 0).sum() == 1 and not iuv.u[4, 11]


def test_pred_densepose_may_be_missing(tmp_path, find_photo):
    torch.save([{"file_name": "two.jpg"}], tmp_path / "a.pkl")
    assert next(read_dump(tmp_path / "a.pkl", find_photo)).people == []


class Bomb:
    def __reduce__(self):
        return os.system, ("touch exploded",)


@dataclass
class Stranger:
    labels: object = None


@pytest.mark.parametrize(
    "strange", [Bomb(), Stranger(), Stranger(Bomb()), [Bomb()]], ids=["bomb", "stranger", "bomb inside", "list"]
)
def test_other_classes_are_refused_and_not_run(tmp_path, result_class, find_photo, monkeypatch, strange):
    monkeypatch.chdir(tmp_path)
    for place in ({"pred_densepose": [strange]}, {"file_name": strange}, {"more": strange}):
        path = their_dump(tmp_path / "a.pkl", result_class, two_people().people, **place)
        with pytest.raises(ValueError, match="a.pkl is refused: .*asks for") as error:
            list(read_dump(path, find_photo))
        assert not (tmp_path / "exploded").exists() and "\n" not in str(error.value)
    result = result_class(labels=strange, uv=torch.zeros(2, 1, 1))
    path = their_dump(tmp_path / "a.pkl", result_class, [], pred_densepose=[result])
    with pytest.raises(ValueError, match="is refused"):
        list(read_dump(path, find_photo))


@pytest.mark.parametrize(
    "content",
    [b"", b"text", pickle.dumps([{"file_name": "a"}]), pickle.dumps(Bomb())],
    ids=["empty", "text", "pickle", "bomb"],
)
def test_what_torch_did_not_write_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pkl").write_bytes(content)
    with pytest.raises(ValueError, match="a.pkl is refused"):
        list(read_dump(tmp_path / "a.pkl"))
    assert not (tmp_path / "exploded").exists()
    with pytest.raises(FileNotFoundError, match="there is no file"):
        list(read_dump(tmp_path / "gone.pkl"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"file_name": None}, "file_name is missing"),
        ({"scores": torch.ones(3)}, "scores must be numbers of shape"),
        ({"scores": torch.tensor([2.0, 1])}, "score must lie in"),
        ({"pred_boxes_XYXY": torch.full((2, 4), float("nan"))}, "pred_boxes_XYXY must be finite"),
        ({"pred_boxes_XYXY": torch.tensor([[3.0, 0, 1, 1]] * 2)}, "box_xyxy must have x0 <= x1"),
        ({"pred_densepose": [1, 2]}, "pred_densepose must be a list of chart results"),
    ],
)
def test_invalid_entries_are_one_sentence(tmp_path, result_class, find_photo, changes, says):
    path = their_dump(tmp_path / "a.pkl", result_class, two_people().people, **changes)
    with pytest.raises(ValueError, match=f"a.pkl: photo 0: {says}"):
        list(read_dump(path, find_photo))


@pytest.mark.parametrize(
    ("labels", "uv", "says"),
    [
        (torch.zeros(3), torch.zeros(2, 3), "labels must be whole numbers of shape"),
        (torch.full((2, 2), 25), torch.zeros(2, 2, 2), "labels must be 0 to 24, got 25 to 25"),
        (torch.ones(2, 2).long(), torch.zeros(2, 2, 3), r"uv must be numbers of shape \(2, 2, 2\)"),
        (torch.ones(2, 2).long(), torch.full((2, 2, 2), float("nan")), "uv must be finite"),
    ],
)
def test_invalid_labels_are_one_sentence(tmp_path, result_class, find_photo, labels, uv, says):
    one = two_people().people[:1]
    path = their_dump(tmp_path / "a.pkl", result_class, one, pred_densepose=[result_class(labels=labels, uv=uv)])
    with pytest.raises(ValueError, match=says):
        list(read_dump(path, find_photo))
    torch.save({"a": 1}, path)
    with pytest.raises(ValueError, match="is no dump"):
        list(read_dump(path, find_photo))


def test_damaged_dumps_are_read_or_refused(tmp_path, result_class, find_photo):
    path = their_dump(tmp_path / "a.pkl", result_class, two_people().people)
    content, rng, results = path.read_bytes(), random.Random(0), []
    with memory_limit(256 << 20):
        for _ in range(300):
            path.write_bytes(damaged(content, rng))
            results.append(is_read_or_refused(lambda: list(read_dump(path, find_photo))))
    assert not all(results)


def test_how_long_a_dump_may_be_goes_with_its_pixels(tmp_path, result_class, monkeypatch):
    """A dump of thousands of people has more opcodes than a checkpoint may have; small opcodes alone are refused."""
    monkeypatch.setattr(reader, "MAX_OPCODES", 100)
    size_hw = (40, 400)
    many = [person(np.random.default_rng(k), 5, 395, 0.5, 0.5, size_hw) for k in range(5)]
    (path,) = write_dump(tmp_path, LabelledPhoto("many.jpg", size_hw, many))
    assert len(next(read_dump(path)).people) == 5
    torch.save([[] for _ in range(1000)], path)
    with pytest.raises(ValueError, match="is refused: .*opcodes"):
        list(read_dump(path))


def test_reading_and_writing_need_no_torch(tmp_path):
    code = "import sys; from pathlib import Path; from tests.formats.people import two_people\n"
    code += "from opendensepose.formats import FORMATS\n"
    code += f"path, = FORMATS['detectron2'].write(Path({str(tmp_path)!r}), two_people())\n"
    code += "print(len(next(FORMATS['detectron2'].read(path, None)).people), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]
