"""Where a server listens, and under which names it is addressed."""

import socket
from collections.abc import Collection

__all__ = ["LOOPBACK_HOSTS", "allowed_hosts", "is_loopback", "listen", "url_of"]

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")  # as the Host header has them
QUEUED_CONNECTIONS = 1024


def is_loopback(host: str) -> bool:
    """Tell whether only programs on this machine can reach the address."""
    return host in ("localhost", "127.0.0.1", "::1")


def allowed_hosts(host: str, names: Collection[str] = ()) -> tuple[str, ...]:
    """Return what the Host header may be; anything ("*") where the machine's names are not known.

    names: under which a proxy makes the server known, as the Host header has them.
    """
    if is_loopback(host) or names:
        return (*LOOPBACK_HOSTS, *names)
    return ("*",)


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes a free one. ValueError, one sentence, if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol given, asyncio sends small responses at once; without, each waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(QUEUED_CONNECTIONS)
    except OSError as error:
        listener.close()
        reason = error.strerror or error
        raise ValueError(f"cannot listen on {host}, port {port}: {reason}; name another port with --port.") from None
    return listener


def url_of(host: str, listener: socket.socket) -> str:
    """Return the address that a browser on this machine can open."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
