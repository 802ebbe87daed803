"""A folder is begun with settings, and goes on with the same ones only."""

import pytest

pytest.importorskip("fsspec", reason="needs fsspec: pip install 'opendensepose[scale]'")

from opendensepose.scale.settings import check_settings, keep_settings


def test_the_same_settings_pass_whatever_json_makes_of_them(tmp_path):
    for _ in range(2):
        keep_settings(str(tmp_path), {"seed": 1, "size_hw": (48, 64), "person": None})


def test_others_are_named_and_change_nothing(tmp_path):
    keep_settings(str(tmp_path), {"seed": 1, "count": 9})
    before = (tmp_path / "settings.json").read_bytes()
    with pytest.raises(ValueError, match="was made with seed 1, not 2, every None, not 3: name another folder"):
        keep_settings(str(tmp_path), {"seed": 2, "count": 9, "every": 3})
    assert (tmp_path / "settings.json").read_bytes() == before


def test_a_folder_without_settings_is_of_another_version(tmp_path):
    with pytest.raises(ValueError, match="another version"):
        check_settings(str(tmp_path), None, {})
