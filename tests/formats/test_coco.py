"""One results file of many photos: what COCO's tools read, and all of it back."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.formats.people import SIZE_HW, assert_same_people, nobody, two_people

from opendensepose.data import detection, read_results
from opendensepose.formats.coco import image_ids, join_coco, read_coco, write_coco
from opendensepose.formats.labelled_photo import photo_finder


def write(folder, *labelled):
    parts = [part for one in labelled for part in write_coco(folder, one)]
    (path,) = join_coco(folder, parts)
    return path


def test_entries_are_the_challenge_s(tmp_path):
    path = write(tmp_path, two_people("000000000139.jpg"))
    assert path == tmp_path / "coco.json"
    entries = read_results(path)
    first, second = two_people().people
    assert [entry["image_id"] for entry in entries] == [139, 139]
    assert entries[0]["category_id"] == 1 and entries[0]["score"] == 0.9
    assert entries[0]["bbox"] == [5, 5, 35, 30] and entries[0]["uv_shape"] == [3, 30, 35]
    crop = detection(entries[1]).iuv
    np.testing.assert_array_equal(crop.i, second.iuv.i[5:35, 25:50])
    assert np.abs(crop.u - second.iuv.u[5:35, 25:50]).max() <= 0.5 / 255 + 1e-6


def test_people_come_back_with_what_others_hide(tmp_path):
    path = write(tmp_path, two_people("a.jpg"), nobody("b.jpg"), two_people("c.jpg"))
    found = list(read_coco(path))
    assert [(one.name, one.size_hw) for one in found] == [("a.jpg", SIZE_HW), ("c.jpg", SIZE_HW)]
    for one in found:
        assert_same_people(one.people, two_people().people, step=0.5 / 255)
    assert [entry["image_id"] for entry in read_results(path)] == [1, 1, 3, 3]


def test_no_people_at_all_are_an_empty_list(tmp_path):
    path = write(tmp_path, nobody())
    assert json.loads(path.read_text()) == [] and list(read_coco(path)) == []


def test_ids_are_the_numbers_of_the_names_or_places():
    assert image_ids(["COCO_val2014_000000000042", "000000000139"]) == [42, 139]
    assert image_ids(["a_1", "b_1"]) == image_ids(["a_1", "b"]) == [1, 2]
    assert image_ids([]) == []


def test_a_file_of_others_needs_the_photos_sizes(tmp_path):
    path = write(tmp_path, two_people("000000000139.jpg"))
    entries = [{k: e[k] for k in e if k not in ("file_name", "image_size_hw")} for e in json.loads(path.read_text())]
    path.write_text(json.dumps(entries))
    with pytest.raises(ValueError, match="coco.json: image 139: it does not state the photos' sizes: .*--photos"):
        list(read_coco(path))
    Image.new("RGB", SIZE_HW[::-1]).save(tmp_path / "000000000139.png")
    (found,) = read_coco(path, photo_finder([tmp_path / "000000000139.png"]))
    assert found.size_hw == SIZE_HW and len(found.people) == 2


def test_a_damaged_entry_is_named(tmp_path):
    path = write(tmp_path, two_people("a.jpg"))
    for change, says in (({"uv_data": "x"}, "detection 1: uv_data"), ({"score": 3}, "detection 1: score must lie")):
        entries = json.loads(path.read_text())
        entries[1] |= change
        (tmp_path / "b.json").write_text(json.dumps(entries))
        with pytest.raises(ValueError, match=says):
            list(read_coco(tmp_path / "b.json"))
