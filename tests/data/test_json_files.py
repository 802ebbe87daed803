"""JSON files: the same back after writing, whole or not at all, one sentence for what is no JSON."""

import json
import math

import pytest

from opendensepose import atomic_write
from opendensepose.data.json_files import read_json, write_json

AWKWARD = {
    "numbers": [1, 1.0, -0.0, 0.1, 1e-300, 123456789012345678901234567890, 0.30000000000000004],
    "text": ["", "é", "日本", '"\\\n', "null", "\ud800"],
    "nothing": None,
    "nested": {"list": [[], {}, [None, True, False]], "": {"x": [1]}},
    "number": 3,
}


def types(value):
    """The same structure with every number's type beside it: 1 and 1.0 are equal but not the same."""
    if isinstance(value, dict):
        return {key: types(entry) for key, entry in value.items()}
    return [types(entry) for entry in value] if isinstance(value, list) else (type(value), value)


@pytest.mark.parametrize("document", [AWKWARD, [AWKWARD, 1, "x"], [], {}, 5, None, {"annotations": [{"a": None}]}])
def test_what_is_written_is_read_again(tmp_path, document):
    path = tmp_path / "file.json"
    write_json(path, document)
    assert types(read_json(path)) == types(document) == types(json.loads(path.read_text()))
    write_json(path, read_json(path))
    assert types(read_json(path)) == types(document)


def test_the_order_of_fields_stays(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, {"z": [{"b": 1, "a": 2}], "a": {"y": 1, "x": 2}})
    assert path.read_text().replace("\n", "") == '{"z":[{"b":1,"a":2}],"a":{"y":1,"x":2}}'


def test_nan_and_infinity_are_read_and_written(tmp_path):
    path = tmp_path / "file.json"
    path.write_text('{"u": [NaN, Infinity, -Infinity, null]}')
    write_json(path, read_json(path))
    nan, plus, minus, nothing = read_json(path)["u"]
    assert math.isnan(nan) and plus == math.inf and minus == -math.inf and nothing is None


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"images": [1, 2', "is not JSON: .* line 1, column"),
        (b'{\n "a": tru }', "line 2, column 7"),
        (b"\x89PNG\r\n\x1a\n\x00", "is not JSON: byte 0"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{'a': 1}", "is not JSON"),
        (b"[NaN, " + b"1" * 5000 + b"]", "cannot be read"),
    ],
)
def test_what_is_no_json_is_one_sentence_with_the_files_name(tmp_path, content, says):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"broken.json.* {says}|broken.json is {says}") as error:
        read_json(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_os_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "gone.json")
    with pytest.raises(OSError):
        read_json(tmp_path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file.json"
    write_json(path, [1])
    with pytest.raises(TypeError):
        write_json(path, [1, {2j}])

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr(atomic_write.os, "replace", full)
        write_json(path, [2])
    assert read_json(path) == [1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]
