import sys
from pathlib import Path

import pytest

from opendensepose.cache_folder import cache_folder


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have other cache folders")
def test_the_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("OPENDENSEPOSE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "opendensepose"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "opendensepose"
    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
