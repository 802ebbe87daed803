"""Downloads, from a server on this machine."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from opendensepose.models.checkpoints import official
from opendensepose.models.checkpoints.download import download

CONTENT = bytes(range(256)) * 4000  # a megabyte
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Gives CONTENT; what else it does is set on the class by each test."""

    knows_ranges, breaks_after, tells_size, code = True, None, True, 200
    asked: list = []

    def do_GET(self):
        self.asked.append((self.path, self.headers.get("Range")))
        if self.code != 200:
            return self.send_error(self.code)
        start, asked = 0, self.headers.get("Range")
        if asked and self.knows_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_response(200)
        if self.tells_size:
            self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : self.breaks_after])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    kind = type("Fresh", (Handler,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        kind.address = f"http://127.0.0.1:{running.server_address[1]}"
        yield kind
        running.shutdown()
        thread.join()


def test_the_file_comes_whole(server, tmp_path):
    path = tmp_path / "new" / "file.pkl"
    download(f"{server.address}/file.pkl", path, SHA256)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ["file.pkl"]
    assert server.asked == [("/file.pkl", None)]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_broke_off_is_gone_on_with(server, tmp_path, knows_ranges):
    path = tmp_path / "file.pkl"
    server.breaks_after = 300_000
    with pytest.raises(OSError, match="broke off"):
        download(server.address, path)
    assert not path.exists() and (tmp_path / "file.pkl.part").stat().st_size == 300_000
    server.breaks_after, server.knows_ranges = None, knows_ranges
    download(server.address, path, SHA256)
    assert path.read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=300000-"


def test_a_part_that_is_already_whole_is_taken(server, tmp_path):
    (tmp_path / "file.pkl.part").write_bytes(CONTENT)
    download(server.address, tmp_path / "file.pkl", SHA256)
    assert (tmp_path / "file.pkl").read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"x" * 1000, CONTENT + b"x"])
def test_damaged_files_are_not_kept(server, tmp_path, left):
    (tmp_path / "file.pkl.part").write_bytes(left)
    with pytest.raises(ValueError, match="SHA-256|bytes and should have"):
        download(server.address, tmp_path / "file.pkl", SHA256)
    assert not list(tmp_path.iterdir())
    download(server.address, tmp_path / "file.pkl", SHA256)


def test_servers_that_do_not_tell_the_size(server, tmp_path):
    server.tells_size = False
    download(server.address, tmp_path / "file.pkl", SHA256)
    assert (tmp_path / "file.pkl").read_bytes() == CONTENT


def test_refusals_and_no_connection_are_said(server, tmp_path):
    server.code = 403
    with pytest.raises(OSError, match="the server answers 403"):
        download(server.address, tmp_path / "file.pkl")
    with pytest.raises(OSError, match="no connection"):
        download("http://127.0.0.1:1/file.pkl", tmp_path / "file.pkl")
    assert not list(tmp_path.iterdir())


def test_official_models_are_fetched_once_with_their_licence(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(official, "BASE", server.address)
    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path / "cache"))
    path = official.fetch_official("R_101_FPN_s1x")
    assert path.read_bytes() == CONTENT and path.parent == tmp_path / "cache"
    assert server.asked == [("/densepose_rcnn_R_101_FPN_s1x/165712084/model_final_c6ab63.pkl", None)]
    said = capsys.readouterr().err
    assert "CC BY-SA 3.0" in said and "R_101_FPN_s1x" in said
    assert official.fetch_official("R_101_FPN_s1x") == path
    assert len(server.asked) == 1 and not capsys.readouterr().err


def test_without_network_the_file_to_fetch_by_hand_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(official, "BASE", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path))
    with pytest.raises(OSError, match="no connection.*model_final_162be9.pkl by hand.*--model FILE") as error:
        official.fetch_official("R_50_FPN_s1x")
    assert "\n" not in str(error.value)
