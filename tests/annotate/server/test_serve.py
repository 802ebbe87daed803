"""Starting the server: its host names, its port, the model loaded when it is needed."""

import socket

import pytest

from opendensepose import predict
from opendensepose.annotate.server import serve
from opendensepose.annotate.server.serve import LazyPredictor, allowed_hosts


def test_host_names():
    own = {"127.0.0.1", "localhost", "[::1]"}
    assert set(allowed_hosts("127.0.0.1", None)) == set(allowed_hosts("::1", None)) == own
    assert allowed_hosts("0.0.0.0", None) == ("*",)
    assert set(allowed_hosts("0.0.0.0", "https://Annotate.example.org:444/")) == own | {"annotate.example.org"}
    assert "[fd00::1]" in allowed_hosts("::", "http://[fd00::1]:8765")


def test_a_taken_port_is_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ValueError, match="name another port with --port"):
            serve._listen("127.0.0.1", taken.getsockname()[1])


def test_the_model_is_loaded_at_the_first_use_only(monkeypatch):
    loaded = []
    monkeypatch.setattr(
        predict, "Predictor", lambda model: loaded.append(model) or (lambda image, boxes: (image, boxes))
    )
    predictor = LazyPredictor()
    assert not loaded
    assert predictor("photo", "boxes") == ("photo", "boxes") and predictor("photo") == ("photo", None)
    assert loaded == ["default"]
