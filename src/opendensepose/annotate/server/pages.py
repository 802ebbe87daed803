"""The pages: HTML of one base, the same for every user; their scripts ask the API for everything else."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from opendensepose.annotate.server.markup import render
from opendensepose.annotate.server.requests import Call, Endpoint

__all__ = ["PAGE_ENDPOINTS", "enter_page"]


def _page(name: str) -> Callable[[Any, Call], Response]:
    def respond(state: Any, call: Call) -> Response:
        return _html(f"{name}.html", page=name)

    return respond


async def enter_page(request: Request) -> Response:
    """Respond with the page that exchanges a link's secret for a session, before anybody is signed in."""
    return _html("enter.html")


def _html(template: str, **values: str) -> Response:
    return HTMLResponse(render(template, **values), headers={"Cache-Control": "no-cache"})


PAGE_ENDPOINTS = [
    Endpoint("GET", "/", _page("annotate")),
    Endpoint("GET", "/person/{person_id:int}", _page("annotate")),
    Endpoint("GET", "/people", _page("people")),
    Endpoint("GET", "/manager", _page("team"), role="manager"),
]
