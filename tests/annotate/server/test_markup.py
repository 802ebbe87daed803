import re

import jinja2
import pytest

from opendensepose.annotate.server.markup import render


def test_texts_are_escaped():
    page = render("message.html", sentence="<script>alert(1)</script>")
    assert "&lt;script&gt;" in page and "<script" not in page


def test_a_missing_value_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="sentence"):
        render("message.html")


def test_all_pages_have_one_head_and_one_bar():
    pages = {page: render(f"{page}.html", page=page) for page in ("annotate", "people", "team")}
    bars = {page: re.search(r'<header class="bar">.*?</nav>', html, re.S).group() for page, html in pages.items()}
    for page, bar in bars.items():
        assert re.findall(r'aria-current="page"[^>]*>(\w+)', bar) == [page.capitalize()]
    plain = {re.sub(r' (aria-current|data-action)="[\w-]+"', "", bar) for bar in bars.values()}
    assert len(plain) == 1
    for html in (*pages.values(), render("enter.html"), render("message.html", sentence="x")):
        assert html.count("/static/css/base.css") == 1 and html.startswith("<!doctype html>")
