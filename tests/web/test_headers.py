"""Security headers on every response."""

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from opendensepose.web.headers import SECURITY_HEADERS, with_security_headers


def test_a_response_gets_the_headers_and_keeps_its_own():
    async def cached(request):
        return PlainTextResponse("a", headers={"Cache-Control": "max-age=9", "X-Frame-Options": "SAMEORIGIN"})

    app = Starlette(routes=[Route("/cached", cached)])

    async def safe(scope, receive, send):
        await app(scope, receive, with_security_headers(send) if scope["type"] == "http" else send)

    with TestClient(safe) as client:
        for path, status in (("/cached", 200), ("/nothing", 404)):
            response = client.get(path)
            assert response.status_code == status
            assert {name: response.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert client.get("/cached").headers["Cache-Control"] == "max-age=9"
        assert client.get("/nothing").headers["Cache-Control"] == "no-store"
