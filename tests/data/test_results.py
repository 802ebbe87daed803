"""Results files: crops by hand and back, every kind of invalid entry."""

import base64
import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from opendensepose.data import detection, read_results, result_entry, write_results
from opendensepose.iuv import IUV


def base64_png(array, form="PNG"):
    file = BytesIO()
    Image.fromarray(np.asarray(array, np.uint8)).save(file, form)
    return base64.b64encode(file.getvalue()).decode()


def entry(**changes):
    """A detection of 2 x 3 pixels; a change to ... leaves the field out."""
    pixels = [[[0, 9, 9], [2, 0, 255], [2, 51, 102]], [[24, 255, 0], [1, 1, 2], [0, 0, 0]]]
    whole = {
        "image_id": 7,
        "category_id": 1,
        "score": 0.5,
        "bbox": [10.7, 20.2, 3.4, 2.1],
        "uv_shape": [3, 2, 3],
        "uv_data": base64_png(pixels),
        "track": "a",
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def test_a_detection_by_hand():
    found = detection(entry())
    assert (found.image_id, found.score) == (7, 0.5)
    np.testing.assert_allclose(found.box_xyxy, [10.7, 20.2, 14.1, 22.3], rtol=1e-6)
    assert found.iuv.i.tolist() == [[0, 2, 2], [24, 1, 0]]
    np.testing.assert_allclose(found.iuv.u * 255, [[0, 0, 51], [255, 1, 0]], atol=1e-4)  # 0 on background
    np.testing.assert_allclose(found.iuv.v * 255, [[0, 255, 102], [0, 2, 0]], atol=1e-4)


def test_the_red_channel_is_i():
    crop = IUV(np.full((1, 1), 5, np.uint8), np.full((1, 1), 0.2, np.float32), np.full((1, 1), 0.4, np.float32))
    made = result_entry(image_id=1, score=0.9, box_xyxy=np.array([2, 3, 4, 6], np.float32), iuv=crop)
    with Image.open(BytesIO(base64.b64decode(made["uv_data"]))) as image:
        assert image.getpixel((0, 0)) == (5, 51, 102)
    assert made["bbox"] == [2, 3, 2, 3] and made["uv_shape"] == [3, 1, 1] and made["category_id"] == 1


def test_bytes_come_back_and_coordinates_to_a_255th(tmp_path):
    rng = np.random.default_rng(0)
    i = rng.integers(0, 25, (40, 30)).astype(np.uint8)
    u, v = (np.where(i > 0, rng.random(i.shape), 0).astype(np.float32) for _ in range(2))
    box = np.array([1, 2, 31, 42], np.float32)
    path = tmp_path / "results.json"
    write_results(path, [result_entry(image_id=4, score=0.25, box_xyxy=box, iuv=IUV(i, u, v))])
    (read,) = read_results(path)
    found = detection(read)
    np.testing.assert_array_equal(found.iuv.i, i)
    assert np.abs(found.iuv.u - u).max() <= 0.5 / 255 + 1e-6 and np.abs(found.iuv.v - v).max() <= 0.5 / 255 + 1e-6
    again = result_entry(image_id=4, score=found.score, box_xyxy=found.box_xyxy, iuv=found.iuv)
    assert again == read


def test_a_file_comes_back_whole(tmp_path):
    path = tmp_path / "results.json"
    write_results(path, [entry(), entry(score=0.1)])
    write_results(path, read_results(path))
    assert json.loads(path.read_text()) == [entry(), entry(score=0.1)]


def test_base64_may_have_line_breaks():
    text = entry()["uv_data"]
    lines = "\n".join(text[k : k + 76] for k in range(0, len(text), 76)) + "\n"
    for broken in (lines, lines.replace("\n", "\r\n"), " \t".join(text)):
        np.testing.assert_array_equal(detection(entry(uv_data=broken)).iuv.i, detection(entry()).iuv.i)


GREY = base64_png(np.zeros((2, 3)))
WHOLE_PNG = base64.b64decode(entry()["uv_data"])


def deep_png():
    file = BytesIO()
    Image.fromarray(np.zeros((2, 3), np.uint16)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("place", range(8, len(WHOLE_PNG), 3))
def test_a_png_with_a_changed_byte_is_refused(place):
    changed = WHOLE_PNG[:place] + bytes([WHOLE_PNG[place] ^ 5]) + WHOLE_PNG[place + 1 :]
    with pytest.raises(ValueError, match="^uv_data is damaged"):
        detection(entry(uv_data=base64.b64encode(changed).decode()))


@pytest.mark.parametrize("length", range(8, len(WHOLE_PNG)))
def test_a_png_that_is_cut_off_is_refused(length):
    with pytest.raises(ValueError, match="^uv_data is damaged"):
        detection(entry(uv_data=base64.b64encode(WHOLE_PNG[:length]).decode()))


@pytest.mark.parametrize(
    "changes, says",
    [
        ({"bbox": ...}, "bbox is missing"),
        ({"bbox": [0, 0, -1, 2]}, "bbox must have"),
        ({"score": ...}, "score is missing"),
        ({"score": float("nan")}, "score must be a finite number, got nan"),
        ({"uv_shape": ...}, r"uv_shape must be \[3, height, width\], got None"),
        ({"uv_shape": [1, 2, 3]}, "uv_shape must begin with 3"),
        ({"uv_shape": [3, 2, 0]}, "uv_shape must be"),
        ({"uv_shape": [3, 3, 2]}, "uv_data is a picture of 2 x 3, uv_shape says 3 x 2"),
        ({"uv_data": ...}, "uv_data must be a PNG in base64, got none"),
        ({"uv_data": "%%%"}, "uv_data is not base64"),
        ({"uv_data": base64.b64encode(b"hello").decode()}, "uv_data is not a PNG"),
        ({"uv_data": base64_png(np.zeros((2, 3, 3)), "JPEG")}, "uv_data is not a PNG"),
        ({"uv_data": base64.b64encode(WHOLE_PNG[:45]).decode()}, "uv_data is damaged"),
        ({"uv_data": GREY}, "uv_data must be an RGB picture of 8 bits, got mode L"),
        ({"uv_data": base64_png(np.zeros((2, 3, 4)))}, "uv_data must be an RGB picture of 8 bits, got mode RGBA"),
        ({"uv_data": deep_png()}, "uv_data must be an RGB picture of 8 bits, got mode L of 16 bits"),
        ({"uv_data": base64_png(np.full((2, 3, 3), 25))}, "uv_data: I must be 0 to 24, got 25"),
    ],
)
def test_an_invalid_detection_is_one_sentence_with_the_field(changes, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        detection(entry(**changes))


@pytest.mark.parametrize("content, says", [({}, "expected a list"), ([{}], "detection 0 has no"), ([1], "detection 0")])
def test_a_file_of_another_form_is_refused(tmp_path, content, says):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"results.json: {says}"):
        read_results(path)


def test_an_empty_crop_has_no_entry():
    crop = IUV(np.zeros((0, 3), np.uint8), np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32))
    with pytest.raises(ValueError, match="at least one pixel"):
        result_entry(image_id=1, score=1, box_xyxy=np.zeros(4), iuv=crop)
