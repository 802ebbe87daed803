"""Security headers, on every response of a server."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

__all__ = ["SECURITY_HEADERS", "with_security_headers"]

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
        " font-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def with_security_headers(send: Send, headers: Mapping[str, str] = SECURITY_HEADERS) -> Send:
    """Return a `send` that adds the headers to a response, and forbids caches unless the response allows them."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            of_response = MutableHeaders(scope=message)
            of_response.update(headers)
            of_response.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_with_headers
