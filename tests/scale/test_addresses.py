"""Files at paths, in memory and on a server that speaks S3: found, read, copied, and written whole or not at all."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="needs fsspec: pip install 'opendensepose[scale]'")

from opendensepose.scale import addresses
from opendensepose.scale.addresses import (
    base_name,
    find_files,
    is_remote,
    join,
    local_copy,
    names_in,
    persistently,
    read_bytes,
    upload,
    write_bytes,
)


@pytest.fixture(scope="module")
def s3():
    """The address of a bucket on a server of moto's; OPENDENSEPOSE_MOTO names the program where it is not on the path:
    its libraries and ours do not fit into one environment."""
    program = os.environ.get("OPENDENSEPOSE_MOTO") or shutil.which("moto_server")
    if not program:
        pytest.skip("needs moto_server, see docs/scale.md")
    pytest.importorskip("pyarrow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([program, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ENDPOINT_URL", address), ("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b")):
            patch.setenv(f"AWS_{name}", value)
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(urllib.request.Request(f"{address}/bucket", method="PUT"), timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield "s3://bucket"
        finally:
            addresses._file_system.cache_clear()
            server.kill()
            server.wait()


@pytest.fixture(params=["path", "memory", "s3"])
def folder(request, tmp_path):
    """An empty folder's address."""
    if request.param == "s3":
        return join(request.getfixturevalue("s3"), tmp_path.name)
    return str(tmp_path / "in") if request.param == "path" else f"memory://{tmp_path.name}"


def test_what_is_written_is_found_and_read_in_every_place(folder, tmp_path):
    assert names_in(folder) == {}
    contents = {"b.png": b"123", "a.PNG": b"12", "c.txt": b"1", "deeper/d.png": b"4"}
    for name, content in contents.items():
        write_bytes(join(folder, name), content)
    assert names_in(folder) == {"b.png": 3, "a.PNG": 2, "c.txt": 1}
    found = find_files([folder], (".png",))
    assert [(base_name(address), size) for address, size in found] == [("a.PNG", 2), ("b.png", 3)]
    assert find_files([join(folder, "*.png")], (".png",)) == [one for one in found if one[0].endswith("b.png")]
    assert [base_name(one) for one, _ in find_files([join(folder, "**/*.png")], (".png",))] == ["b.png", "d.png"]
    assert find_files([join(folder, "c.txt")], (".png",)) == [(join(folder, "c.txt"), 1)]
    for address, _ in found:
        assert read_bytes(address) == contents[base_name(address)]
        with local_copy(address) as path:
            assert path.read_bytes() == contents[base_name(address)]
        assert path.exists() != is_remote(address)  # a copy is gone, a file stays
    assert read_bytes(join(folder, "b.png"), 1, 3) == b"23"
    (tmp_path / "new").write_bytes(b"other")
    upload(tmp_path / "new", join(folder, "b.png"))
    assert read_bytes(join(folder, "b.png")) == b"other"


def test_what_is_not_there_is_one_sentence(folder):
    write_bytes(join(folder, "a.txt"), b"1")
    with pytest.raises(ValueError, match="there is no file or folder .*nothing.png"):
        find_files([join(folder, "nothing.png")], (".png",))
    with pytest.raises(ValueError, match="holds no file that ends in .png"):
        find_files([folder], (".png",))
    with pytest.raises(FileNotFoundError), local_copy(join(folder, "nothing.png")):
        pass


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match="cannot be written"):
        write_bytes(str(tmp_path / "file" / "a"), b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(ValueError, match="nonsense:// cannot be used"):
        read_bytes("nonsense://a/b")


def test_what_may_pass_is_tried_again_and_what_does_not_is_not(monkeypatch):
    monkeypatch.setattr(addresses.time, "sleep", lambda seconds: None)
    errors = [OSError("busy"), TimeoutError("away")]

    def call():
        if errors:
            raise errors.pop()
        return "there"

    assert persistently(call) == "there"
    errors = [FileNotFoundError(), OSError("not reached")]
    errors.reverse()
    with pytest.raises(FileNotFoundError):
        persistently(call)
    assert len(errors) == 1
    errors = [OSError("busy")] * 5
    with pytest.raises(OSError, match="busy"):
        persistently(call)


def test_names():
    assert join("s3://a/b/", "c") == "s3://a/b/c" and base_name("s3://a/b/") == "b"
    assert (
        is_remote("s3://a") and not is_remote("/a/b") and not is_remote("file:///a") and not is_remote(str(Path("a")))
    )
