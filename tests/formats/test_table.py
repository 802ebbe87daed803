"""What the table says of each format is so."""

import numpy as np
import pytest
from tests.formats.people import assert_same_map, two_people

from opendensepose.formats import FORMATS, Content, find_formats
from opendensepose.instance import merge_instances


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_holds_what_it_says(tmp_path, name):
    """A file written and read back gives what `holds` lists; what cannot be read holds nothing."""
    format_, labelled = FORMATS[name], two_people()
    paths = format_.write(tmp_path, labelled)
    assert paths and all(path.is_file() for path in paths)
    assert sorted(paths) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    if format_.read is None:
        assert not format_.holds
        return
    if format_.join:
        paths = format_.join(tmp_path, paths)
    (found,) = format_.read(paths[0], None)
    iuv, person = merge_instances(labelled.people, labelled.size_hw)
    merged, found_person = merge_instances(found.people, found.size_hw)
    hidden = sum((one.iuv.i > 0).sum() for one in labelled.people)
    is_true = {
        Content.PEOPLE: len(found.people) == 2,
        Content.SCORES: [np.float32(one.score) for one in found.people] == [np.float32(0.9), np.float32(0.7)],
        Content.HIDDEN: sum((one.iuv.i > 0).sum() for one in found.people) == hidden,
        Content.CONFIDENCE: {float(one.confidence.max()) for one in found.people} == {np.float32(0.4), np.float32(0.6)},
        Content.UV: bool(merged.u.any()),
        Content.CHARTS: set(np.unique(merged.i)) == set(np.unique(iuv.i)),
        Content.PHOTO: found.image_rgb is not None,
    }
    assert {content for content, value in is_true.items() if value} == format_.holds
    if Content.HIDDEN not in format_.holds:
        np.testing.assert_array_equal(merged.i, iuv.i)
    if format_.holds >= {Content.UV, Content.CONFIDENCE}:
        assert_same_map(merged, iuv)


def test_all_that_was_asked_for_is_there():
    assert list(FORMATS) == [
        "npz", "iuv-png", "iuv-legacy", "coco", "detectron2", "viton", "catvton", "cvton", "magicanimate",
        "controlnet-parula", "controlnet-viridis", "dreampose", "pose-with-style", "atlas", "cutout",
    ]  # fmt: skip
    assert all(format_.summary and "\n" not in format_.summary for format_ in FORMATS.values())


def test_names_are_found_in_order_and_others_refused():
    assert list(find_formats("coco, npz")) == ["coco", "npz"]
    for wrong in ("nosuch", "npz,nosuch", "", "npz,"):
        with pytest.raises(ValueError, match="there is no format .*: known formats are npz, iuv-png"):
            find_formats(wrong)
