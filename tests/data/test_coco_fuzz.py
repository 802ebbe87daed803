"""Damaged annotation files are read or refused in one sentence, within bounded memory; `data check` reports on them."""

import copy
import json
import random

import numpy as np
import pytest
from tests.hostile import damaged, is_read_or_refused, memory_limit

from opendensepose.data.check import check_file, report_lines
from opendensepose.data.coco import person_annotation, read_annotations
from opendensepose.data.masks import decode_mask, decode_part_masks, run_lengths

EXTREME = (
    *(None, True, -1, 0, 2**31, 2**63, 10**30, 1e308, float("nan"), float("-inf"), "", "1", "\ud800", [], {}, [[]]),
    *(
        [1e308] * 4,
        [None],
        ["a"],
        {"size": [10**9, 10**9], "counts": [10**18]},
        {"size": [256, 256], "counts": "ooooo"},
    ),
)


@pytest.fixture(scope="module")
def document():
    i = np.zeros((40, 30), np.uint8)
    i[5:35, 4:26] = 2
    u = np.where(i > 0, np.float32(0.5), np.float32(0))
    keypoints = np.tile([10.0, 10.0, 2.0], (17, 1))
    person = person_annotation(annotation_id=1, image_id=7, i=i, u=u, v=u, keypoints=keypoints)
    image = {"id": 7, "file_name": "a.jpg", "width": 30, "height": 40}
    return {"images": [image], "annotations": [person], "categories": [{"id": 1, "name": "person", "keypoints": ["a"]}]}


def read_all(path):
    """What the commands do with a file: people and their masks, and the report."""
    list(report_lines(check_file(path)))
    annotations = read_annotations(path)
    for image_id in annotations.images:
        annotations.people(image_id)


def with_a_field_changed(document, rng):
    document = copy.deepcopy(document)
    place = document
    for _ in range(rng.randrange(1, 6)):
        keys = list(place) if isinstance(place, dict) else range(len(place))
        inner = [key for key in keys if isinstance(place[key], dict | list) and place[key]]
        if not inner:
            break
        place = place[rng.choice(inner)]
    key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
    kind = rng.randrange(3)
    if kind == 0:
        place[key] = copy.deepcopy(rng.choice(EXTREME))
    elif kind == 1:
        del place[key]
    else:
        other = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
        place[key], place[other] = place[other], place[key]
    return document


def test_changed_fields(tmp_path, document):
    rng, path, results = random.Random(0), tmp_path / "a.json", []
    path.write_text(json.dumps(document))
    assert is_read_or_refused(lambda: read_all(path))
    with memory_limit(256 << 20):
        for _ in range(200):
            path.write_text(json.dumps(with_a_field_changed(document, rng)))
            results.append(is_read_or_refused(lambda: read_all(path)))
    assert any(results) and not all(results)


def test_damaged_bytes(tmp_path, document):
    rng, path, content = random.Random(1), tmp_path / "a.json", json.dumps(document).encode()
    with memory_limit(256 << 20):
        for _ in range(200):
            path.write_bytes(damaged(content, rng))
            is_read_or_refused(lambda: read_all(path))
        for text in ("[" * 100_000, '{"images":' * 50_000, '{"images": [], "annotations": ' + "9" * 100_000 + "}"):
            path.write_text(text)
            assert not is_read_or_refused(lambda: read_all(path))


def test_runs_whose_sum_overflows_to_the_right_one():
    runs = [2**62, 2**62, 2**62, 2**62, 4]  # 4 modulo 2^64
    with pytest.raises(ValueError, match="cover 18446744073709551616 pixels, expected 4"):
        run_lengths({"size": [2, 2], "counts": runs})
    with pytest.raises(ValueError, match="at most 200,000,000 pixels, got 1000000000 x 1000000000"):
        decode_mask({"size": [10**9, 10**9], "counts": [10**18]})
    codes = [{"size": [256, 256], "counts": [2**62] * 4 + [65536]}] + [[]] * 13
    with pytest.raises(ValueError, match="part mask 1"):
        decode_part_masks(codes)
