"""Where a server listens, under which names it is addressed."""

import socket

import pytest

from opendensepose.web.addresses import LOOPBACK_HOSTS, allowed_hosts, is_loopback, listen, url_of


def test_loopback_is_what_only_this_machine_reaches():
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0") and not is_loopback("10.0.0.3") and not is_loopback("::")


def test_host_names():
    assert set(allowed_hosts("127.0.0.1")) == set(allowed_hosts("::1")) == set(LOOPBACK_HOSTS)
    assert set(allowed_hosts("127.0.0.1", ["a.example"])) == {*LOOPBACK_HOSTS, "a.example"}
    assert set(allowed_hosts("0.0.0.0", ["a.example"])) == {*LOOPBACK_HOSTS, "a.example"}
    assert allowed_hosts("0.0.0.0") == ("*",)


def test_a_free_port_can_be_reached_at_its_url():
    with listen("127.0.0.1", 0) as listener:
        host, port = url_of("127.0.0.1", listener).removeprefix("http://").split(":")
        socket.create_connection((host, int(port)), timeout=10).close()
        assert url_of("::1", listener) == f"http://[::1]:{port}"


def test_a_taken_port_is_a_sentence():
    with listen("127.0.0.1", 0) as taken, pytest.raises(ValueError, match="name another port with --port"):
        listen("127.0.0.1", taken.getsockname()[1])
