"""The picture of the architecture is what its script draws from the imports now."""

import pytest
from scripts import make_architecture_picture as picture


def test_the_picture_is_up_to_date():
    assert picture.PICTURE.read_text() == picture.draw(), "run python scripts/make_architecture_picture.py"


def test_a_step_that_nothing_before_it_imports_is_refused(monkeypatch):
    monkeypatch.setattr(picture, "FLOWS", {"up": ("red", [("iuv.py", "below"), ("predict.py", "above")])})
    with pytest.raises(SystemExit, match="no step before predict.py imports it"):
        picture.draw()


def test_a_step_without_a_module_is_refused(monkeypatch):
    monkeypatch.setattr(picture, "FLOWS", {"gone": ("red", [("never.py", "not there")])})
    with pytest.raises(SystemExit, match="there is no never.py"):
        picture.draw()
