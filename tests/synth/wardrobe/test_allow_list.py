"""The lists name CC0 files only, and paths are matched from their ends."""

import pytest

from opendensepose.synth.wardrobe.allow_list import GARMENTS, PANORAMAS, allow_list, allowed_path

ALLOWED = {"package/a/one.json": "", "package/a/textures/one.png": ""}


def test_the_lists_are_well_formed():
    assert len(allow_list(PANORAMAS)) == 8
    assert len(allow_list(GARMENTS)) > 100
    for name in (GARMENTS, PANORAMAS):
        for path, digest in allow_list(name).items():
            assert len(bytes.fromhex(digest)) == 32
            assert ".." not in path and not path.startswith("/")
    kinds = {path.split("/")[3] for path in allow_list(GARMENTS)}
    assert kinds == {"proxies", "skins"}


def test_what_is_under_other_licences_is_not_on_the_list():
    names = " ".join(allow_list(GARMENTS))
    for kept_out in ("worksuit", "Eyelashes_01", "beard", "curly", "long_alpha7", "special_suit", "toon", "F_Dress"):
        assert kept_out not in names


@pytest.mark.parametrize(
    "found, is_it",
    [
        ("package/a/one.json", True),
        ("./package/a/one.json", True),
        ("./somewhere/deep/package/a/one.json", True),
        ("one.json", True),
        ("b/one.json", False),
        ("package/a/one.json/x", False),
        ("../package/a/one.json", False),
        ("", False),
    ],
)
def test_which_file_stands_for_an_allowed_one(found, is_it):
    assert (allowed_path(found, ALLOWED) == "package/a/one.json") == is_it
