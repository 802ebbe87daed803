"""Who may ask: API keys, other sites' pages, security headers on every answer.

Starlette's TrustedHostMiddleware checks the Host header before this, its CORSMiddleware answers preflight requests.
"""

import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from opendensepose.web.addresses import is_loopback
from opendensepose.web.headers import SECURITY_HEADERS, with_security_headers

__all__ = ["KEYS_VARIABLE", "AccessMiddleware", "check_open", "read_keys"]

KEYS_VARIABLE = "OPENDENSEPOSE_API_KEYS"
LEAST_KEY = 16  # letters
WITHOUT_KEY = ("/", "/healthz", "/readyz", "/openapi.json")  # and the page's files
OF_ORIGINS = "Cross-Origin-Resource-Policy"  # the header that keeps answers from the pages that --cors allows


def check_open(host: str, names: Collection[str], keys: Collection[str], is_open: bool) -> None:
    """Raise ValueError, one sentence, if others could reach the service without a key though nobody said so.

    names: under which others reach it, through a proxy.
    """
    if not (is_loopback(host) and not names) and not keys and not is_open:
        where = f"the host {host}" if not is_loopback(host) else f"the name {next(iter(names))}"
        raise ValueError(
            f"others can reach {where}: give --key-file FILE, so that they need a key, or --open to serve anybody."
        )


def read_keys(file: Path | None) -> frozenset[str]:
    """Read API keys, one a line, from a file, and from the environment, separated by commas. ValueError if one is short
    or a file has none."""
    keys = os.environ.get(KEYS_VARIABLE, "").split(",")
    if file is not None:
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        if not any(line.strip() for line in lines):
            raise ValueError(f"{file} must hold API keys, one a line, got none.")
        keys += lines
    keys = [key.strip() for key in keys if key.strip()]
    if any(len(key) < LEAST_KEY or not key.isascii() for key in keys):
        raise ValueError(
            f"an API key must have at least {LEAST_KEY} letters of ASCII: make one with"
            " python -c 'import secrets; print(secrets.token_urlsafe(24))'."
        )
    return frozenset(keys)


class AccessMiddleware:
    """Let requests with a key pass, all if there are no keys, but none of another site's page unless it is among the
    origins."""

    def __init__(self, app: ASGIApp, keys: Collection[str] = (), origins: Collection[str] = ()):
        self.app, self.origins = app, frozenset(origins)
        self.headers = {name: value for name, value in SECURITY_HEADERS.items() if not origins or name != OF_ORIGINS}
        # A set of hashes: how long a look-up takes says nothing about a key.
        self.hashes = frozenset(_hash(key) for key in keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await (self._refusal(scope) or self.app)(scope, receive, with_security_headers(send, self.headers))

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that may not pass, None to others."""
        headers, path = Headers(scope=scope), scope["path"]
        is_foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site") and scope["method"] != "GET"
        origin = headers.get("origin", "")
        if is_foreign and not {"*", origin} & self.origins:
            return JSONResponse({"error": "Pages of other sites may not ask here; --cors ORIGIN allows one."}, 403)
        if not self.hashes or path in WITHOUT_KEY or path.startswith("/static/"):
            return None
        scheme, _, key = headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        if _hash(key) in self.hashes:
            return None
        sentence = "An API key is needed: send the header Authorization: Bearer KEY."
        return JSONResponse({"error": sentence}, 401, {"WWW-Authenticate": "Bearer"})


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
